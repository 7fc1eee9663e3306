"""Parked rows at the console: seen with their reasons, tried again by a button."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from central.app import Central
from shared.ids import BoxId
from shared.reasons import Reason
from tests.browser.centre import found_centre, open_centre, sign_in
from tests.browser.chromium import DESK, open_context
from tests.browser.screens import keep_screen
from tests.central.ingest.boxes import future_record
from tests.central.ingest.test_parked import box_without_key, join

LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


def park(central: Central) -> None:
    """Rows of two boxes that central cannot read, of three reasons."""
    now = datetime.now(UTC)
    first, second = join(central, BoxId("site1", "box1")), join(central, BoxId("site1", "box2"))
    central.ingest.inbox.take(first.id, box_without_key(first), now)
    second.append_plaintext(future_record(second.id))
    second.append_body(b"not sealed at all")
    central.ingest.inbox.take(second.id, second.encode(), now)


@LANGUAGES
async def test_parked_rows_are_seen_and_tried_again(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """The list with reason and age, the button's answer, the box's page that leads here."""
    found_centre(tmp_path)
    async with (
        open_centre(tmp_path) as centre,
        open_context(browser, DESK, language) as context,
    ):
        await centre.add_user()
        page = await context.new_page()
        await centre.writer.run(lambda: park(centre.central))
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/parked")
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(4)
        words = Reason.SCHEMA_UNKNOWN.words
        await expect(page.locator("main")).to_contain_text(
            {"zh": words.zh, "en": words.en}[language]
        )
        await keep_screen(page, "console-parked", language)
        await page.locator("#parked > form button").click()
        await expect(page.locator("#parked [role=status]")).to_contain_text("4")
        await page.goto(f"{centre.url}/console/boxes/site1/box1")
        await expect(page.locator(".equation")).to_contain_text("2 = ")
        await page.locator("#account a").first.click()
        await expect(page.locator("#account")).to_contain_text(
            {"zh": "由中心的账本证明于", "en": "Proved from central's own ledger"}[language]
        )
