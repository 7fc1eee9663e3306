"""Scanning at a counter, seen from outside: what is shown, what is kept, in which order."""

import asyncio
from datetime import datetime

import pytest

from agent.counter.states import SCAN_STEPS, ScanEvent, ScanState
from shared.clock import to_microseconds
from shared.errors import Damaged, OneCodeError, Unavailable
from shared.ids import RecordId
from shared.messages import (
    CodeClass,
    DecidedBy,
    LateAnswerRecord,
    RefusalReply,
    ScanRecord,
    Verdict,
)
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import (
    DOMAIN_KEY,
    IDENTITY,
    STATIC_TEXT,
    accepted,
    other_static_text,
    refused,
    signed_dynamic_text,
)
from tests.fakes import NOON, seconds


async def test_a_verdict_is_shown_only_after_its_record_is_durable() -> None:
    """Rule 1: no OK before the commit."""
    desk = Desk()
    desk.outbox.gate.clear()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(accepted(ask.id, NOON))
    await asyncio.wait([scan], timeout=0)
    while desk.states[-1] is not ScanState.DECIDED:
        await asyncio.wait([scan], timeout=0)
    assert desk.display.main is not None
    assert desk.display.main.verdict is None
    desk.outbox.gate.set()
    view = await scan
    assert view.verdict is Verdict.ACCEPTED
    assert view.identity == IDENTITY
    assert desk.display.main == view
    assert desk.states == [
        ScanState.FRAMED,
        ScanState.ASKED,
        ScanState.DECIDED,
        ScanState.COMMITTED,
        ScanState.SHOWN,
    ]


def test_shown_is_reached_through_committed_only() -> None:
    """The table itself keeps the rule."""
    before_shown = [state for (state, _), to in SCAN_STEPS.items() if to is ScanState.SHOWN]
    assert before_shown == [ScanState.COMMITTED]
    assert SCAN_STEPS[ScanState.DECIDED, ScanEvent.STORED] is ScanState.COMMITTED


async def test_question_and_record_have_one_id() -> None:
    """Rule 3: minted once, the same online and offline."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.stay_silent(ask)
    view = await scan
    (draft,) = desk.outbox.drafts
    assert draft.id.bytes == ask.id
    assert draft.born_at == NOON
    assert view.id == draft.id.hex
    assert isinstance(draft.record, ScanRecord)
    assert draft.record.asked
    assert draft.record.decided_by is DecidedBy.BOX


async def test_without_a_line_a_card_answered_before_is_known() -> None:
    """The offline verdict comes from this box's own recent answers."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    desk.uplink.answer(accepted((await desk.uplink.asked(1)).id, NOON))
    await scan
    desk.uplink.up = False
    desk.clock.advance(seconds(60))
    view = await desk.scan(STATIC_TEXT)
    assert (view.verdict, view.identity) == (Verdict.PROVISIONAL, IDENTITY)
    assert view.advice is not None
    assert view.advice.reason is Reason.OFFLINE_KNOWN
    record = desk.records[-1]
    assert isinstance(record, ScanRecord)
    assert not record.asked


async def test_a_suspended_card_stays_refused_without_a_line() -> None:
    """What central refused for the card's sake is remembered too."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(refused(ask.id, NOON, Reason.CARD_SUSPENDED))
    await scan
    desk.uplink.up = False
    desk.clock.advance(seconds(60))
    view = await desk.scan(STATIC_TEXT)
    assert view.verdict is Verdict.REFUSED
    assert view.advice is not None
    assert view.advice.reason is Reason.CARD_SUSPENDED


async def test_reversed_answers_leave_the_latest_scan_in_the_main_place() -> None:
    """A late answer to an earlier scan never replaces the main answer."""
    desk = Desk()
    one = desk.begin(other_static_text(1))
    first = await desk.uplink.asked(1)
    two = desk.begin(other_static_text(2))
    second = await desk.uplink.asked(2)
    desk.uplink.answer(refused(second.id, NOON, Reason.CODE_UNKNOWN))
    latest = await two
    desk.uplink.answer(accepted(first.id, NOON))
    earlier = await one
    assert desk.display.main == latest
    assert list(desk.display.recent) == [earlier, latest]


async def test_an_answer_after_its_deadline_is_a_later_state_of_its_scan() -> None:
    """It is recorded naming the first, amends its own view, and leaves a newer one alone."""
    desk = Desk()
    one = desk.begin(other_static_text(1))
    first = await desk.uplink.asked(1)
    desk.uplink.stay_silent(first)
    await one
    desk.uplink.up = False
    newer = await desk.scan(other_static_text(2))
    await desk.counter.take_late_reply(accepted(first.id, NOON))
    record = desk.records[-1]
    assert isinstance(record, LateAnswerRecord)
    assert (record.first, record.verdict) == (first.id, Verdict.ACCEPTED)
    assert desk.display.main == newer
    assert [view.verdict for view in desk.display.recent] == [
        Verdict.PROVISIONAL,
        Verdict.ACCEPTED,
    ]


async def test_an_answer_just_too_late_waits_for_its_scans_own_record() -> None:
    """It comes while the box judges alone: recorded after the scan, and the clerk sees it."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.cache.gate.clear()
    desk.uplink.stay_silent(ask)
    await asyncio.wait([scan], timeout=0)
    late_reply = refused(ask.id, NOON, Reason.CARD_CANCELLED)
    late = asyncio.create_task(desk.counter.take_late_reply(late_reply))
    await asyncio.wait([late], timeout=0)
    desk.cache.gate.set()
    await asyncio.gather(scan, late)
    assert [type(record) for record in desk.records] == [ScanRecord, LateAnswerRecord]
    assert desk.display.main is not None
    assert desk.display.main.verdict is Verdict.REFUSED


