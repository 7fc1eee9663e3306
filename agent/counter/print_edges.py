"""Moments of printing a label that someone may watch: debug logs, and faults put there by tests.

An observer is called synchronously at the edge itself.
"""

from collections.abc import Callable
from enum import StrEnum


class Edge(StrEnum):
    """A moment between two acts, in the order they come."""

    BEGUN = "begun"  # the writer is free; nothing of this label is durable yet, or QUEUED is
    NOTED = "noted"  # SENDING is in the journal
    RECORDED = "recorded"  # SENDING is in the queue: bytes may leave from now on
    SENT = "sent"  # the last byte has left
    ENDED = "ended"  # the printer has said what came of it; nothing of that is durable
    END_NOTED = "end-noted"  # the outcome is in the journal
    END_RECORDED = "end-recorded"  # and in the queue


Observe = Callable[[Edge], None]


def ignore(_: Edge) -> None:
    """The observer when nobody watches."""
