"""What the counter page does: sounds, refusals, keys, typing, silence and return.

The box's answers are made up (``ShownBox``), all that brings them to the page is real; the whole
way with a running agent stands in ``test_counter_live.py``.
"""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from agent.api.views import LabelView
from agent.counter.states import ScanState
from agent.counter.views import IssueView, OperatorView
from shared.badges import new_badge
from shared.devices import PrintState
from shared.messages import RegistrationOutcome, Verdict
from shared.passwords import hash_password
from shared.reasons import Reason
from tests.broker import free_ports
from tests.browser.chromium import open_context
from tests.browser.screens import keep_screen
from tests.browser.shown_box import (
    OTHER_PERSON,
    PERSON,
    ShownBox,
    label,
    open_page,
    operator_entry,
    scan,
    serving,
)

SPY = """
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) {
  document.documentElement.dataset.heard ??= "";
  document.documentElement.dataset.heard += `${this.type} ${this.frequency.value},`;
  return start.call(this, when);
};
"""


async def face(page: Page, name: str) -> None:
    await expect(page.locator("#verdict")).to_have_attribute("data-face", name)


async def heard(page: Page) -> str:
    """The tones since the last question."""
    tones: str = await page.evaluate(
        """() => {
          const { heard = "" } = document.documentElement.dataset;
          delete document.documentElement.dataset.heard;
          return heard;
        }"""
    )
    return tones


async def wait_heard(page: Page) -> str:
    await page.wait_for_selector("html[data-heard]")
    return await heard(page)


# --- sounds and refusals --------------------------------------------------------------------------


async def test_verdicts_differ_by_sound(browser: Browser) -> None:
    """Three tones, none like another; silent until a key allows it, which the page says; F7."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        sound = page.locator("[data-cell='sound']")
        await expect(sound).to_have_attribute("data-level", "busy")
        await page.keyboard.press("Shift")
        await expect(sound).to_have_attribute("data-level", "good")
        tones = []
        for verdict in (Verdict.ACCEPTED, Verdict.PROVISIONAL, Verdict.REFUSED):
            box.show_scan(scan(verdict, Reason.CODE_USED, PERSON))
            tones.append(await wait_heard(page))
        assert len(set(tones)) == 3
        await page.keyboard.press("Enter")
        await page.keyboard.press("F7")
        await expect(sound).to_have_attribute("data-level", "bad")
        box.show_scan(scan(Verdict.ACCEPTED, None, OTHER_PERSON))
        await expect(page.locator("#person .name")).to_have_text(OTHER_PERSON.name)
        assert await heard(page) == ""


async def test_a_refusal_sounds_and_stays_until_acknowledged(browser: Browser) -> None:
    """A newer scan covers it only in part; Enter, Space and a click acknowledge, oldest first."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        first, second, third = (
            scan(Verdict.REFUSED, Reason.CODE_EXPIRED),
            scan(Verdict.REFUSED, Reason.CODE_USED),
            scan(Verdict.REFUSED, Reason.CODE_FORGED),
        )
        for refusal in (first, second, third):
            box.show_scan(refusal)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        await expect(page.locator("#refusal")).to_contain_text("二维码已过期")
        await page.keyboard.press("Enter")
        await expect(page.locator("#refusal")).to_contain_text("已经用过")
        await page.keyboard.press("Space")
        await expect(page.locator("#refusal")).to_contain_text("伪造")
        await page.locator("#refusal button").click()
        await expect(page.locator("#refusal")).to_be_hidden()
        assert box.acknowledged == [first.id, second.id, third.id]


async def test_a_refusal_keeps_sounding(browser: Browser) -> None:
    """Every few seconds, until somebody has acknowledged it."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
        once = await wait_heard(page)
        assert await wait_heard(page) == once
        await page.keyboard.press("Enter")
        await expect(page.locator(".acknowledge")).to_be_hidden()
        await expect(page.locator("#verdict .notes")).to_contain_text("已确认")


async def test_a_refusal_is_acknowledged_while_typing(browser: Browser) -> None:
    """In a form Enter belongs to the form; F3 works everywhere, and the page says so."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.keyboard.type("1101", delay=30)
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
        await expect(page.locator(".acknowledge kbd")).to_have_text("F3")
        await page.keyboard.press("Enter")
        await page.keyboard.press("F3")
        await expect(page.locator(".acknowledge")).to_be_hidden()
        await expect(page.locator("#number")).to_have_value("1101")
        assert len(box.acknowledged) == 1


