"""A label scanned at the box's own scanner proves itself, and nothing else does."""

import asyncio

import pytest

from agent.counter.printing import ReprintReason
from agent.ports import PrintOutcome
from shared.devices import PrintState
from shared.errors import Unavailable
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.agent.counter.test_printing import UNKNOWN, print_first, prints, until
from tests.factories import STATIC_TEXT
from tests.fakes import seconds

TEXT = STATIC_TEXT.encode()


@pytest.mark.parametrize("outcome", [PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF), UNKNOWN])
async def test_a_scan_of_the_label_confirms_it(outcome: PrintOutcome) -> None:
    """A record that says by what; the question is gone, and a second scan adds nothing."""
    desk = Desk()
    desk.printer.outcome = outcome
    await print_first(desk)
    await desk.printing.scanned_back(TEXT)
    await desk.printing.scanned_back(TEXT)
    (view,) = desk.printing.recent()
    assert (view.state, view.needs_answer) == (PrintState.CONFIRMED, False)
    states = [(record.state, record.reason) for record in prints(desk)]
    assert states[2:] == [(PrintState.CONFIRMED, Reason.PRINT_SCANNED_BACK)]


async def test_another_text_or_a_late_scan_confirms_nothing() -> None:
    """Exactly this label's text, within two minutes."""
    desk = Desk()
    await print_first(desk)
    for text in (TEXT[:-1], TEXT + b" ", b""):
        await desk.printing.scanned_back(text)
    desk.clock.advance(seconds(121))
    await desk.printing.scanned_back(TEXT)
    assert desk.printing.recent()[0].state is PrintState.SENT


async def test_a_later_copy_is_not_confirmed_by_a_scan() -> None:
    """The first copy has the same text: which of them was scanned nobody knows."""
    desk = Desk()
    first = await print_first(desk)
    await desk.printing.reprint(first.id, ReprintReason.TORN)
    await desk.printing.scanned_back(TEXT)
    assert desk.printing.recent()[0].state is PrintState.SENT


async def test_two_labels_of_one_text_are_confirmed_by_no_scan() -> None:
    """The same person registered twice: which of them was scanned nobody knows."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    await print_first(desk)
    await print_first(desk)
    await desk.printing.scanned_back(TEXT)
    assert {view.state for view in desk.printing.recent()} == {PrintState.UNKNOWN}


async def test_whoever_looked_and_saw_nothing_is_believed() -> None:
    """After "not out" a scan is of some other label."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    first = await print_first(desk)
    await desk.printing.answer(first.id, out=False)
    await desk.printing.scanned_back(TEXT)
    assert desk.printing.recent()[0].state is PrintState.UNKNOWN


async def test_a_scan_while_the_proof_is_awaited_counts_when_the_printer_has_none() -> None:
    """The clerk is faster than the counter of the printer."""
    desk = Desk()
    desk.printer.proving.clear()
    printing = asyncio.create_task(print_first(desk))
    await until(lambda: bool(desk.printer.labels))
    scanned = asyncio.create_task(desk.printing.scanned_back(TEXT))
    await asyncio.sleep(0)
    assert not scanned.done()
    desk.printer.outcome = PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF)
    desk.printer.proving.set()
    await asyncio.gather(printing, scanned)
    assert desk.printing.recent()[0].state is PrintState.CONFIRMED


async def test_a_proof_that_cannot_be_kept_leaves_the_question() -> None:
    """The scan itself goes its own way; nothing is raised at it."""
    desk = Desk()
    desk.printer.outcome = UNKNOWN
    await print_first(desk)
    desk.outbox.fail_with = Unavailable(Reason.STORE_UNAVAILABLE)
    await desk.printing.scanned_back(TEXT)
    assert desk.printing.recent()[0].needs_answer
