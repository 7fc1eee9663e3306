"""Steps at the counter page that lead to its states, and what must hold of every state."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.browser.shown_box import ShownBox

Arrange = Callable[[ShownBox, Page], Awaitable[None]]


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
