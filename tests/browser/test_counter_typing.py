"""Typing at the counter page: issuing, labels, signing in, by keyboard; nothing typed is lost."""

import asyncio

from playwright.async_api import Browser, Page, Route, expect

from agent.counter.printing import ReprintReason
from agent.counter.views import LabelView, OperatorView
from shared.badges import new_badge
from shared.devices import PrintState
from shared.errors import Refused
from shared.passwords import hash_password
from shared.reasons import Reason
from tests.broker import free_ports
from tests.browser.chromium import open_context
from tests.browser.shown_box import (
    ShownBox,
    face,
    label,
    open_page,
    operator_entry,
    serving,
)


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
        kept = await page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
        assert "draft" in kept
        assert "110100" not in kept
        await page.clock.run_for(601_000)
        await expect(page.locator("#number")).to_have_value("")
        assert await page.evaluate("JSON.stringify({...sessionStorage})") == "{}"


async def test_who_was_registered_leaves_the_screen(browser: Browser) -> None:
    """A clerk who turns to something else leaves nobody's name behind, nor what was typed."""
    async with serving(ShownBox()) as address, open_context(browser) as context:
        await context.clock.install()
        page = await open_page(context, address)
        await page.keyboard.press("F2")
        await page.locator("#number").fill("11010020171225006X")
        await page.locator("#name").fill("电子健康卡")
        await page.locator("#name").press("Enter")
        await expect(page.locator(".issued .name")).to_be_visible()
        await page.clock.run_for(121_000)
        await expect(page.locator(".issued .name")).to_have_count(0)
        await expect(page.locator("#number")).to_have_value("")


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


class AskingBox(ShownBox):
    """Asks about labels until they are answered."""

    def __init__(self, *asked: LabelView) -> None:
        super().__init__()
        self.acts: list[tuple[str, object]] = []
        self.show(questions=asked)

    async def answer_label(self, label_id: str, out: bool) -> LabelView:
        self.acts.append((label_id, out))
        return self._settle(label_id)

    async def reprint(self, label_id: str, reason: ReprintReason, text: str) -> LabelView:
        self.acts.append((label_id, reason))
        return self._settle(label_id)

    def _settle(self, label_id: str) -> LabelView:
        left = tuple(each for each in self.shown.questions if each.id != label_id)
        self.show(questions=left)
        return label(PrintState.CONFIRMED, id=label_id)


async def test_a_label_that_may_be_out_is_answered_by_a_key(browser: Browser) -> None:
    """UNKNOWN: F6 and F12, while the focus and the typing stay with the next person."""
    first = label(PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED)
    box = AskingBox(first, label(PrintState.UNKNOWN, Reason.PRINT_CUT, id="2", number="7315"))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await expect(page.locator("#asked")).to_contain_text("0519")
        await page.keyboard.press("F2")
        await page.keyboard.type("1101", delay=25)
        await page.keyboard.press("F6")
        await expect(page.locator("#asked")).to_contain_text("7315")
        await page.keyboard.type("00", delay=25)
        await expect(page.locator("#number")).to_be_focused()
        await expect(page.locator("#number")).to_have_value("110100")
        await expect(page.locator("#asked button").first).to_be_enabled()
        await page.keyboard.press("F12")
        await expect(page.locator("#asked")).to_be_hidden()
    assert box.acts == [(first.id, True), ("2", ReprintReason.NOT_OUT)]


async def test_an_answer_that_the_box_refuses_is_said_where_it_was_asked(browser: Browser) -> None:
    """Nobody is signed in: the question stays, and says what to do first."""

    class Refusing(AskingBox):
        async def answer_label(self, label_id: str, out: bool) -> LabelView:
            raise Refused(Reason.OPERATOR_NEEDED)

    box = Refusing(label(PrintState.UNKNOWN, Reason.PRINT_CUT))
    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.keyboard.press("F6")
        await expect(page.locator("#asked .ask")).to_contain_text(
            Reason.OPERATOR_NEEDED.words.next_zh
        )


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


async def test_a_pin_that_is_typed_before_the_last_answer_is_the_next_try(
    browser: Browser,
) -> None:
    """Nothing of it is lost, however slow the box is."""
    badge = new_badge()
    entry = operator_entry("op-7", "李静", badge, await asyncio.to_thread(hash_password, "2468"))
    box, held = ShownBox((entry,)), asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    async with serving(box) as address, open_context(browser) as context:
        page = await open_page(context, address)
        await page.route("**/operator/pin", hold, times=1)
        box.operators.take_badge(badge)
        await expect(page.locator("#pin")).to_be_focused()
        for pin in ("1111", "2468"):
            await page.keyboard.type(pin, delay=25)
            await page.keyboard.press("Enter")
        held.set()
        await expect(page.locator("[data-cell='operator']")).to_contain_text("李静")


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
