"""The patient's page on a phone: one code, alive, and never an old one shown as good."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, expect

from central.cards.card import CardId
from shared.clock import SystemClock
from shared.reasons import Reason
from tests.browser.centre import Centre, found_centre, open_centre
from tests.browser.chromium import LARGE_PHONE, PHONE, Size, open_context
from tests.browser.screens import keep_screen

SIZES = pytest.mark.parametrize("size", [PHONE, LARGE_PHONE], ids=["320", "412"])
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@asynccontextmanager
async def opened(
    browser: Browser, directory: Path, size: Size = PHONE, language: str = "zh"
) -> AsyncIterator[tuple[Centre, Page, str]]:
    """A centre, a phone whose clock the test moves, and a link that nobody has opened."""
    found_centre(directory)
    async with open_centre(directory) as centre, open_context(browser, size, language) as context:
        page = await context.new_page()
        await page.clock.install()
        yield centre, page, await centre.link(await centre.enrol())


async def read_code(page: Page, picture: Path) -> str:
    """What a scanner reads off the screen; empty when there is no code."""
    await page.screenshot(path=picture, scale="css")
    with Image.open(picture) as image:
        found = zxingcpp.read_barcodes(image)
    return found[0].text if found else ""


async def show_code(page: Page, link: str) -> None:
    """Open the link by its button."""
    await page.goto(link)
    await page.get_by_role("button").click()
    await expect(page.locator("#picture svg")).to_be_visible()


@LANGUAGES
@SIZES
async def test_the_code_is_shown_and_replaced_before_it_ends(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """A scanner reads it off the screen; the next one is another, and comes in time."""
    async with opened(browser, tmp_path, size, language) as (centre, page, link):
        await page.goto(link)
        await keep_screen(page, "patient-open", language)
        await show_code(page, link)
        await expect(page.locator(".name")).to_have_text("电***卡")
        await keep_screen(page, "patient-code", language)
        first = await read_code(page, tmp_path / "first.png")
        assert len(first) == 220
        async with page.expect_response("**/code"):
            await page.clock.fast_forward(51_000)
        await expect(page.locator("#uncertain")).to_be_hidden()
        second = await read_code(page, tmp_path / "second.png")
        assert len(second) == 220
        assert second != first
        assert centre.central.cards.token_of(first) != centre.central.cards.token_of(second)


@LANGUAGES
@SIZES
async def test_an_old_code_is_never_shown_as_good(
    browser: Browser, tmp_path: Path, size: Size, language: str
) -> None:
    """Without a network the code stays until its time is over, then the page says that it may be
    no good; with the network it is back."""
    async with opened(browser, tmp_path, size, language) as (_, page, link):
        await show_code(page, link)
        await page.context.set_offline(True)
        await page.clock.fast_forward(55_000)
        await expect(page.locator("#picture svg")).to_be_visible()
        await page.clock.fast_forward(10_000)
        await expect(page.locator("#uncertain")).to_be_visible()
        await keep_screen(page, "patient-uncertain", language)
        assert await read_code(page, tmp_path / "none.png") == ""
        await page.context.set_offline(False)
        await page.clock.fast_forward(3_000)
        await expect(page.locator("#picture svg")).to_be_visible()


async def test_a_phone_that_slept_asks_at_once(browser: Browser, tmp_path: Path) -> None:
    """Hidden and shown again: the code is a fresh one, whatever the time."""
    async with opened(browser, tmp_path) as (_, page, link):
        await show_code(page, link)
        first = await read_code(page, tmp_path / "first.png")
        async with page.expect_response("**/code"):
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("#picture svg")).to_be_visible()
        assert await read_code(page, tmp_path / "second.png") not in {"", first}


@LANGUAGES
async def test_a_second_phone_is_refused_in_words(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """The link is the first phone's; that one may come back to it."""
    async with opened(browser, tmp_path, PHONE, language) as (_, page, link):
        await show_code(page, link)
        words = Reason.LINK_USED.words
        async with open_context(browser, PHONE, language) as another:
            stranger = await another.new_page()
            await stranger.goto(link)
            await expect(stranger.locator("h1")).to_have_text(
                {"zh": words.zh, "en": words.en}[language]
            )
            await keep_screen(stranger, "patient-used", language)
        await page.goto(link)
        await expect(page.locator("#picture svg")).to_be_visible()


@LANGUAGES
async def test_the_static_code_is_kept_as_a_picture(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    """A PNG with the code, the masked name and the hint, drawn and saved by the phone itself."""
    found_centre(tmp_path)
    async with (
        open_centre(tmp_path) as centre,
        open_context(browser, PHONE, language, tmp_path) as context,
    ):
        page = await context.new_page()
        card = await centre.enrol()
        await show_code(page, await centre.link(card))
        await page.locator("a.other").click()
        await expect(page.locator("#save")).to_be_visible()
        await keep_screen(page, "patient-keep", language)
        async with page.expect_download() as download:
            await page.locator("#save").click()
        with Image.open(await (await download.value).path()) as image:
            assert image.size == (720, 960)
            [found] = zxingcpp.read_barcodes(image)
        assert found.text == centre.central.cards.static_code(card)


@LANGUAGES
async def test_a_suspended_card_says_so(browser: Browser, tmp_path: Path, language: str) -> None:
    """Suspended while it is shown: the page says why there is no next code."""
    async with opened(browser, tmp_path, PHONE, language) as (centre, page, link):
        await show_code(page, link)
        visit = centre.central.database.execute("SELECT id FROM card").fetchone()
        card = centre.central.cards.read(CardId(UUID(bytes=visit[0])))
        now = SystemClock().now()
        await centre.writer.run(lambda: centre.central.cards.suspend(card.id, now, "test"))
        await page.clock.fast_forward(51_000)
        words = Reason.CARD_SUSPENDED.words
        await expect(page.locator("h1")).to_have_text({"zh": words.zh, "en": words.en}[language])
        await keep_screen(page, "patient-suspended", language)
