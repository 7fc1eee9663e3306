"""Issuing alone: a temporary code, kept before it is seen, the same for the same resident all day,
and what this box and others say of it while central does not answer."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.counter.form import parse_request
from agent.counter.policy import FixedPolicy
from agent.counter.views import IssueView, ScanView
from agent.listed import Listed
from agent.ports import CachedAnswer, PrintOutcome
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.desired import BoxKeyEntry
from shared.devices import PrinterCondition, PrintState
from shared.ehc import (
    TemporaryCode,
    build_code,
    parse_code,
    sign_temporary,
    temporary_serial,
    verify_temporary,
)
from shared.errors import Unavailable
from shared.ids import new_record_id
from shared.messages import (
    PrintRecord,
    RegisterReply,
    RegistrationOutcome,
    ScanReply,
    TemporaryRecord,
    Verdict,
)
from shared.reasons import Reason
from tests.agent.counter.desk import BOX_KEY, SITE_NAME, Desk
from tests.factories import IDENTITY, STATIC_TEXT
from tests.fakes import NOON

NUMBER = 7
REQUEST = parse_request(
    document_type="01", number="11010020171225006x", name=" 电子健康卡 ", phone="13800000000"
)
OTHER = parse_request(document_type="03", number="E1234567", name="Ana Maria", sex="2")


def make_desk(*, up: bool = False) -> Desk:
    """A desk whose box knows its number, and whose line is away."""
    desk = Desk(policy=FixedPolicy("window 3", SITE_NAME, number=NUMBER))
    desk.uplink.up = up
    return desk


def code_of(desk: Desk) -> TemporaryCode:
    """The code of the last record, which must be a temporary one."""
    record = next(r for r in reversed(desk.records) if isinstance(r, TemporaryRecord))
    code = parse_code(record.code)
    assert isinstance(code, TemporaryCode)
    return code


async def issue_unanswered(desk: Desk) -> IssueView:
    """The question leaves, and no answer comes."""
    task = asyncio.create_task(desk.issuing.issue(REQUEST))
    desk.uplink.stay_silent(await desk.uplink.asked(1))
    return await task


async def test_without_a_line_a_temporary_code_is_given() -> None:
    """Signed by the box, serial and record of one id; the label has its very text and says what
    it is; the clerk sees whom it is for, masked, and what to do."""
    desk = make_desk()
    view = await desk.issuing.issue(REQUEST)
    record, sending, sent = desk.records
    assert isinstance(record, TemporaryRecord)
    assert (record.document_number, record.name) == ("11010020171225006X", "电子健康卡")
    assert (record.sex, record.phone, record.asked) == ("2", "13800000000", False)
    code = code_of(desk)
    verify_temporary(STD.verify_key(BOX_KEY.public_bytes), code)
    assert (code.box_number, code.kid) == (NUMBER, 1)
    assert code.serial == temporary_serial(desk.outbox.drafts[0].id)
    (label,) = desk.printer.labels
    assert (label.code, label.name, label.temporary) == (record.code, "电***卡", True)
    assert label.record_number == ""
    assert isinstance(sending, PrintRecord)
    assert sending.registration == desk.outbox.drafts[0].id.bytes
    assert isinstance(sent, PrintRecord)
    assert view.outcome is RegistrationOutcome.TEMPORARY
    assert view.advice is not None
    assert view.advice.reason is Reason.TEMPORARY_GIVEN
    assert view.identity is not None
    assert (view.identity.name, view.identity.document) == ("电***卡", "110***********006X")
    assert (view.identity.birth_date, view.identity.patient_id) == ("2017-12-25", "")
    assert view.label is not None
    assert (view.label.state, view.label.temporary) == (PrintState.SENT, True)


async def test_an_unanswered_question_becomes_a_temporary_code_under_the_same_id() -> None:
    """Central may have registered: the one record names it, and no other record is made."""
    desk = make_desk(up=True)
    view = await issue_unanswered(desk)
    (ask,) = desk.uplink.asks
    record = desk.records[0]
    assert isinstance(record, TemporaryRecord)
    assert record.asked
    assert desk.outbox.drafts[0].id.bytes == ask.id
    assert view.id == ask.id.hex()
    assert view.outcome is RegistrationOutcome.TEMPORARY


async def test_the_record_is_durable_before_anything_is_shown_or_printed() -> None:
    """While the commit waits nothing has left; one that fails leaves nothing at all."""
    desk = make_desk()
    desk.outbox.gate.clear()
    task = asyncio.create_task(desk.issuing.issue(REQUEST))
    await asyncio.sleep(0)
    assert not task.done()
    assert desk.printer.labels == []
    assert desk.labels.kept == {}
    desk.outbox.gate.set()
    await task
    full = make_desk()
    full.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    with pytest.raises(Unavailable):
        await full.issuing.issue(REQUEST)
    assert full.printer.labels == []
    assert full.labels.kept == {}


@pytest.mark.parametrize("restart", [False, True])
async def test_the_same_resident_gets_the_same_code_that_day(restart: bool) -> None:
    """Also after a restart, and however the document was typed: no second record, no second label,
    but the words say so; another resident has another code, and tomorrow there is a new one."""
    desk = make_desk()
    first = await desk.issuing.issue(REQUEST)
    if restart:
        desk.restart()
        await desk.printing.recover()
    again = await desk.issuing.issue(REQUEST)
    assert (again.id, again.identity) == (first.id, first.identity)
    assert again.advice is not None
    assert again.advice.reason is Reason.TEMPORARY_GIVEN_BEFORE
    assert again.label is not None
    assert first.label is not None
    assert again.label.id == first.label.id
    assert len(desk.printer.labels) == 1
    await desk.issuing.issue(OTHER)
    assert len({label.code for label in desk.printer.labels}) == 2
    desk.clock.advance(timedelta(days=1))
    await desk.issuing.issue(REQUEST)
    codes = [r.code for r in desk.records if isinstance(r, TemporaryRecord)]
    assert len(codes) == len(set(codes)) == 3


async def test_two_windows_at_once_give_one_code() -> None:
    """A paired workstation and the box's own page send the same person together."""
    desk = make_desk()
    one, two = await asyncio.gather(desk.issuing.issue(REQUEST), desk.issuing.issue(REQUEST))
    assert one.id == two.id
    assert len(desk.printer.labels) == 1


