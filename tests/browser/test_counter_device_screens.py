"""The counter page while scanners, the printer and labels need somebody: every state, in both
languages and sizes.
"""

from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from agent.api.views import DeviceView
from agent.counter.views import IssueView, advise
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.messages import RegistrationOutcome, Verdict
from shared.reasons import Reason
from tests.browser.chromium import Size, open_context
from tests.browser.counter_steps import (
    Arrange,
    check_screen,
    each_language,
    each_size,
    issue,
    issued_new,
    list_spilt,
)
from tests.browser.screens import keep_screen
from tests.browser.shown_box import PERSON, ShownBox, label, open_page, scan, serving


async def label_unknown(box: ShownBox, page: Page) -> None:
    told = label(PrintState.UNKNOWN, Reason.PRINT_CUT)
    box.issued = IssueView("1", RegistrationOutcome.NEW, PERSON, told)
    await issued_new(box, page)
    box.show(labels=(told,), questions=(told,))
    await expect(page.locator("#asked")).to_contain_text("0519")
    await expect(page.locator(".issued")).to_be_visible()


async def label_asked(box: ShownBox, page: Page) -> None:
    """After a restart, with the next person under way and other labels waiting behind."""
    first = label(PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED, name="买**·**逊")
    box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
    box.show(questions=(first, label(PrintState.UNKNOWN, Reason.PRINT_CUT, id="2")))
    await issue(box, page)
    await expect(page.locator("#asked")).to_be_visible()


def _label_in(state: PrintState, reason: Reason | None = None, **changes: Any) -> Arrange:
    """The panel of somebody just registered, with the label in a state."""

    async def arrange(box: ShownBox, page: Page) -> None:
        told = label(state, reason, **changes)
        box.issued = IssueView("1", RegistrationOutcome.NEW, PERSON, told)
        await issued_new(box, page)
        await expect(page.locator(f".label-state[data-state='{state}']")).to_be_visible()

    return arrange


async def _show_condition(box: ShownBox, page: Page, condition: PrinterCondition) -> None:
    """The printer says what is wrong with it."""
    ready = DeviceView("Zebra ZD421", DeviceState.READY)
    box.show(printer=ready)
    await expect(page.locator("[data-cell='printer'][data-level='good']")).to_be_visible()
    box.show(
        printer=msgspec.structs.replace(ready, state=DeviceState.FAULTY, conditions=(condition,))
    )
    await expect(page.locator("[data-cell='printer'][data-level='bad']")).to_be_visible()
    await expect(page.locator("#troubles .next")).to_be_visible()


async def scanner_needs_a_cure(box: ShownBox, page: Page) -> None:
    """It is ready, and types capitals for small letters."""
    advice = advise(Reason.SCANNER_CAPS_LOCK)
    box.show(scanner=DeviceView("Newland NLS-FR20", DeviceState.READY, (), advice))
    await expect(page.locator("#troubles p[data-level='busy']")).to_contain_text("@KBWCAP0")


async def printer_silent(box: ShownBox, page: Page) -> None:
    silent = DeviceView("Zebra ZD421", DeviceState.SILENT, (), advise(Reason.DEVICE_SILENT))
    box.show(printer=silent, labels_advice=advise(Reason.LABELS_LOST))
    await expect(page.locator("#troubles p")).to_have_count(
        1 if page.viewport_size == {"width": 1024, "height": 600} else 2
    )


STATES: dict[str, Arrange] = {
    arrange.__name__.replace("_", "-"): arrange
    for arrange in (label_unknown, label_asked, scanner_needs_a_cure, printer_silent)
}
STATES |= {
    "label-queued": _label_in(PrintState.QUEUED),
    "label-sending": _label_in(PrintState.SENDING),
    "label-no-proof": _label_in(PrintState.SENT, Reason.PRINT_NO_PROOF),
    "label-second-copy": _label_in(PrintState.SENT, Reason.PRINT_NO_PROOF, copy=2),
    "label-confirmed": _label_in(PrintState.CONFIRMED),
    "label-scanned-back": _label_in(PrintState.CONFIRMED, Reason.PRINT_SCANNED_BACK),
    "label-not-begun": _label_in(PrintState.FAILED, Reason.PRINT_NOT_BEGUN, copy=2),
}


@each_size
@each_language
@pytest.mark.parametrize("name", STATES)
async def test_each_state_is_shown_whole(
    browser: Browser, name: str, language: str, size: Size
) -> None:
    """As in ``test_counter_screens``."""
    await check_screen(browser, name, language, size, STATES[name])


@each_size
@each_language
async def test_each_condition_of_the_printer_is_shown_whole(
    browser: Browser, language: str, size: Size
) -> None:
    """One after another on one page, as they come and go at a counter."""
    box = ShownBox()
    async with serving(box) as address, open_context(browser, size, language) as context:
        page = await open_page(context, address, language)
        for condition in PrinterCondition:
            await _show_condition(box, page, condition)
            await keep_screen(page, f"counter-printer-{condition}", language)
            assert await list_spilt(page) == []
