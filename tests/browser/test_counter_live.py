"""The counter page on a running box: real agent, broker and central, a badge and codes shown to
its scanner, keys alone; and the page left open while the agent is killed and started again.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from central.app import open_central
from central.users.roles import Role
from central.users.user import NewUser
from shared.clock import SystemClock
from shared.passwords import hash_password
from tests.browser.chromium import open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import face
from tests.faults.world import TESTER, World

PIN = "2468"
CLERK = "李静"
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A broker, a central and a box that run."""
    directory: Path = tmp_path_factory.mktemp("counter")
    with World(directory) as world:
        yield world


def add_clerk(world: World) -> str:
    """A clerk of the site whom the box knows; the badge's text."""
    with open_central(world.central_directory) as central, central.unit():
        now = SystemClock().now()
        new = NewUser("lijing", CLERK, Role.CLERK, "site1")
        user = central.users.add(new, hash_password("a long enough one"), now, TESTER)
        badge = central.users.give_badge(user.id, now, TESTER)
        central.users.set_pin(user.id, hash_password(PIN), now, TESTER)
    return badge


def page_link(world: World) -> str:
    """What ``onecode-agent page`` prints."""
    command = [sys.executable, "-m", "agent", "--dir", str(world.box_directory), "page"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return told.stdout.split()[-1]


async def known(page: Page) -> None:
    """Wait until the page has heard the box."""
    await expect(page.locator("#verdict")).not_to_have_attribute("data-face", "unknown")


async def sign_in(page: Page, world: World, badge: str) -> None:
    """Show the badge until the box knows it, then the PIN."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await page.locator("#pin").is_visible():
            world.scanner.scan(badge)
            await page.wait_for_selector("#pin, #troubles [data-level='bad']")
    await expect(page.locator("#pin")).to_be_focused()
    await page.keyboard.type(PIN, delay=25)
    await page.keyboard.press("Enter")
    operator = page.locator("[data-cell='operator']")
    await expect(operator).to_contain_text(CLERK, timeout=WAIT_MS)


async def test_a_clerks_morning_by_keyboard_alone(browser: Browser, world: World) -> None:
    """Sign in, scan, scan again, a refusal acknowledged, issue, reprint; then the agent dies and
    comes back, and the page never says more than is known."""
    badge = await asyncio.to_thread(add_clerk, world)
    code = await asyncio.to_thread(world.issue_code)
    async with open_context(browser) as context:
        page = await context.new_page()
        await page.goto(await asyncio.to_thread(page_link, world))
        await face(page, "waiting")
        await sign_in(page, world, badge)

        world.scanner.scan(code)
        await face(page, "accepted")
        await expect(page.locator("#person .name")).to_be_visible()
        world.scanner.scan(code)
        await expect(page.locator("#verdict .again")).to_be_visible()
        world.scanner.scan("8" * 64 + ":1")
        await face(page, "refused")
        await page.keyboard.press("Enter")
        await expect(page.locator(".acknowledge")).to_be_hidden()

        await page.keyboard.press("F2")
        await page.keyboard.type("11010020171225006X", delay=25)
        await page.keyboard.press("Enter")
        await page.keyboard.insert_text("电子健康卡")
        await page.keyboard.press("Enter")
        await expect(page.locator(".outcome")).to_contain_text("已有此人", timeout=WAIT_MS)
        await page.keyboard.press("Escape")
        await page.keyboard.press("F4")
        await expect(page.locator("#reprint-reason")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".label-state")).to_contain_text("第 2 张")
        await keep_screen(page, "counter-live", "zh")

        await asyncio.to_thread(world.supervisor.kill, "box")
        await face(page, "unknown")
        await asyncio.to_thread(world.start_box)
        await face(page, "waiting")
        await expect(page.locator("#verdict .why")).to_contain_text("刚重启过")
        await expect(page.locator("[data-cell='operator']")).to_contain_text("未登录")
        world.scanner.scan(code)
        await face(page, "accepted")


async def test_offline_is_said_and_over_when_it_is(browser: Browser, world: World) -> None:
    """The broker goes: scanning goes on, PROVISIONAL says what is allowed; it returns: all sent."""
    code = await asyncio.to_thread(world.issue_code)
    async with open_context(browser) as context:
        page = await context.new_page()
        await page.goto(await asyncio.to_thread(page_link, world))
        await known(page)
        await asyncio.to_thread(world.broker.stop)
        network = page.locator("[data-cell='network']")
        await expect(network).not_to_have_attribute("data-level", "good", timeout=WAIT_MS)
        world.scanner.scan(code)
        await face(page, "provisional")
        await expect(page.locator("#verdict .next")).to_contain_text("先不要医保结算")
        await expect(page.locator("[data-cell='unsent']")).to_contain_text("条")
        await asyncio.to_thread(world.broker.start)
        await expect(network).to_have_attribute("data-level", "good", timeout=WAIT_MS)
        unsent = page.locator("[data-cell='unsent']")
        await expect(unsent).to_have_attribute("data-level", "good", timeout=WAIT_MS)


async def test_no_page_keeps_a_person_in_the_browser(browser: Browser, world: World) -> None:
    """Local storage has the language alone; the document's policy lets no inline script run."""
    async with open_context(browser) as context:
        page = await context.new_page()
        await page.goto(await asyncio.to_thread(page_link, world))
        await known(page)
        await page.keyboard.press("F8")
        kept = json.loads(await page.evaluate("JSON.stringify({...localStorage})"))
        assert kept == {"onecode.language": "en"}
        assert await page.evaluate("JSON.stringify({...sessionStorage})") == "{}"
