"""The checks on screens find what they are there to find."""

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import PHONE, open_context
from tests.browser.screens import SCREENS, keep_screen

_HEAD = (
    "<!doctype html><html lang='{language}'><head><title>One Code</title>"
    "<style>body {{ font: 20px 'Noto Sans CJK SC', sans-serif }}</style></head><body><main><h1>"
)


async def _show(page: Page, language: str, body: str) -> None:
    await page.set_content(_HEAD.format(language=language) + body + "</h1></main></body></html>")


async def test_a_clean_page_passes_and_is_kept(browser: Browser) -> None:
    """Both languages, a marked name and a known abbreviation are no findings."""
    async with open_context(browser, PHONE) as context:
        page = await context.new_page()
        await _show(page, "zh", "请输入 PIN")
        path = await keep_screen(page, "harness-clean", "zh")
        assert path.parent == SCREENS
        assert path.read_bytes().startswith(b"\x89PNG")
        await _show(page, "en", "Welcome, <span lang='zh'>张*三</span>")
        await keep_screen(page, "harness-clean", "en")


@pytest.mark.parametrize(
    ("language", "body", "finding"),
    [
        ("en", "欢迎", "untranslated text"),
        ("zh", "Welcome", "untranslated text"),
        ("zh", "<span aria-label='Close'>关</span>", "untranslated aria-label"),
        ("zh", "<p style='width: 900px'>宽</p>", "wider than the window"),
        ("zh", "<p style='width: 2em; overflow: hidden; white-space: nowrap'>看不全</p>", "cut"),
        ("zh", "私有字符 \U000f1234", "no font has"),
        ("zh", "<span style='color: #eee; background: #fff'>太淡</span>", "axe color-contrast"),
        ("zh", "<img src='data:,' width=9 height=9>图", "axe image-alt"),
    ],
)
async def test_each_fault_is_found(
    browser: Browser, language: str, body: str, finding: str
) -> None:
    """Cut, too wide, of the other language, without a glyph, too faint, without a text."""
    async with open_context(browser, PHONE) as context:
        page = await context.new_page()
        await _show(page, language, body)
        with pytest.raises(AssertionError, match=finding):
            await keep_screen(page, "harness-fault", language)
