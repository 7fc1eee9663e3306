"""The demonstration's page in Chromium: three real pages alive in their frames, every button
pressed once, and what comes of it seen where a clerk, an operator and a patient would see it.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, FrameLocator, Page, expect

from tests.browser.chromium import DESK, SMALL_DESK, open_context
from tests.browser.screens import keep_screen
from tests.system.running_demo import RunningDemo, running_demo

SECONDS = 30_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One demonstration, its story told."""
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo
        demo.stop()


def frame(page: Page, name: str) -> FrameLocator:
    """The real page in one of the three frames."""
    return page.frame_locator(f"#{name} iframe")


async def open_demo(page: Page, demo: RunningDemo) -> None:
    """The page, all frames let in and alive."""
    await page.goto(f"{demo.address}/")
    await expect(frame(page, "counter").locator("#verdict")).not_to_have_attribute(
        "data-face", "unknown", timeout=SECONDS
    )
    await expect(frame(page, "console").locator("table.boxes tbody tr")).to_have_count(1)
    await expect(frame(page, "phone").locator("#picture svg")).to_be_visible()
    await expect(page.locator("#box-account [data-mark]")).to_have_text("✓")
    await expect(page.locator("#central-account [data-mark]")).to_have_text("✓")


async def press(page: Page, act: str) -> str:
    """Press a button; what is said of it."""
    await page.locator(f"[data-act='{act}']:not(#said)").click()
    await expect(page.locator("#said")).to_have_attribute("data-act", act, timeout=SECONDS)
    return await page.locator("#said").inner_text()


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_three_pages_live_side_by_side(
    browser: Browser, demo: RunningDemo, language: str
) -> None:
    """Counter, console and phone in their frames, the label beside its ZPL, the account; nothing
    of the page is cut off or in the other language, and axe finds nothing."""
    async with open_context(browser, DESK, language) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        await expect(page.locator(".fictitious")).to_have_text(
            {"zh": "所有人物均为虚构", "en": "All people are fictitious"}[language]
        )
        await expect(page.locator("#label pre")).to_contain_text("^XA")
        pictures = "[...document.querySelectorAll('#label img')]"
        await page.wait_for_function(f"{pictures}.every((each) => each.naturalWidth > 0)")
        heights = await page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert heights[0] <= heights[1], "at 1366 × 768 everything is seen at once"
        await keep_screen(page, "demo-all", language)


