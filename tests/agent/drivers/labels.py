"""Labels for the drivers' tests; all people are fictitious."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from agent.ports import Label
from shared.ids import parse_record_id

STATIC_TEXT = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"

SAMPLE = Label(
    id=parse_record_id("019a0000-0000-7000-8000-000000000001"),
    code=STATIC_TEXT,
    name="电***卡",
    record_number="M00000001",
    site="示范市第一人民医院",
    date=datetime(2026, 11, 22, tzinfo=UTC).date().isoformat(),
)
"""The standard's sample person at a hospital that does not exist."""


def make_label(**changes: Any) -> Label:
    """The sample label with some fields changed."""
    return replace(SAMPLE, **changes)
