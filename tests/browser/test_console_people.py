"""Persons and their cards on the console: found, seen in clear for a reason, given a link."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.centre import sign_in
from tests.browser.chromium import SMALL_DESK
from tests.browser.screens import keep_screen
from tests.browser.test_console import LANGUAGES, opened
from tests.central.people import SAMPLE, make_resident


@LANGUAGES
async def test_search_finds_none_one_and_many(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """By number, by name and by nobody's name; what was typed is in no address."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        await centre.enrol()
        for number in (1, 2, 3):
            await centre.enrol(make_resident(number, "张伟"))
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/search")
        await keep_screen(page, "console-search", language)
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        found = page.locator("#found article")
        for text, count, name in (
            (SAMPLE.document_number, 1, "one"),
            ("张伟", 3, "many"),
            ("查无此人", 0, "none"),
        ):
            await page.locator("input[name=text]").fill(text)
            await page.keyboard.press("Enter")
            await page.wait_for_function(
                "count => document.querySelector('#found').textContent.trim()"
                " && document.querySelectorAll('#found article').length === count",
                arg=count,
            )
            await expect(found).to_have_count(count)
            assert SAMPLE.document_number not in await page.content()
            await keep_screen(page, f"console-search-{name}", language)
        assert addresses == [f"{centre.url}/console/search"] * 3


@LANGUAGES
async def test_unmasking_needs_a_reason_and_is_audited(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """Masked at first; in clear after a reason is given, and the audit has it."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        card = await centre.enrol()
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/search")
        await page.locator("input[name=text]").fill(SAMPLE.name)
        await page.keyboard.press("Enter")
        article = page.locator("#found article")
        await expect(article).to_contain_text("110***********006X")
        await article.locator("summary").click()
        await keep_screen(page, "console-unmask", language)
        await article.locator("select").select_option("care")
        await article.locator("details button").click()
        await expect(article).to_contain_text(SAMPLE.document_number)
        await keep_screen(page, "console-unmasked", language)
        rows = centre.central.database.execute(
            "SELECT subject, facts FROM audit_row WHERE act = 'person.unmask'"
        ).fetchall()
        assert rows == [(str(card.person), '{"why":"care"}')]


@LANGUAGES
async def test_a_phone_is_given_a_link(browser: Browser, tmp_path: Path, language: str) -> None:
    """Shown once, audited, and it opens the holder's page."""
    async with opened(browser, tmp_path, SMALL_DESK, language) as (centre, page):
        card = await centre.enrol()
        await sign_in(page, centre)
        await page.goto(f"{centre.url}/console/search")
        await page.locator("input[name=text]").fill(SAMPLE.name)
        await page.keyboard.press("Enter")
        await page.locator("#found article > form button").click()
        address = await page.locator("#found .invited code").inner_text()
        await keep_screen(page, "console-linked", language)
        rows = centre.central.database.execute(
            "SELECT subject FROM audit_row WHERE act = 'card.link'"
        ).fetchall()
        assert rows == [(str(card.id),)]
        opened_page = await page.goto(address)
        assert opened_page is not None
        assert opened_page.status == 200
