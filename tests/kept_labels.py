"""A label as the journal holds it, for tests."""

from agent.ports import KeptLabel, Label, PrintOutcome
from shared.devices import PrinterCondition, PrintState
from shared.ids import new_record_id
from tests.factories import STATIC_TEXT
from tests.fakes import NOON


def make_kept() -> KeptLabel:
    """One that is at the printer; ids are fresh."""
    label = Label(new_record_id(NOON), STATIC_TEXT, "张*三", "M00000001", "示范医院", "2026-11-22")
    return KeptLabel(
        registration=new_record_id(NOON),
        label=label,
        born_at=NOON,
        operator="op1",
        outcome=PrintOutcome(PrintState.SENDING, conditions=frozenset({PrinterCondition.PAUSED})),
        under_way=True,
        record=label.id,
        earlier=(new_record_id(NOON),),
    )
