"""Labels printed again: counted, with a reason, and never while nobody knows of the last one."""

import asyncio
from collections.abc import Callable

import pytest

from agent.counter.birth import Birth
from agent.counter.day_labels import MOST_KEPT
from agent.counter.print_edges import Edge
from agent.counter.printing import ReprintReason
from agent.counter.views import LabelView
from agent.ports import PrintOutcome
from shared.devices import PrintState
from shared.errors import Malformed, Refused, Unavailable
from shared.ids import new_record_id
from shared.messages import PrintRecord, RegisterReply
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import IDENTITY, STATIC_TEXT
from tests.fakes import NOON, seconds

UNKNOWN = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
REPLY = RegisterReply(id=bytes(16), central_at=0, found=False, code=STATIC_TEXT, identity=IDENTITY)


async def print_first(desk: Desk) -> LabelView:
    return await desk.printing.print_first(Birth(new_record_id(NOON), NOON, 0), REPLY)


async def until(true: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; fakes need no more."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - a condition of several parts, none of them an event
            await asyncio.sleep(0)


def prints(desk: Desk) -> list[PrintRecord]:
    return [record for record in desk.records if isinstance(record, PrintRecord)]


async def test_a_reprint_is_another_copy_with_its_reason() -> None:
    """A label of its own under the same registration; the first one's id still finds it."""
    desk = Desk()
    first = await print_first(desk)
    second = await desk.printing.reprint(first.id, ReprintReason.TORN)
    third = await desk.printing.reprint(first.id, ReprintReason.OTHER, " 被水  泡了 ")
    assert [first.copy, second.copy, third.copy] == [1, 2, 3]
    assert len({first.id, second.id, third.id}) == 3
    last = prints(desk)[-1]
    assert (last.state, last.copy, last.reprint_reason) == (PrintState.SENT, 3, "other: 被水 泡了")
    assert len({record.registration for record in prints(desk)}) == 1
    assert [label.copy for label in desk.printer.labels] == [1, 2, 3]
    assert [view.id for view in desk.printing.recent()] == [third.id]


async def test_a_label_that_never_left_is_no_copy() -> None:
    """FAILED: not a byte is with the printer, so the next one is still the first."""
    desk = Desk()
    desk.printer.outcome = PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION)
    first = await print_first(desk)
    desk.printer.outcome = PrintOutcome(PrintState.SENT)
    assert (await desk.printing.reprint(first.id, ReprintReason.PRINTER_FAULT)).copy == 1


async def test_an_unknown_outcome_is_answered_before_another_copy() -> None:
    """Two stickers for one person are worse than a look at the printer."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    first = await print_first(desk)
    assert first.needs_answer
    with pytest.raises(Refused) as caught:
        await desk.printing.reprint(first.id, ReprintReason.TORN)
    assert caught.value.reason is Reason.PRINT_ANSWER_NEEDED
    answered = await desk.printing.answer(first.id, out=True)
    assert (answered.state, answered.needs_answer) == (PrintState.CONFIRMED, False)
    assert prints(desk)[-1].state is PrintState.CONFIRMED
    desk.printer.outcome = PrintOutcome(PrintState.SENT)
    assert (await desk.printing.reprint(first.id, ReprintReason.TORN)).copy == 2


async def test_not_out_answers_and_prints_at_once() -> None:
    """One act for the clerk, two records: what was seen, and the new label."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    first = await print_first(desk)
    desk.printer.outcome = PrintOutcome(PrintState.SENT)
    second = await desk.printing.reprint(first.id, ReprintReason.NOT_OUT)
    assert (second.state, second.reprint_reason) == (PrintState.SENT, "not-out")
    states = [(record.state, record.reason) for record in prints(desk)]
    assert states[2:] == [
        (PrintState.UNKNOWN, Reason.PRINT_NOT_SEEN),
        (PrintState.SENDING, None),
        (PrintState.SENT, None),
    ]


async def test_two_pages_that_say_not_out_print_one_copy() -> None:
    """The second is of the label before: what was seen of one says nothing of the next."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    first = await print_first(desk)
    desk.printer.outcome = PrintOutcome(PrintState.SENT)
    said = await asyncio.gather(
        *(desk.printing.reprint(first.id, ReprintReason.NOT_OUT) for _ in range(2)),
        return_exceptions=True,
    )
    assert [isinstance(each, Refused) for each in said] == [False, True]
    assert [label.copy for label in desk.printer.labels] == [1, 2]


async def test_an_answer_that_cannot_be_kept_is_none() -> None:
    """The question stays."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    first = await print_first(desk)
    desk.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    with pytest.raises(Unavailable):
        await desk.printing.answer(first.id, out=False)
    assert desk.printing.recent()[0].needs_answer