async def test_a_label_that_failed_is_reprinted_with_the_same_code() -> None:
    """No paper: the code is given all the same, and its label comes by the reprint."""
    desk = make_desk()
    no_paper = frozenset({PrinterCondition.NO_PAPER})
    desk.printer.outcome = PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION, no_paper)
    view = await desk.issuing.issue(REQUEST)
    assert view.label is not None
    assert view.label.state is PrintState.FAILED
    again = await desk.issuing.issue(REQUEST)
    assert again.label is not None
    assert again.label.id == view.label.id


async def test_a_lease_can_forbid_it() -> None:
    """Without a line the lease's own reason is told; a question that went out is recorded as
    unanswered, as ever."""
    desk = make_desk()
    desk.lease.reason = Reason.LEASE_VERIFY_ONLY
    with pytest.raises(Unavailable) as caught:
        await desk.issuing.issue(REQUEST)
    assert caught.value.reason is Reason.LEASE_VERIFY_ONLY
    assert desk.records == []
    desk.uplink.up = True
    assert (await issue_unanswered(desk)).outcome is RegistrationOutcome.UNANSWERED


async def test_central_back_registers_and_the_real_label_is_printed() -> None:
    """The day's temporary code stands in nobody's way."""
    desk = make_desk()
    await desk.issuing.issue(REQUEST)
    desk.uplink.up = True
    task = asyncio.create_task(desk.issuing.issue(REQUEST))
    ask = await desk.uplink.asked(1)
    at = to_microseconds(NOON)
    desk.uplink.answer(
        RegisterReply(id=ask.id, central_at=at, found=True, code=STATIC_TEXT, identity=IDENTITY)
    )
    assert (await task).outcome is RegistrationOutcome.FOUND
    assert [label.temporary for label in desk.printer.labels] == [True, False]


# --- shown while central does not answer ---------------------------------------------------------


async def scan_alone(desk: Desk, text: str) -> ScanView:
    desk.uplink.up = False
    return await desk.scan(text)


def reason_of(view: ScanView) -> Reason | None:
    return view.advice.reason if view.advice else None


async def test_a_code_of_its_own_is_known_here() -> None:
    """PROVISIONAL, with the resident it was given to and what that allows."""
    desk = make_desk()
    await desk.issuing.issue(REQUEST)
    view = await scan_alone(desk, desk.printer.labels[0].code)
    assert (view.verdict, reason_of(view)) == (Verdict.PROVISIONAL, Reason.OFFLINE_TEMPORARY)
    assert view.identity is not None
    assert view.identity.name == "电***卡"
    assert view.allowed is not None
    assert view.allowed.go_on


async def test_a_code_of_another_box_is_provisional_and_a_forged_one_refused() -> None:
    """What another box signed cannot be checked here; what claims to be this box's can."""
    desk = make_desk()
    other, serial = STD.new_signing_key(), temporary_serial(new_record_id(NOON))
    theirs = build_code(sign_temporary(other, NUMBER + 1, 1, serial))
    former = build_code(sign_temporary(other, NUMBER, 2, serial))
    forged = build_code(sign_temporary(other, NUMBER, 1, serial))
    for text in (theirs, former):
        view = await scan_alone(desk, text)
        assert (view.verdict, reason_of(view)) == (
            Verdict.PROVISIONAL,
            Reason.OFFLINE_TEMPORARY_OTHER,
        )
    view = await scan_alone(desk, forged)
    assert (view.verdict, reason_of(view)) == (Verdict.REFUSED, Reason.CODE_FORGED)


