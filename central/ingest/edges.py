"""Moments of ingest that someone may watch: faults put there by tests.

An observer is called synchronously at the edge itself (the ``BEFORE`` ones in the writer's
thread); what it raises ends the process like a bug.
"""

from collections.abc import Callable
from enum import StrEnum


class Edge(StrEnum):
    """A moment between two acts of ingest."""

    ASK_BEFORE_COMMIT = "ask-before-commit"
    ASK_AFTER_COMMIT = "ask-after-commit"
    REPLY_SENT = "reply-sent"
    BEFORE_COMMIT = "before-commit"  # of a batch
    AFTER_COMMIT = "after-commit"
    RECEIPT_SENT = "receipt-sent"


Observe = Callable[[Edge], None]


def ignore(_: Edge) -> None:
    """The observer when nobody watches."""