async def test_a_late_answer_makes_no_unsaved_scan_good() -> None:
    """The clerk heard that there is no record of it; that stays so."""
    desk = Desk()
    desk.outbox.room = 0
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.stay_silent(ask)
    unsaved = await scan
    desk.outbox.room = None
    await desk.counter.take_late_reply(accepted(ask.id, NOON))
    assert desk.display.main == unsaved
    assert list(desk.display.recent) == [unsaved]


async def test_an_answer_nobody_waits_for_is_nothing() -> None:
    """A late reply is taken once; a second, or a stranger's, leaves no record."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.stay_silent(ask)
    await scan
    await desk.counter.take_late_reply(accepted(ask.id, NOON))
    count = len(desk.records)
    await desk.counter.take_late_reply(accepted(ask.id, NOON))
    await desk.counter.take_late_reply(accepted(bytes(16), NOON))
    assert len(desk.records) == count


async def test_a_record_that_cannot_be_kept_is_never_shown_as_good() -> None:
    """Disk full: the clerk hears so, and the next read is judged afresh."""
    desk = Desk()
    desk.uplink.up = False
    desk.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    view = await desk.scan(STATIC_TEXT)
    assert (view.state, view.verdict) == (ScanState.UNSAVED, None)
    assert view.advice is not None
    assert view.advice.reason is Reason.STORE_UNAVAILABLE
    desk.outbox.fail_with = None
    view = await desk.scan(STATIC_TEXT)
    assert (view.state, view.again) == (ScanState.SHOWN, False)


@pytest.mark.parametrize(
    "error", [Unavailable(Reason.STORE_UNAVAILABLE), Damaged(Reason.STORE_DAMAGED)]
)
async def test_a_store_that_can_not_be_read_ends_no_scan_with_a_crash(
    error: OneCodeError,
) -> None:
    """Whether a dynamic code was used here is not known: nothing is asked, nobody hears OK."""
    desk = Desk()
    text = signed_dynamic_text(DOMAIN_KEY, NOON)
    desk.outbox.fail_finding_with = error
    view = await desk.scan(text)
    assert (view.state, view.verdict) == (ScanState.UNSAVED, None)
    assert view.advice is not None
    assert view.advice.reason is error.reason
    assert desk.uplink.asks == []
    desk.outbox.fail_finding_with = None
    desk.uplink.up = False
    assert (await desk.scan(text)).verdict is Verdict.PROVISIONAL


async def test_text_outside_our_grammars_is_handed_on_without_a_record() -> None:
    """A payment code takes no sequence and asks nothing."""
    desk = Desk()
    view = await desk.scan("134567890123456789")
    assert (view.state, view.verdict) == (ScanState.HANDED_ON, None)
    assert desk.records == []
    assert desk.uplink.asks == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A" * 3072, Reason.CODE_TOO_LONG),
        (b"\xff\xfe\x00", Reason.CODE_NOT_TEXT),
        (STATIC_TEXT.encode() + b"\x07", Reason.CODE_CONTROL_CHARACTER),
        (STATIC_TEXT.encode()[1:], Reason.CODE_ID_LENGTH),
        (STATIC_TEXT.lower().encode(), Reason.CODE_LOWER_CASE),
    ],
)
async def test_what_is_no_code_is_refused_with_its_reason_and_recorded(
    data: bytes, reason: Reason
) -> None:
    """Bad input loses nothing: a record with at most the first bytes as evidence."""
    desk = Desk()
    view = await desk.scan(data)
    assert view.verdict is Verdict.REFUSED
    assert view.advice is not None
    assert view.advice.reason is reason
    (record,) = desk.records
    assert isinstance(record, ScanRecord)
    assert record.code_class is CodeClass.MALFORMED
    assert len(record.code) <= 256
    assert desk.uplink.asks == []


@pytest.mark.parametrize("reason", [Reason.ASK_EXPIRED, Reason.NOT_ADMITTED])
async def test_a_refused_question_is_not_held_against_the_patient(reason: Reason) -> None:
    """Our clock is off, or this box is quarantined: the box judges alone instead of refusing."""
    desk = Desk()
    scan = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(RefusalReply(id=ask.id, central_at=to_microseconds(NOON), reason=reason))
    assert (await scan).verdict is Verdict.PROVISIONAL


async def test_two_hundred_scans_at_once_keep_their_own_answers() -> None:
    """No answer ever goes to another scan's record."""
    desk = Desk()
    scans = [desk.begin(other_static_text(number)) for number in range(1, 201)]
    await desk.uplink.asked(200)
    for ask in reversed(desk.uplink.asks):
        desk.uplink.answer(refused(ask.id, NOON, Reason.CODE_UNKNOWN))
    views = await asyncio.gather(*scans)
    by_id = {draft.id.hex: draft.record for draft in desk.outbox.drafts}
    assert len(by_id) == 200
    for number, view in enumerate(views, start=1):
        record = by_id[view.id]
        assert isinstance(record, ScanRecord)
        assert record.code == other_static_text(number)


async def test_an_invite_is_handed_to_nobody() -> None:
    """A technician who scans one at a box that has joined tells its secret to no workstation."""
    desk = Desk()
    given: list[str] = []

    class Neighbour:
        def hand_on(self, id: RecordId, at: datetime, text: str) -> int:
            given.append(text)
            return 1

    desk.counter._hand_over = Neighbour()
    assert (await desk.scan("ONECODE1-AAAAA-BBBBB")).handed_to == 0
    assert (await desk.scan("6901234567892")).handed_to == 1
    assert given == ["6901234567892"]
    assert not desk.records
