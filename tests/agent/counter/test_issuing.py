"""Issuing at a counter: what is asked, kept and printed, and what a clerk hears when it fails."""

import asyncio

import pytest

from agent.counter.form import IssueRequest, parse_request
from agent.counter.printing import ReprintReason
from agent.counter.views import IssueView
from agent.ports import PrintOutcome
from shared.clock import to_microseconds
from shared.devices import PrinterCondition, PrintState
from shared.errors import Malformed, Unavailable
from shared.messages import (
    PrintRecord,
    RefusalReply,
    RegisterAsk,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
)
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import IDENTITY, STATIC_TEXT
from tests.fakes import NOON

REQUEST = parse_request(document_type="01", number="11010020171225006x", name=" 电子健康卡 ")


def begin(desk: Desk, request: IssueRequest = REQUEST) -> asyncio.Task[IssueView]:
    return asyncio.create_task(desk.issuing.issue(request))


async def issue(desk: Desk, *, found: bool = False) -> IssueView:
    task = begin(desk)
    ask = await desk.uplink.asked(len(desk.uplink.asks) + 1)
    desk.uplink.answer(
        RegisterReply(
            id=ask.id,
            central_at=to_microseconds(NOON),
            found=found,
            code=STATIC_TEXT,
            identity=IDENTITY,
        )
    )
    return await task


async def test_a_new_resident_is_registered_kept_and_printed() -> None:
    """One id for question and record; the label carries what central gave."""
    desk = Desk()
    view = await issue(desk)
    (ask,) = desk.uplink.asks
    assert isinstance(ask, RegisterAsk)
    assert (ask.document_number, ask.name) == ("11010020171225006X", "电子健康卡")
    registration, sending, sent = desk.records
    assert desk.outbox.drafts[0].id.bytes == ask.id
    assert isinstance(registration, RegistrationRecord)
    assert registration.outcome is RegistrationOutcome.NEW
    assert isinstance(sending, PrintRecord)
    assert isinstance(sent, PrintRecord)
    assert [sending.state, sent.state] == [PrintState.SENDING, PrintState.SENT]
    assert sending.label == sent.label
    (label,) = desk.printer.labels
    assert (label.code, label.name, label.record_number) == (STATIC_TEXT, "电***卡", "M00000001")
    assert view.label is not None
    assert view.label.state is PrintState.SENT
    assert view.identity == IDENTITY


async def test_every_record_of_an_issue_carries_who_began_it() -> None:
    """Also when another has signed in, or nobody is, before central answers and it prints."""
    working = ["u7"]
    desk = Desk(working=working)
    task = begin(desk)
    ask = await desk.uplink.asked(1)
    working[0] = "u8"
    desk.uplink.answer(
        RegisterReply(
            id=ask.id,
            central_at=to_microseconds(NOON),
            found=False,
            code=STATIC_TEXT,
            identity=IDENTITY,
        )
    )
    view = await task
    assert [record.origin.operator for record in desk.records] == ["u7"] * 3
    assert view.label is not None
    desk.outbox.gate.clear()
    again = asyncio.create_task(desk.printing.reprint(view.label.id, ReprintReason.TORN))
    await asyncio.sleep(0)
    working[0] = ""
    desk.outbox.gate.set()
    await again
    assert [record.origin.operator for record in desk.records[3:]] == ["u8"] * 2


async def test_a_known_resident_is_found() -> None:
    """The clerk sees that it is not a new file."""
    assert (await issue(Desk(), found=True)).outcome is RegistrationOutcome.FOUND


async def test_without_a_line_issuing_is_not_available() -> None:
    """Nothing was sent, so nothing is recorded; the words say what to do."""
    desk = Desk()
    desk.uplink.up = False
    with pytest.raises(Unavailable) as caught:
        await desk.issuing.issue(REQUEST)
    assert caught.value.reason is Reason.ISSUE_NEEDS_CENTRAL
    assert caught.value.reason.words.next_zh
    assert desk.records == []