async def test_a_late_refusal_replaces_what_the_box_had_said(browser: Browser) -> None:
    """Central's answer to a PROVISIONAL is shown and heard when it comes."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        view = scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, PERSON)
        box.show_scan(view)
        provisional = await wait_heard(page)
        late = scan(Verdict.REFUSED, Reason.CARD_SUSPENDED, PERSON, id=view.id, at=view.at)
        box.show(main=late, recent=(late,), unacknowledged=(late,))
        box.scans.tell(late)
        await face(page, "refused")
        assert await wait_heard(page) != provisional
        await expect(page.locator(".recent li")).to_have_count(1)


async def test_an_earlier_scan_that_ends_late_never_takes_the_place(browser: Browser) -> None:
    """The main place belongs to the latest scan."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        earlier = scan(Verdict.REFUSED, Reason.CODE_USED, None, 3)
        box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
        await face(page, "accepted")
        box.scans.tell(earlier)
        await expect(page.locator(".recent li").first).to_have_attribute("data-face", "refused")
        await face(page, "accepted")


# --- silence and return ---------------------------------------------------------------------------


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
    from msgspec.structs import replace

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


# --- typing ---------------------------------------------------------------------------------------


async def _type(page: Page, text: str) -> None:
    await page.keyboard.type(text, delay=25)


async def test_issuing_by_keyboard(browser: Browser) -> None:
    """F2, number, Enter to the name, Enter sends; the ID's sex is filled in; Enter: next person."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await _type(page, "11010020171225006x")
        await expect(page.locator("#sex")).to_have_value("2")
        await page.keyboard.press("Enter")
        await expect(page.locator("#name")).to_be_focused()
        await page.keyboard.insert_text("电子健康卡")
        await page.keyboard.press("Enter")
        await expect(page.locator(".outcome")).to_contain_text("新登记")
        box.show(labels=(label(PrintState.CONFIRMED),))
        await expect(page.locator(".label-state")).to_contain_text("已印出")
        await page.keyboard.press("Enter")
        await expect(page.locator("#number")).to_be_focused()
        await expect(page.locator("#number")).to_have_value("")
        await page.keyboard.press("Escape")
        await expect(page.locator(".recent")).to_be_visible()
    (request,) = box.requests
    assert (request.document.number, request.sex) == ("11010020171225006X", "2")


async def test_nothing_typed_is_lost(browser: Browser) -> None:
    """Not by a badge, a language, a closed panel, a silent box or a reload; wiped once sent."""
    box = ShownBox()
    port, *_ = free_ports(1)
    async with open_context(browser) as context:
        async with serving(box, port) as address:
            page = await open_page(context, address)
            await page.keyboard.press("F2")
            await _type(page, "11010020171225006X")
            await page.keyboard.press("Enter")
            await page.keyboard.insert_text("电子健康卡")
            box.show_operator(OperatorView(asked_for_pin="李静"))
            await expect(page.locator("#pin")).to_be_focused()
            await page.keyboard.press("Escape")
            await page.keyboard.press("F8")
            await page.keyboard.press("Escape")
            await page.keyboard.press("F2")
            await _typed(page)
        await face(page, "unknown")
        await page.locator("#name").press("Enter")
        await expect(page.locator(".problem")).to_contain_text("still here")
        await _typed(page)
        async with serving(box, port):
            await face(page, "waiting")
            await page.reload()
            await face(page, "waiting")
            await page.keyboard.press("F2")
            await _typed(page)
            await page.locator("#name").press("Enter")
            await expect(page.locator(".issued")).to_be_visible()
            assert await page.evaluate("JSON.stringify({...sessionStorage})") == "{}"


async def _typed(page: Page) -> None:
    await expect(page.locator("#number")).to_have_value("11010020171225006X")
    await expect(page.locator("#name")).to_have_value("电子健康卡")


async def test_what_was_typed_is_wiped_after_ten_minutes(browser: Browser) -> None:
    """Nobody types any more: it leaves the screen and the browser."""
    async with serving(ShownBox()) as address, open_context(browser) as context:
        await context.clock.install()
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.locator("#number").fill("11010020171225006X")
        assert "110100" in await page.evaluate("JSON.stringify({...sessionStorage})")
        await page.clock.run_for(601_000)
        await expect(page.locator("#number")).to_have_value("")
        assert await page.evaluate("JSON.stringify({...sessionStorage})") == "{}"


async def test_signing_out_wipes_what_was_typed(browser: Browser) -> None:
    """The next clerk does not find the last one's patient."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        box.show_operator(OperatorView(id="op-7", name="李静", role="clerk"))
        await page.keyboard.press("F2")
        await page.locator("#number").fill("11010020171225006X")
        box.show_operator(OperatorView())
        await expect(page.locator("#number")).to_have_value("")


