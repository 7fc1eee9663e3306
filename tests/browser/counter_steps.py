"""Steps at the counter page that lead to its states, and what must hold of every state."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import DESK, SMALL_DESK, Size, open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import ShownBox, open_page, serving

Arrange = Callable[[ShownBox, Page], Awaitable[None]]

each_size = pytest.mark.parametrize("size", [DESK, SMALL_DESK], ids=lambda size: str(size.width))
each_language = pytest.mark.parametrize("language", ["zh", "en"])


async def issue(_: ShownBox, page: Page) -> None:
    await page.keyboard.press("F2")
    await expect(page.locator("#number")).to_be_focused()


async def send(page: Page) -> None:
    await page.locator("#number").fill("11010020171225006X")
    await page.locator("#name").fill("电子健康卡")
    await page.locator("#name").press("Enter")


async def issued_new(box: ShownBox, page: Page) -> None:
    await issue(box, page)
    await send(page)
    await expect(page.locator(".issued")).to_be_visible()


async def list_spilt(page: Page) -> list[str]:
    """Parts of the glance whose content is higher or wider than they are; the window's too."""
    spilt: list[str] = await page.evaluate(
        """["html", "#status", "#troubles", "#away", "#asked", "#verdict", "#person", "#refusal",
            "#keys"]
           .filter((each) => { const part = document.querySelector(each);
             return part.scrollHeight > part.clientHeight + 1
                 || part.scrollWidth > part.clientWidth + 1; })"""
    )
    return spilt


async def check_screen(
    browser: Browser, name: str, language: str, size: Size, *steps: Arrange
) -> None:
    """Go the steps on a fresh page: nothing cut off, untranslated, missing, or serious by axe; the
    glance never scrolls."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, size, language) as context:
        page = await open_page(context, address, language)
        for step in steps:
            await step(box, page)
        await keep_screen(page, f"counter-{name}", language)
        assert await list_spilt(page) == []
