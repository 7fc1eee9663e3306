"""Moments of the line that someone may watch: debug logs, and faults put there by tests.

An observer is called synchronously at the edge itself; what it raises ends the line.
"""

from collections.abc import Callable
from enum import StrEnum


class Edge(StrEnum):
    """A moment between two acts of the transport."""

    ASK_SENT = "ask-sent"
    REPLY_RECEIVED = "reply-received"
    BATCH_BUILT = "batch-built"
    BATCH_SENT = "batch-sent"
    RECEIPT_RECEIVED = "receipt-received"
    SETTLED = "settled"


Observe = Callable[[Edge], None]


def ignore(_: Edge) -> None:
    """The observer when nobody watches."""