async def test_enter_of_an_input_method_sends_nothing(browser: Browser) -> None:
    """While an input method composes, Enter chooses its candidate."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.locator("#number").fill("11010020171225006X")
        await page.locator("#name").fill("电")
        session = await context.new_cdp_session(page)
        await session.send(
            "Input.imeSetComposition", {"text": "zi", "selectionStart": 2, "selectionEnd": 2}
        )
        await session.send(
            "Input.dispatchKeyEvent",
            {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229},
        )
        await session.send("Input.insertText", {"text": "子健康卡"})
        await expect(page.locator("#name")).to_have_value("电子健康卡")
        assert box.requests == []


async def test_a_scanner_that_types_is_not_taken_for_a_person(browser: Browser) -> None:
    """Its burst leaves the field as it was and sends nothing; the page says where to scan."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.locator("#number").fill("1101")
        await page.evaluate(
            """() => {
              const field = document.getElementById("number");
              for (const key of [..."284612345678901234", "Enter"]) {
                const down = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
                if (field.dispatchEvent(down) && key.length === 1) field.value += key;
              }
            }"""
        )
        await expect(page.locator("#number")).to_have_value("1101")
        await expect(page.locator(".problem")).to_contain_text("没有填入表格")
        assert box.requests == []


async def test_a_label_that_may_be_out_is_asked_about(browser: Browser) -> None:
    """UNKNOWN: the clerk looks and answers; the box is told."""
    box = ShownBox()
    asked: list[tuple[str, bool]] = []

    async def answer(label_id: str, out: bool) -> LabelView:
        asked.append((label_id, out))
        return label(PrintState.CONFIRMED)

    box.answer_label = answer  # type: ignore[method-assign]
    unknown = label(PrintState.UNKNOWN, Reason.PRINT_CUT)
    box.issued = IssueView("1", RegistrationOutcome.NEW, PERSON, unknown)
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.locator("#number").fill("11010020171225006X")
        await page.locator("#name").fill("电子健康卡")
        await page.locator("#name").press("Enter")
        await page.locator(".question button").first.click()
        await expect(page.locator(".label-state")).to_contain_text("已印出")
    assert asked == [(unknown.id, True)]


# --- the operator ---------------------------------------------------------------------------------


async def test_signing_in_by_badge_and_pin(browser: Browser) -> None:
    """The badge brings the question, digits and Enter the answer; a wrong PIN is said; F10 goes."""
    badge = new_badge()
    entry = operator_entry("op-7", "李静", badge, await asyncio.to_thread(hash_password, "2468"))
    box = ShownBox((entry,))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        box.operators.take_badge(badge)
        await expect(page.locator("#pin")).to_be_focused()
        await page.keyboard.type("1111", delay=25)
        await page.keyboard.press("Enter")
        await expect(page.locator("#pin-said")).not_to_be_empty()
        await page.keyboard.type("2468", delay=25)
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-cell='operator']")).to_contain_text("李静")
        await expect(page.locator("#pin")).to_be_hidden()
        await page.keyboard.press("F10")
        await expect(page.locator("[data-cell='operator']")).to_contain_text("未登录")


