"""A box that is silent, gone, restarted or asleep: the counter page shows the truth or says that it
does not know.
"""

from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from agent.api.server import LocalAccess, serve_api
from shared.clock import SystemClock
from shared.messages import Verdict
from shared.reasons import Reason
from tests.agent.api.one_box import TOKEN
from tests.broker import free_ports
from tests.browser.chromium import open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import (
    PERSON,
    ShownBox,
    face,
    open_page,
    scan,
    serving,
)


async def test_a_box_that_falls_silent_is_not_known(browser: Browser) -> None:
    """Within five seconds without beats, by a clock the test moves; nothing personal is left."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.clock.install()
        page = await open_page(context, address)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        await context.set_offline(True)
        async with page.expect_websocket():
            await page.clock.run_for(5_000)
        await face(page, "unknown")
        await expect(page.locator("#verdict .why")).to_contain_text("起不知道")
        await expect(page.locator("#person")).to_be_hidden()
        assert PERSON.name not in await page.locator("body").inner_text()
        await keep_screen(page, "counter-not-known", "zh")


async def test_a_computer_that_slept_knows_nothing(browser: Browser) -> None:
    """The steady clock stood still with the computer; the other tells how long it was."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        seen: str = await page.evaluate(
            """() => {
              const now = Date.now;
              Date.now = () => now() + 3_600_000;
              document.dispatchEvent(new Event("visibilitychange"));
              return document.getElementById("verdict").dataset.face;
            }"""
        )
        assert seen == "unknown"
        await face(page, "accepted")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_first_start_on_a_full_disk_says_why_and_what_to_do(
    browser: Browser, language: str
) -> None:
    """Nobody can have leave yet; once the disk takes the token, how to get it."""
    troubles: list[Reason] = [Reason.STORE_FULL]
    access = LocalAccess(TOKEN, trouble=lambda: troubles[-1] if troubles else None)
    async with (
        serve_api(ShownBox(), SystemClock(), access) as port,
        open_context(browser, language=language) as context,
    ):
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}")
        words = Reason.STORE_FULL.words
        await expect(page.locator("#verdict")).to_contain_text(words.next_zh)
        if language == "en":
            await page.keyboard.press("F8")
            await expect(page.locator("#verdict")).to_contain_text(words.next_en)
        await keep_screen(page, "counter-first-start-full", language)
        troubles.clear()
        await expect(page.locator("#verdict code")).to_have_text("onecode-agent page")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_page_without_leave_says_how_to_get_it(browser: Browser, language: str) -> None:
    """The session has ended: not "offline", but what to run."""
    box = ShownBox()
    port, *_ = free_ports(1)
    async with open_context(browser, language=language) as context:
        async with serving(box, port) as address:
            page = await open_page(context, address, language)
            await context.clear_cookies()
        async with serving(box, port):
            await expect(page.locator("#verdict code")).to_have_text("onecode-agent page")
            await keep_screen(page, "counter-no-leave", language)


async def test_a_page_open_through_200_restarts_shows_the_truth_or_says_it_does_not_know(
    browser: Browser,
) -> None:
    """Each life of the box shows another person; no earlier one is ever shown as current.

    Every change of the page is recorded by the page itself, under a clock that the test moves.
    """
    port, *_ = free_ports(1)
    async with open_context(browser) as context:
        await context.clock.install()
        await context.add_init_script(
            """
            window.seen = [];
            addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
              const person = document.getElementById("person");
              const shown = document.getElementById("verdict").dataset.face;
              const name = person.hidden ? "" : person.querySelector(".digits")?.textContent ?? "";
              const what = `${shown}/${name}`;
              if (window.seen.at(-1) !== what) window.seen.push(what);
            }).observe(document.body, { subtree: true, childList: true, attributes: true }));
            """
        )
        page: Page | None = None
        for life in range(200):
            box = ShownBox()
            async with serving(box, port) as address:
                page = page or await open_page(context, address)
                await page.clock.run_for(2_000)
                await face(page, "waiting")
                number = f"MZ{life:010}"
                box.show_scan(scan(Verdict.ACCEPTED, None, _numbered(number)))
                await expect(page.locator("#person .digits")).to_have_text(number)
            await page.clock.run_for(600)
            await face(page, "unknown")
            seen: list[str] = await page.evaluate("window.seen.splice(0)")
            allowed = {"waiting/", f"accepted/{number}", "accepted/", "unknown/"}
            assert set(seen) <= allowed, (life, seen)
            assert seen[-1] == "unknown/"


def _numbered(number: str) -> Any:

    return replace(PERSON, record_numbers=(replace(PERSON.record_numbers[0], number=number),))


async def test_a_restart_is_told(browser: Browser) -> None:
    """Who waited for an answer across it must scan again; the next scan ends the notice."""
    port, *_ = free_ports(1)
    async with open_context(browser) as context:
        async with serving(ShownBox(), port) as address:
            page = await open_page(context, address)
        await face(page, "unknown")
        box = ShownBox()
        async with serving(box, port):
            await expect(page.locator("#verdict .why")).to_contain_text("刚重启过")
            box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
            await face(page, "accepted")


async def test_ages_come_from_the_box(browser: Browser) -> None:
    """A browser whose clock is a year off shows the same ages."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(
            "const now = Date.now; Date.now = () => now() - 31_536_000_000;"
        )
        page = await open_page(context, address)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON, 61))
        await expect(page.locator(".recent .age").first).to_have_text("1 分钟前")


async def test_an_old_verdict_makes_room(browser: Browser) -> None:
    """After two minutes the counter is ready for the next person; the list still has it."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON, 119))
        await face(page, "accepted")
        await face(page, "waiting")
        await expect(page.locator("#person")).to_be_hidden()
        await expect(page.locator(".recent .who").first).to_contain_text(PERSON.name)
