"""Every state of the counter page, in both languages and sizes: kept as a picture, and held
against what must be true of each.
"""

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from agent.api.views import AccountView, DeviceView, ListsView, UnsentView
from agent.counter.states import ScanState
from agent.counter.views import IssueView, OperatorView, advise
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.messages import CodeClass, DecidedBy, RegistrationOutcome, Verdict
from shared.reasons import Reason
from tests.browser.chromium import Size
from tests.browser.counter_steps import (
    Arrange,
    check_screen,
    each_language,
    each_size,
    issue,
    issued_new,
    send,
)
from tests.browser.shown_box import (
    PERSON,
    ShownBox,
    label,
    scan,
    since,
)

UNNUMBERED = msgspec.structs.replace(PERSON, patient_id="", record_numbers=())
"""Whom central does not know yet."""


async def _scanned(page: Page, face: str) -> None:
    await expect(page.locator(f"#verdict[data-face='{face}']")).to_be_visible()


async def waiting(_: ShownBox, page: Page) -> None:
    await _scanned(page, "waiting")


async def judging(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(None, None, None, state=ScanState.ASKED))
    await _scanned(page, "judging")


async def accepted(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
    await _scanned(page, "accepted")


async def provisional(box: ShownBox, page: Page) -> None:
    box.show(link=since("backing-off", 252), unsent=UnsentView(17, 250))
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, PERSON))
    await _scanned(page, "provisional")


async def unknown_person(box: ShownBox, page: Page) -> None:
    box.show(link=since("backing-off", 252), unsent=UnsentView(17, 250))
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_UNKNOWN))
    await _scanned(page, "provisional")


async def same_name(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(Verdict.ACCEPTED, None, PERSON, same_name=True))
    await expect(page.locator(".same-name")).to_be_visible()


async def refused(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED))
    await _scanned(page, "refused")
    await expect(page.locator(".acknowledge")).to_be_visible()


async def refused_and_newer(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(Verdict.REFUSED, Reason.CARD_SUSPENDED, PERSON, 30))
    box.show_scan(scan(Verdict.REFUSED, Reason.CODE_EXPIRED, None, 20))
    box.show_scan(scan(Verdict.ACCEPTED, None, PERSON))
    await _scanned(page, "accepted")
    await expect(page.locator("#refusal")).to_be_visible()


async def again(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(Verdict.ACCEPTED, None, PERSON, again=True))
    await expect(page.locator("#verdict .again")).to_be_visible()


async def handed_on(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(None, state=ScanState.HANDED_ON, code_class=None, handed_to=1))
    await _scanned(page, "handed-on")


async def handed_to_nobody(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(None, None, None, state=ScanState.HANDED_ON, code_class=None))
    await _scanned(page, "handed-on")


async def half_a_frame(box: ShownBox, page: Page) -> None:
    malformed = scan(
        Verdict.REFUSED,
        Reason.FRAME_CUT,
        code_class=CodeClass.MALFORMED,
        decided_by=DecidedBy.BOX,
    )
    box.show_scan(malformed)
    await _scanned(page, "refused")


async def unsaved(box: ShownBox, page: Page) -> None:
    box.show_scan(scan(None, Reason.STORE_UNAVAILABLE, None, state=ScanState.UNSAVED))
    await _scanned(page, "unsaved")


async def records_lost(box: ShownBox, page: Page) -> None:
    lost = ("1/118–131", "1/140–140", "1/152–", "2/9–12", "2/14–")
    box.show(unsent=UnsentView(17, 250, advice=advise(Reason.ROWS_LOST), lost=lost))
    await expect(page.locator("#troubles p").first).to_be_visible()


async def devices_gone(box: ShownBox, page: Page) -> None:
    box.show(
        link=since("backing-off", 7300),
        unsent=UnsentView(412, 7250),
        scanner=DeviceView(
            "Newland NLS-FR20", DeviceState.ABSENT, (), advise(Reason.DEVICE_ABSENT)
        ),
        printer=DeviceView(
            "Zebra ZD421",
            DeviceState.FAULTY,
            (PrinterCondition.HEAD_OPEN, PrinterCondition.NO_PAPER),
        ),
    )
    await expect(page.locator("#troubles p").first).to_be_visible()


