"""A restart in the middle of a label: nothing is resent, nothing is claimed, and a person is asked
only where bytes may have left.
"""

import asyncio

import pytest

from agent.counter.print_edges import Edge
from agent.counter.printing import ReprintReason
from agent.ports import PrintOutcome
from shared.devices import PrintState
from shared.errors import Refused, Unavailable
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.agent.counter.test_printing import print_first, prints, until
from tests.fakes import seconds


async def stop_at(desk: Desk, edge: Edge) -> None:
    """Begin a label and lose the process at an edge: what is on the two disks then is all there is
    after it."""

    def observe(passed: Edge) -> None:
        if passed is edge:
            raise ConnectionAbortedError

    desk.edges = observe
    desk.restart()
    with pytest.raises(ConnectionAbortedError):
        await print_first(desk)
    desk.edges = lambda _: None
    desk.restart()
    await desk.printing.recover()


@pytest.mark.parametrize(
    ("edge", "state", "reason"),
    [
        (Edge.NOTED, PrintState.FAILED, Reason.PRINT_NOT_BEGUN),
        (Edge.RECORDED, PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED),
        (Edge.SENT, PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED),
        (Edge.ENDED, PrintState.UNKNOWN, Reason.PRINT_INTERRUPTED),
        (Edge.END_NOTED, PrintState.CONFIRMED, None),
        (Edge.END_RECORDED, PrintState.CONFIRMED, None),
    ],
)
async def test_a_label_ends_truthfully_after_a_restart(
    edge: Edge, state: PrintState, reason: Reason | None
) -> None:
    """FAILED only where no byte can have left; an outcome that was known is told once."""
    desk = Desk()
    desk.printer.outcome = PrintOutcome(PrintState.CONFIRMED)
    await stop_at(desk, edge)
    (view,) = desk.printing.recent()
    assert view.state is state
    assert (view.advice.reason if view.advice else None) is reason
    assert view.needs_answer is (state is PrintState.UNKNOWN)
    assert [record.state for record in prints(desk)][-1] is state
    assert sum(record.state is state for record in prints(desk)) == 1
    assert len(desk.printer.labels) <= 1
    told = len(desk.outbox.drafts)
    desk.restart()
    await desk.printing.recover()
    assert len(desk.outbox.drafts) == told
    assert desk.printing.recent() == [view]


async def test_a_restart_that_is_cut_short_itself_is_made_good_by_the_next() -> None:
    """UNKNOWN is in the journal, and central has not been told: the next start tells it, once."""
    desk = Desk()
    desk.printer.proving.clear()
    begun = asyncio.create_task(print_first(desk))
    await until(lambda: bool(desk.printer.labels))
    begun.cancel()
    await asyncio.wait((begun,))

    def observe(_: Edge) -> None:
        raise ConnectionAbortedError

    desk.edges = observe
    desk.restart()
    with pytest.raises(ConnectionAbortedError):
        await desk.printing.recover()
    desk.edges = lambda _: None
    for _ in range(2):
        desk.restart()
        await desk.printing.recover()
    assert desk.printing.recent()[0].needs_answer
    states = [record.state for record in prints(desk)]
    assert states == [PrintState.SENDING, PrintState.UNKNOWN]


async def test_a_label_that_waited_failed_and_is_printed_by_hand() -> None:
    """QUEUED: not a byte left, so it is no copy, and nobody is asked."""
    desk = Desk()
    desk.printer.proving.clear()
    first = asyncio.create_task(print_first(desk))
    await until(lambda: bool(desk.printer.labels))
    desk.clock.advance(seconds(1))
    second = asyncio.create_task(print_first(desk))
    await until(lambda: len(desk.labels.kept) == 2)
    for task in (first, second):
        task.cancel()
    await asyncio.wait((first, second))
    desk.restart()
    await desk.printing.recover()
    waited, sent = desk.printing.recent()
    assert (waited.state, sent.state) == (PrintState.FAILED, PrintState.UNKNOWN)
    assert waited.advice is not None
    assert waited.advice.reason is Reason.PRINT_NOT_BEGUN
    desk.printer.proving.set()
    again = await desk.printing.reprint(waited.id, ReprintReason.PRINTER_FAULT)
    assert (again.state, again.copy) == (PrintState.SENT, 1)


async def test_answers_and_reprints_work_on_labels_of_before() -> None:
    """By the first label's id as by the latest one's, with copies counted on."""
    desk = Desk()
    first = await print_first(desk)
    second = await desk.printing.reprint(first.id, ReprintReason.TORN)
    desk.restart()
    await desk.printing.recover()
    third = await desk.printing.reprint(first.id, ReprintReason.LOST)
    assert third.copy == 3
    with pytest.raises(Refused):
        await desk.printing.answer(second.id, out=True)
    assert (await desk.printing.answer(third.id, out=True)).state is PrintState.CONFIRMED
    desk.restart()
    await desk.printing.recover()
    assert [view.state for view in desk.printing.recent()] == [PrintState.CONFIRMED]


async def test_an_outcome_that_could_not_be_kept_is_told_by_the_next_start() -> None:
    """The label is out, the disk was full: central hears of it once there is room."""
    desk = Desk()
    desk.outbox.room = 1  # SENDING
    view = await print_first(desk)
    assert view.state is PrintState.SENT
    desk.outbox.room = None
    desk.restart()
    await desk.printing.recover()
    assert [record.state for record in prints(desk)] == [PrintState.SENDING, PrintState.SENT]


async def test_a_queue_that_cannot_be_read_makes_it_unknown() -> None:
    """Whether SENDING was recorded is not known: bytes may have left, and a person looks."""
    desk = Desk()
    desk.outbox.fail_finding_with = Unavailable(Reason.STORE_UNAVAILABLE)
    await stop_at(desk, Edge.NOTED)
    assert desk.printing.recent()[0].needs_answer


async def test_an_answer_that_was_not_kept_is_none_after_a_restart() -> None:
    """The question is asked again."""
    desk = Desk()
    desk.printer.outcome = PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)
    first = await print_first(desk)
    desk.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    with pytest.raises(Unavailable):
        await desk.printing.answer(first.id, out=True)
    desk.outbox.fail_with = None
    desk.restart()
    await desk.printing.recover()
    assert desk.printing.recent()[0].needs_answer
    assert PrintState.CONFIRMED not in [record.state for record in prints(desk)]


async def test_yesterdays_label_is_ended_and_forgotten() -> None:
    """Central hears that nobody knows; nobody is asked for a label of yesterday, and nothing of it
    stays on the disk."""
    desk = Desk()
    desk.printer.proving.clear()
    begun = asyncio.create_task(print_first(desk))
    await until(lambda: bool(desk.printer.labels))
    begun.cancel()
    await asyncio.wait((begun,))
    desk.clock.advance(seconds(86_400))
    desk.restart()
    await desk.printing.recover()
    assert prints(desk)[-1].reason is Reason.PRINT_INTERRUPTED
    assert desk.printing.recent() == []
    assert desk.labels.kept == {}
