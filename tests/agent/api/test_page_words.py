"""The counter page has a word, in both languages, for whatever the box may say."""

from pathlib import Path

from agent.counter.operators import ISSUERS
from agent.counter.printing import ReprintReason
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.residents import DOCUMENT_TYPES

TABLE = Path(__file__).parents[3] / "agent/api/page/table.js"


def test_every_word_of_the_box_has_a_place() -> None:
    """Document types, roles, reasons to reprint, states and conditions with their cures."""
    table = TABLE.read_text(encoding="utf-8")
    for row in DOCUMENT_TYPES.values():
        assert f'"document-{row.code}": ["{row.zh}", "{row.en}"]' in table
    keys = [f"label-{state}" for state in PrintState]
    keys += [f"reprint-{reason}" for reason in ReprintReason]
    keys += [f"role-{role}" for role in ISSUERS]
    keys += [str(state) for state in DeviceState]
    keys += [word for each in PrinterCondition for word in (str(each), f"{each}-next")]
    for key in keys:
        assert f'  "{key}": [' in table or f"  {key}: [" in table, key
