"""Debian's Chromium, headless and with a fresh profile, driven by Playwright; nothing is fetched.

One browser for the whole run, one context a test: cookies and storage never leak between tests.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, async_playwright

EXECUTABLE = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox",  # tests run as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True)
class Size:
    """A viewport in CSS pixels."""

    width: int
    height: int


DESK = Size(1366, 768)
SMALL_DESK = Size(1024, 600)
PHONE = Size(320, 568)
LARGE_PHONE = Size(412, 915)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A running Chromium; ends with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=EXECUTABLE, headless=True, args=list(_FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_context(
    browser: Browser, size: Size = DESK, language: str = "zh", downloads: Path | None = None
) -> AsyncIterator[BrowserContext]:
    """A fresh profile of one size and language; a page's own script error fails the test."""
    context = await browser.new_context(
        viewport={"width": size.width, "height": size.height},
        locale={"zh": "zh-CN", "en": "en-GB"}[language],
        timezone_id="Asia/Shanghai",
        accept_downloads=downloads is not None,
        ignore_https_errors=False,
    )
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    try:
        yield context
    finally:
        await context.close()
    assert not errors, errors