async def drill(box: ShownBox, page: Page) -> None:
    box.show(drill=True)
    await expect(page.locator("#troubles p").first).to_be_visible()


async def account_broken(box: ShownBox, page: Page) -> None:
    box.show(account=AccountView(128, 120, 3, 0, False, "128 ≠ 123"))
    await expect(page.locator("#troubles p").first).to_be_visible()


async def crowded(box: ShownBox, page: Page) -> None:
    """Everything at once: the glance must still fit."""
    await devices_gone(box, page)
    box.show_scan(scan(Verdict.REFUSED, Reason.CODE_FUTURE, None, 30))
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, PERSON, same_name=True))
    await expect(page.locator(".same-name")).to_be_visible()
    await page.keyboard.press("F2")
    await expect(page.locator("#refusal")).to_be_visible()


async def muted(_: ShownBox, page: Page) -> None:
    await page.keyboard.press("F7")
    await expect(page.locator("[data-cell='sound'][data-level='bad']")).to_be_visible()


async def pin(box: ShownBox, page: Page) -> None:
    box.show_operator(OperatorView(required=True, asked_for_pin="李静"))
    await expect(page.locator("#pin")).to_be_focused()


async def pin_wrong(box: ShownBox, page: Page) -> None:
    await pin(box, page)
    wrong = advise(Reason.PIN_WRONG)
    box.show_operator(OperatorView(required=True, asked_for_pin="李静", advice=wrong))
    await expect(page.locator("#pin-said b, #pin-said span").first).to_be_visible()


async def pin_locked(box: ShownBox, page: Page) -> None:
    await pin(box, page)
    locked = advise(Reason.SIGN_IN_LOCKED)
    box.show_operator(
        OperatorView(required=True, asked_for_pin="李静", advice=locked, locked_seconds=30)
    )
    await expect(page.locator("#pin")).to_be_disabled()


async def named_sign_in(_: ShownBox, page: Page) -> None:
    await page.keyboard.press("F10")
    await expect(page.locator("#who")).to_be_focused()


async def signed_in(box: ShownBox, page: Page) -> None:
    box.show_operator(OperatorView(required=True, id="op-7", name="李静", role="clerk"))
    await expect(page.locator("[data-cell='operator'][data-level='good']")).to_be_visible()


async def unknown_badge(box: ShownBox, page: Page) -> None:
    box.show_operator(OperatorView(required=True, advice=advise(Reason.BADGE_UNKNOWN)))
    await expect(page.locator("#troubles p").first).to_be_visible()


async def issue_needs_operator(box: ShownBox, page: Page) -> None:
    box.show_operator(OperatorView(required=True))
    await issue(box, page)
    await expect(page.locator(".problem")).to_be_visible()


async def issue_findings(box: ShownBox, page: Page) -> None:
    await issue(box, page)
    await page.keyboard.type("110100201712250061")
    await expect(page.locator("#number-said b")).to_be_visible()


async def issued_found(box: ShownBox, page: Page) -> None:
    told = label(PrintState.FAILED, Reason.PRINT_CONDITION)
    box.issued = IssueView("1", RegistrationOutcome.FOUND, PERSON, told)
    await issued_new(box, page)


async def _issued_temporary(box: ShownBox, page: Page, reason: Reason) -> None:
    box.show(link=since("backing-off", 252), unsent=UnsentView(17, 250))
    told = label(PrintState.CONFIRMED, record_number="", temporary=True)
    why = advise(reason)
    box.issued = IssueView("1", RegistrationOutcome.TEMPORARY, UNNUMBERED, told, why)
    await issued_new(box, page)


async def issued_temporary(box: ShownBox, page: Page) -> None:
    await _issued_temporary(box, page, Reason.TEMPORARY_GIVEN)


async def issued_temporary_before(box: ShownBox, page: Page) -> None:
    await _issued_temporary(box, page, Reason.TEMPORARY_GIVEN_BEFORE)


async def lists_old(box: ShownBox, page: Page) -> None:
    old = ListsView(26 * 3600, 37, 4215, advise(Reason.LIST_OLD))
    box.show(link=since("backing-off", 26 * 3600), unsent=UnsentView(170, 93_000), lists=old)
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, PERSON))
    await _scanned(page, "provisional")
    await expect(page.locator("#status [data-cell='lists']")).to_have_attribute(
        "data-level", "care"
    )