async def test_a_code_of_the_sites_boxes_is_verified_by_what_central_told() -> None:
    """Window 2 has no line either: it knows the keys of its site's boxes, this box's former one
    too. Genuine is PROVISIONAL, forged is refused; nobody's name is known here."""
    key, former, stranger = (STD.new_signing_key() for _ in range(3))
    desk = make_desk()
    desk.policy = replace(
        desk.policy,
        boxes=(
            BoxKeyEntry(NUMBER, 9, former.public_bytes),
            BoxKeyEntry(NUMBER + 1, 1, key.public_bytes),
        ),
    )
    desk.restart()
    for signer, number, kid in ((key, NUMBER + 1, 1), (former, NUMBER, 9)):
        view = await scan_alone(desk, build_code(sign_temporary(signer, number, kid, 5)))
        assert (view.verdict, reason_of(view)) == (Verdict.PROVISIONAL, Reason.OFFLINE_TEMPORARY)
        assert view.identity is None
    view = await scan_alone(desk, build_code(sign_temporary(stranger, NUMBER + 1, 1, 5)))
    assert (view.verdict, reason_of(view)) == (Verdict.REFUSED, Reason.CODE_FORGED)


async def test_what_central_said_of_it_is_remembered() -> None:
    """Once resolved the person is known, offline too; a card that was stopped is refused."""
    desk = make_desk(up=True)
    text = build_code(sign_temporary(STD.new_signing_key(), NUMBER + 1, 1, 5))
    task = desk.begin(text)
    ask = await desk.uplink.asked(1)
    at = to_microseconds(NOON)
    desk.uplink.answer(
        ScanReply(
            id=ask.id, central_at=at, verdict=Verdict.ACCEPTED, reason=None, identity=IDENTITY
        )
    )
    assert (await task).verdict is Verdict.ACCEPTED
    desk.clock.advance(timedelta(minutes=1))
    view = await scan_alone(desk, text)
    assert (reason_of(view), view.identity) == (Reason.OFFLINE_KNOWN, IDENTITY)
    code = parse_code(text)
    assert isinstance(code, TemporaryCode)
    stopped = CachedAnswer(None, Reason.CARD_CANCELLED, NOON)
    await desk.cache.remember(desk.tokens.of_card(code), stopped)
    desk.clock.advance(timedelta(minutes=1))
    assert reason_of(await scan_alone(desk, text)) is Reason.CARD_CANCELLED


async def test_what_central_lists_of_it_is_believed() -> None:
    """Resolved while this box never saw it: known with the site's number; then stopped."""
    desk = make_desk()
    text = build_code(sign_temporary(STD.new_signing_key(), NUMBER + 1, 1, 5))
    desk.lists.listed[text] = Listed(identity=IDENTITY, identity_as_of=NOON)
    view = await scan_alone(desk, text)
    assert (reason_of(view), view.identity) == (Reason.OFFLINE_KNOWN, IDENTITY)
    desk.lists.listed[text] = Listed(revoked=Reason.CARD_SUSPENDED, revoked_as_of=NOON)
    desk.clock.advance(timedelta(minutes=1))
    assert reason_of(await scan_alone(desk, text)) is Reason.CARD_SUSPENDED


async def test_central_that_has_no_report_yet_says_so() -> None:
    """PROVISIONAL from central itself: genuine, the issuing box has not reported; the next step is
    in words, and the path goes on with the document."""
    desk = make_desk(up=True)
    task = desk.begin(build_code(sign_temporary(STD.new_signing_key(), NUMBER + 1, 1, 5)))
    ask = await desk.uplink.asked(1)
    reply = ScanReply(
        id=ask.id,
        central_at=to_microseconds(NOON),
        verdict=Verdict.PROVISIONAL,
        reason=Reason.CODE_TEMPORARY_UNKNOWN,
        identity=None,
    )
    desk.uplink.answer(reply)
    view = await task
    assert (view.verdict, reason_of(view)) == (Verdict.PROVISIONAL, Reason.CODE_TEMPORARY_UNKNOWN)
    assert view.allowed is not None
    assert view.allowed.go_on


async def test_a_box_without_a_number_gives_none() -> None:
    """Nobody could resolve it; it is told by central, and then it can."""
    desk = make_desk()
    desk.policy = replace(desk.policy, number=0)
    desk.restart()
    with pytest.raises(Unavailable) as caught:
        await desk.issuing.issue(REQUEST)
    assert caught.value.reason is Reason.ISSUE_NEEDS_CENTRAL