async def test_small_window_stacks(browser: Browser, demo: RunningDemo) -> None:
    """Below 1100 px the frames lie below each other and nothing runs out of the window."""
    async with open_context(browser, SMALL_DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        await keep_screen(page, "demo-stacked", "zh")


async def test_a_frame_grows_and_shrinks(browser: Browser, demo: RunningDemo) -> None:
    """A frame's title makes it as large as the window, and small again."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        await page.locator("#console .grow").click()
        await expect(page.locator("#console .grow")).to_have_attribute("aria-expanded", "true")
        await keep_screen(page, "demo-console", "zh")
        await page.keyboard.press("Enter")
        await expect(page.locator("#console .grow")).to_have_attribute("aria-expanded", "false")


async def test_language_reaches_console_and_phone(browser: Browser, demo: RunningDemo) -> None:
    """One button changes the page and the frames that follow it."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        await page.locator("#language").click()
        await expect(frame(page, "console").locator("html")).to_have_attribute("lang", "en")
        await expect(frame(page, "phone").locator("html")).to_have_attribute("lang", "en")
        await page.locator("#language").click()
        await expect(frame(page, "console").locator("html")).to_have_attribute(
            "lang", re.compile("^zh")
        )


async def test_what_people_do_is_seen_at_the_counter(browser: Browser, demo: RunningDemo) -> None:
    """A clerk comes and goes; each code has its verdict; somebody new has a label."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        counter = frame(page, "counter")
        verdict = counter.locator("#verdict")

        await press(page, "operator-in")
        await expect(counter.locator("body")).to_contain_text("收费员小何")
        await keep_screen(page, "demo-clerk", "zh")
        await press(page, "scan-phone")
        await expect(verdict).to_have_attribute("data-face", "accepted")
        await expect(counter.locator("body")).to_contain_text("林*满")
        await press(page, "scan-again")
        await expect(verdict).to_have_attribute("data-face", "refused")
        await press(page, "scan-label")
        await expect(verdict).to_have_attribute("data-face", "accepted")
        await press(page, "scan-stranger")
        await expect(verdict).to_have_attribute("data-face", "accepted")
        await press(page, "scan-torn")
        await expect(verdict).to_have_attribute("data-face", "refused")
        assert "不留记录" in await press(page, "scan-payment")
        await expect(verdict).to_have_attribute("data-face", "handed-on")

        before = await page.locator("#label img").first.get_attribute("data-id")
        assert "新登记" in await press(page, "register")
        await expect(page.locator("#label img").first).not_to_have_attribute(
            "data-id", before or ""
        )
        await keep_screen(page, "demo-registered", "zh")

        await press(page, "operator-out")
        await expect(page.locator("[data-part='operator'] .state")).to_have_text("无人")


async def test_devices_are_missed_at_counter_and_console(
    browser: Browser, demo: RunningDemo
) -> None:
    """Paper out and in, the scanner pulled and plugged in."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        counter = frame(page, "counter")
        row = frame(page, "console").locator("table.boxes tbody tr")

        await press(page, "paper-out")
        await expect(counter.locator("body")).to_contain_text("缺纸", timeout=SECONDS)
        await expect(row).to_contain_text("打印机缺纸", timeout=SECONDS)
        await keep_screen(page, "demo-paper", "zh")
        await press(page, "paper-in")
        await expect(row).to_contain_text("打印机正常", timeout=SECONDS)
        await press(page, "scanner-pull")
        await expect(counter.locator("body")).to_contain_text("设备没有插上")
        await keep_screen(page, "demo-scanner", "zh")
        await press(page, "scanner-plug")
        await expect(counter.locator("body")).not_to_contain_text("设备没有插上")


async def test_an_outage_and_a_wrong_clock_lose_nothing(
    browser: Browser, demo: RunningDemo
) -> None:
    """Cut: provisional, and what is between the two accounts is counted; restored: nothing is. A
    day more or less on the box's clock changes no verdict."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        counter = frame(page, "counter")
        verdict = counter.locator("#verdict")

        await press(page, "network-cut")
        await expect(counter.locator("body")).to_contain_text("与中心断开")
        await press(page, "scan-stranger")
        await expect(verdict).to_have_attribute("data-face", "provisional")
        await expect(page.locator("#box-account [data-mark]")).to_have_text("…")
        await expect(page.locator("#between")).to_have_attribute("data-count", "1")
        await keep_screen(page, "demo-cut", "zh")
        await press(page, "network-restore")
        await expect(page.locator("#between")).to_have_attribute("data-count", "0", timeout=SECONDS)
        await expect(page.locator("#box-account [data-mark]")).to_have_text("✓", timeout=SECONDS)

        clock = page.locator("[data-part='clock'] .state")
        await press(page, "clock-ahead")
        await expect(clock).to_contain_text("快一天")
        await press(page, "scan-phone")
        await expect(verdict).to_have_attribute("data-face", "accepted")
        await keep_screen(page, "demo-clock", "zh")
        await press(page, "clock-behind")
        await expect(clock).to_contain_text("慢一天")
        await press(page, "clock-right")
        await expect(clock).to_contain_text("准")


async def test_a_killed_box_is_unknown_and_comes_back(browser: Browser, demo: RunningDemo) -> None:
    """Its page says that it does not know, the console that it is off; its disk holds the account;
    started again it goes on, also on a page that was opened meanwhile."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        await open_demo(page, demo)
        counter = frame(page, "counter")
        verdict = counter.locator("#verdict")
        row = frame(page, "console").locator("table.boxes tbody tr")

        await press(page, "box-kill")
        await expect(verdict).to_have_attribute("data-face", "unknown")
        await expect(row).to_contain_text("离线", timeout=SECONDS)
        await expect(page.locator("#box-account")).to_contain_text("按磁盘核对")
        await keep_screen(page, "demo-killed", "zh")
        await page.reload()
        await expect(counter.locator("h1")).to_have_text("盒子没有运行")
        await press(page, "box-start")
        await expect(verdict).not_to_have_attribute("data-face", "unknown", timeout=SECONDS)
        await expect(row).to_contain_text("在线", timeout=SECONDS)
        await expect(page.locator("#box-account [data-mark]")).to_have_text("✓")


async def test_other_sites_cannot_show_the_page(browser: Browser, demo: RunningDemo) -> None:
    """A page elsewhere gets no frame of the demonstration's page."""
    async with open_context(browser, DESK) as context:
        page = await context.new_page()
        answer = await page.goto(f"{demo.address}/")
        assert answer
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        secrets = await page.evaluate("document.cookie")
        assert secrets == "", "no script reads what central gave the browser"