async def lists_missing(box: ShownBox, page: Page) -> None:
    missing = ListsView(advice=advise(Reason.LIST_MISSING))
    box.show(link=since("backing-off", 252), unsent=UnsentView(17, 250), lists=missing)
    box.show_scan(scan(Verdict.PROVISIONAL, Reason.CODE_KEY_UNKNOWN))
    await _scanned(page, "provisional")


async def temporary_here(box: ShownBox, page: Page) -> None:
    box.show(link=since("backing-off", 252), unsent=UnsentView(17, 250))
    own = scan(
        Verdict.PROVISIONAL,
        Reason.OFFLINE_TEMPORARY,
        UNNUMBERED,
        code_class=CodeClass.TEMPORARY,
    )
    box.show_scan(own)
    await _scanned(page, "provisional")


async def temporary_not_reported(box: ShownBox, page: Page) -> None:
    unknown = scan(
        Verdict.PROVISIONAL,
        Reason.CODE_TEMPORARY_UNKNOWN,
        code_class=CodeClass.TEMPORARY,
        decided_by=DecidedBy.CENTRAL,
    )
    box.show_scan(unknown)
    await _scanned(page, "provisional")


async def issue_refused(box: ShownBox, page: Page) -> None:
    why = advise(Reason.PERSON_MISMATCH)
    box.issued = IssueView("1", RegistrationOutcome.REFUSED, advice=why)
    await issue(box, page)
    await send(page)
    await expect(page.locator(".problem")).to_be_visible()


async def reprint(box: ShownBox, page: Page) -> None:
    box.show(labels=(label(PrintState.CONFIRMED), label(PrintState.SENT, id="2", name="买**·**逊")))
    await page.keyboard.press("F4")
    await expect(page.locator("#reprint-reason")).to_be_focused()
    await page.locator("#reprint-reason").select_option("other")


async def reprint_none(_: ShownBox, page: Page) -> None:
    await page.keyboard.press("F4")
    await expect(page.locator("#side .none").first).to_be_visible()


async def pairing(_: ShownBox, page: Page) -> None:
    paired = [{"id": "w1", "name": "收费处 2 号电脑"}, {"id": "w2", "name": "Pharmacy 1"}]
    offer = {
        "code": "7M4K-92QX",
        "address": "https://192.0.2.17:8701/",
        "fingerprint": "3F:9A:11:C0:5E:77:02:4B:D8:6A:90:1C:EE:45:B3:28",
        "expires_in_seconds": 300,
    }
    await page.route("**/api/v1/workstations", lambda route: route.fulfill(json=paired))
    await page.route("**/api/v1/pairing", lambda route: route.fulfill(json=offer))
    await page.reload()
    await expect(page.locator("#keys")).to_contain_text("F9")
    await page.keyboard.press("F9")
    await page.keyboard.press("Enter")
    await expect(page.locator(".pairing-code .digits")).to_be_visible()


STATES: dict[str, Arrange] = {
    arrange.__name__.replace("_", "-"): arrange
    for arrange in (
        waiting,
        judging,
        accepted,
        provisional,
        unknown_person,
        same_name,
        refused,
        refused_and_newer,
        again,
        handed_on,
        handed_to_nobody,
        half_a_frame,
        unsaved,
        devices_gone,
        records_lost,
        account_broken,
        drill,
        crowded,
        muted,
        pin,
        pin_wrong,
        pin_locked,
        named_sign_in,
        signed_in,
        unknown_badge,
        issue,
        issue_needs_operator,
        issue_findings,
        issued_new,
        issued_found,
        lists_old,
        lists_missing,
        issued_temporary,
        issued_temporary_before,
        temporary_here,
        temporary_not_reported,
        issue_refused,
        reprint,
        reprint_none,
        pairing,
    )
}


@each_size
@each_language
@pytest.mark.parametrize("name", STATES)
async def test_each_state_is_shown_whole(
    browser: Browser, name: str, language: str, size: Size
) -> None:
    """Nothing cut off, untranslated, missing, or serious by axe; the glance never scrolls."""
    await check_screen(browser, name, language, size, STATES[name])