async def test_signing_in_by_name(browser: Browser) -> None:
    """The scanner is broken: a clerk says who and the PIN."""
    pin = await asyncio.to_thread(hash_password, "2468")
    box = ShownBox((operator_entry("op-7", "李静", new_badge(), pin),))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F10")
        await page.keyboard.insert_text("李静")
        await page.keyboard.press("Enter")
        await page.keyboard.type("2468", delay=25)
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-cell='operator']")).to_contain_text("李静")
        await expect(page.locator(".recent")).to_be_visible()


# --- language and looks ---------------------------------------------------------------------------


async def test_the_language_is_switched_and_remembered(browser: Browser) -> None:
    """F8 at any time; the document says its language; the choice survives a reload."""
    box = ShownBox()
    box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await expect(page.locator("#verdict .why")).to_have_text("二维码已过期")
        await page.keyboard.press("F8")
        await expect(page.locator("#verdict .why")).to_have_text("The code has expired")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await page.reload()
        await expect(page.locator("#verdict .why")).to_have_text("The code has expired")


async def test_sizes_read_at_two_metres(browser: Browser) -> None:
    """The verdict's word is at least 72 px, the record number 40, at the smaller size too."""
    from tests.browser.chromium import SMALL_DESK

    box = ShownBox()
    async with serving(box) as address, open_context(browser, SMALL_DESK, "en") as context:
        page = await open_page(context, address, "en")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_FUTURE, None, 9))
        box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, PERSON, same_name=True))
        await expect(page.locator("#refusal")).to_be_visible()
        for selector, least in (("#verdict h1", 72), ("#person .digits", 40)):
            size: float = await page.locator(selector).evaluate(
                "(element) => parseFloat(getComputedStyle(element).fontSize)"
            )
            assert size >= least


@pytest.mark.parametrize("name", ["accepted", "crowded", "issue_findings"])
async def test_the_page_is_dark_where_that_is_preferred(browser: Browser, name: str) -> None:
    """The same checks hold, contrast among them."""
    from tests.browser import test_counter_screens as screens

    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.emulate_media(color_scheme="dark")
        await getattr(screens, name)(box, page)
        await keep_screen(page, f"counter-dark-{name.replace('_', '-')}", "zh")


async def test_what_was_scanned_is_never_read_as_markup(browser: Browser) -> None:
    """A name with tags in it is text."""
    from msgspec.structs import replace

    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        person = replace(PERSON, name="<img src=x onerror=alert(1)>")
        box.show_scan(scan(Verdict.ACCEPTED, None, person))
        await expect(page.locator("#person .name")).to_have_text(person.name)
        assert await page.locator("#person img").count() == 0


async def test_a_scan_without_a_record_is_loud(browser: Browser) -> None:
    """A full disk: it says "not saved", sounds as a refusal, and waits for a person."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser) as context:
        await context.add_init_script(SPY)
        page = await open_page(context, address)
        await page.keyboard.press("Shift")
        box.show_scan(scan(Verdict.REFUSED, Reason.CODE_USED))
        refused = await wait_heard(page)
        await page.keyboard.press("Enter")
        box.show_scan(scan(None, Reason.STORE_UNAVAILABLE, None, state=ScanState.UNSAVED))
        assert await wait_heard(page) == refused
        await face(page, "unsaved")
        await expect(page.locator(".acknowledge")).to_be_visible()


async def test_every_word_of_the_server_has_a_place() -> None:
    """Document types, roles, states and conditions: what the server may say, the page can show."""
    from pathlib import Path

    from agent.counter.printing import ReprintReason
    from shared.devices import DeviceState, PrinterCondition
    from shared.residents import DOCUMENT_TYPES

    table = Path("agent/api/page/table.js").read_text(encoding="utf-8")
    for row in DOCUMENT_TYPES.values():
        assert f'"document-{row.code}": ["{row.zh}", "{row.en}"]' in table
    keys = [f"label-{state}" for state in PrintState]
    keys += [f"reprint-{reason}" for reason in ReprintReason]
    keys += [str(state) for state in DeviceState]
    keys += [word for each in PrinterCondition for word in (str(each), f"{each}-next")]
    for key in keys:
        assert f'  "{key}": [' in table or f"  {key}: [" in table, key
