"""Moments of taking a configuration that someone may watch: debug logs, and faults put there by
tests. An observer is called synchronously at the edge itself.
"""

from collections.abc import Callable
from enum import StrEnum


class Edge(StrEnum):
    """A moment between two acts."""

    CHECKED = "desired-checked"  # authentic, newer and possible; nothing is written
    STORED = "desired-stored"  # the new one is durable, the old one still at work
    APPLIED = "desired-applied"


Observe = Callable[[Edge], None]


def ignore(_: Edge) -> None:
    """The observer when nobody watches."""