async def test_an_unanswered_registration_is_recorded_and_not_printed() -> None:
    """Central may have registered: the record says so, and asking again finds the person."""
    desk = Desk()
    task = begin(desk)
    desk.uplink.stay_silent(await desk.uplink.asked(1))
    view = await task
    assert view.outcome is RegistrationOutcome.UNANSWERED
    assert view.advice is not None
    (record,) = desk.records
    assert isinstance(record, RegistrationRecord)
    assert record.reason is Reason.NO_ANSWER
    assert desk.printer.labels == []


async def test_a_refused_registration_says_why() -> None:
    """Central's reason reaches the clerk and the record."""
    desk = Desk()
    task = begin(desk)
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(
        RefusalReply(id=ask.id, central_at=to_microseconds(NOON), reason=Reason.PERSON_MISMATCH)
    )
    view = await task
    assert view.outcome is RegistrationOutcome.REFUSED
    assert view.advice is not None
    assert view.advice.reason is Reason.PERSON_MISMATCH
    assert desk.printer.labels == []


async def test_nothing_is_printed_when_the_record_can_not_be_kept() -> None:
    """Durable first: a label without a record would be a code nobody gave out."""
    desk = Desk()
    desk.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    with pytest.raises(Unavailable):
        await issue(desk)
    assert desk.printer.labels == []


@pytest.mark.parametrize(("room", "state"), [(1, PrintState.FAILED), (2, PrintState.SENT)])
async def test_a_disk_that_fills_up_while_printing_is_told_with_the_labels_state(
    room: int, state: PrintState
) -> None:
    """Before SENDING is durable no byte leaves; a label that is out is never told as failed, or
    the clerk would print another."""
    desk = Desk()
    desk.outbox.room = room
    view = await issue(desk)
    assert (view.outcome, view.identity) == (RegistrationOutcome.NEW, IDENTITY)
    assert view.label is not None
    assert view.label.state is state
    assert view.label.advice is not None
    assert view.label.advice.reason is Reason.STORE_UNAVAILABLE
    assert len(desk.printer.labels) == (state is PrintState.SENT)


async def test_a_printer_without_paper_fails_the_label_not_the_registration() -> None:
    """The person is registered; the label's state and cause are shown and recorded."""
    desk = Desk()
    no_paper = frozenset({PrinterCondition.NO_PAPER})
    desk.printer.outcome = PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION, no_paper)
    view = await issue(desk)
    assert view.outcome is RegistrationOutcome.NEW
    assert view.label is not None
    assert view.label.conditions == ("no-paper",)
    record = desk.records[-1]
    assert isinstance(record, PrintRecord)
    assert (record.state, record.conditions) == (PrintState.FAILED, ("no-paper",))


async def test_a_name_the_font_can_not_draw_is_failed_by_reason() -> None:
    """Refused before any byte left: FAILED, never blank."""
    desk = Desk()
    desk.printer.outcome = Malformed(Reason.GLYPH_MISSING)
    view = await issue(desk)
    assert view.label is not None
    assert view.label.state is PrintState.FAILED
    assert view.label.advice is not None
    assert view.label.advice.reason is Reason.GLYPH_MISSING


def test_a_request_hides_the_person_when_it_is_shown() -> None:
    """In a traceback or a log: no name, number or phone."""
    request = IssueRequest(REQUEST.document, "电子健康卡", "2", "13800000000")
    for personal in ("电子健康卡", "11010020171225006X", "13800000000"):
        assert personal not in repr(request)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"number": "110100201712250061"}, Reason.DOCUMENT_CHECK_CHARACTER),
        ({"document_type": "77"}, Reason.DOCUMENT_TYPE_UNKNOWN),
        ({"name": "   "}, Reason.NAME_EMPTY),
        ({"name": "张" * 41}, Reason.NAME_TOO_LONG),
        ({"sex": "3"}, Reason.REQUEST_MALFORMED),
    ],
)
def test_a_form_is_checked_before_anything_is_asked(form: dict[str, str], reason: Reason) -> None:
    """Bad input is refused at the counter with its reason."""
    whole = {"document_type": "01", "number": "11010020171225006X", "name": "电子健康卡"}
    with pytest.raises(Malformed) as caught:
        parse_request(**(whole | form))
    assert caught.value.reason is reason