async def test_what_is_known_is_not_asked() -> None:
    """Failed or confirmed: there is nothing to look for."""
    desk = Desk()
    first = await print_first(desk)
    await desk.printing.answer(first.id, out=True)
    with pytest.raises(Refused) as caught:
        await desk.printing.answer(first.id, out=False)
    assert caught.value.reason is Reason.STATE_STEP


@pytest.mark.parametrize(
    ("reason", "text"), [(ReprintReason.OTHER, " "), (ReprintReason.TORN, "很" * 41)]
)
async def test_a_reason_is_short_and_other_says_which(reason: ReprintReason, text: str) -> None:
    """Refused before anything is printed."""
    desk = Desk()
    first = await print_first(desk)
    with pytest.raises(Malformed):
        await desk.printing.reprint(first.id, reason, text)
    assert len(desk.printer.labels) == 1


async def test_labels_are_held_for_the_day_and_for_two_hundred_persons() -> None:
    """Names and codes stay no longer than somebody may come back for them, nor on the disk."""
    desk = Desk()
    ids = [(await print_first(desk)).id for _ in range(MOST_KEPT + 1)]
    assert len(desk.printing.recent()) == len(desk.labels.kept) == MOST_KEPT
    with pytest.raises(Refused) as caught:
        await desk.printing.reprint(ids[0], ReprintReason.LOST)
    assert caught.value.reason is Reason.NOT_FOUND
    desk.clock.advance(seconds(86_400))
    assert desk.printing.recent() == []
    assert desk.labels.kept == {}


async def test_a_labels_states_are_told_as_they_come() -> None:
    """The form shows "sending" while the printer works, "sent" while its proof is awaited, and
    each is on the disk by then; SENT alone is no record, for what follows is one."""
    desk = Desk()
    told: list[PrintState] = []
    on_disk: list[PrintState] = []

    def listen(view: LabelView) -> None:
        told.append(view.state)
        on_disk.extend(kept.outcome.state for kept in desk.labels.kept.values())

    desk.printing.changes.subscribe(listen)
    desk.printer.outcome = PrintOutcome(PrintState.CONFIRMED)
    await print_first(desk)
    assert told == [PrintState.SENDING, PrintState.SENT, PrintState.CONFIRMED]
    assert on_disk == [PrintState.SENT, PrintState.CONFIRMED]
    states = [record.state for record in prints(desk)]
    assert states == [PrintState.SENDING, PrintState.CONFIRMED]


async def test_the_journal_comes_first_then_the_queue_then_the_printer() -> None:
    """At the moment the printer is asked, both have SENDING: a crash from here on is asked."""
    desk = Desk()
    desk.printer.taking.clear()
    edges: list[Edge] = []
    desk.edges = edges.append
    desk.restart()
    printing = asyncio.create_task(print_first(desk))
    await until(lambda: Edge.RECORDED in edges)
    assert [kept.outcome.state for kept in desk.labels.kept.values()] == [PrintState.SENDING]
    assert [record.state for record in prints(desk)] == [PrintState.SENDING]
    assert desk.printer.labels == []
    desk.printer.taking.set()
    await printing
    assert edges == list(Edge)


async def test_a_second_label_is_queued_while_the_first_is_with_the_printer() -> None:
    """One writer; who waits is shown as waiting, and is on the disk."""
    desk = Desk()
    desk.printer.proving.clear()
    told: list[tuple[str, PrintState]] = []
    desk.printing.changes.subscribe(lambda view: told.append((view.id, view.state)))
    first = asyncio.create_task(print_first(desk))
    await until(lambda: any(state is PrintState.SENT for _, state in told))
    second = asyncio.create_task(print_first(desk))
    await until(lambda: told[-1][1] is PrintState.QUEUED)
    assert len(desk.printer.labels) == 1
    assert {kept.outcome.state for kept in desk.labels.kept.values()} == {
        PrintState.SENT,
        PrintState.QUEUED,
    }
    desk.printer.proving.set()
    await asyncio.gather(first, second)
    assert [label.id.hex for label in desk.printer.labels] == [
        (await first).id,
        (await second).id,
    ]


async def test_a_journal_that_is_lost_stops_no_label() -> None:
    """It is said, and the records are in the queue all the same."""
    desk = Desk()
    desk.labels.lost = True
    view = await print_first(desk)
    assert view.state is PrintState.SENT
    assert [record.state for record in prints(desk)] == [PrintState.SENDING, PrintState.SENT]
    assert desk.printing.trouble is Reason.LABELS_LOST
