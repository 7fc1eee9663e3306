"""Every edge of every state machine, and where a process is killed at it.

``PARTS`` are the enums themselves: an edge that is new in the product is an edge that a test must
name, or the table's own test fails.
"""

from collections.abc import Mapping
from enum import StrEnum

from agent.counter.print_edges import Edge as PrintEdge
from agent.counter.states import ScanState
from agent.enrolment.states import Edge as EnrolmentEdge
from agent.offline_queue.states import Edge as QueueEdge
from agent.offline_queue.states import FileEdge
from agent.settings.edges import Edge as SettingsEdge
from agent.transport.edges import Edge as LineEdge
from central.ingest.edges import Edge as IngestEdge

PARTS: Mapping[str, type[StrEnum]] = {
    "scan": ScanState,
    "queue": QueueEdge,
    "file": FileEdge,
    "line": LineEdge,
    "printing": PrintEdge,
    "settings": SettingsEdge,
    "join": EnrolmentEdge,
    "ingest": IngestEdge,
}

NOT_KILLED: Mapping[str, str] = {
    "scan:asked": "nothing happens between the question's leaving and line:ask-sent",
    "scan:unsaved": "nothing was kept, and nothing is: the next start has nothing to end",
    "scan:handed-on": "no record, no sequence: text of others leaves no trace to tear",
}
"""Edges without a kill of their own, each with the reason."""


def name_edges(part: str) -> set[str]:
    """All edges of a part, as ``mortal`` names them."""
    return {f"{part}:{edge}" for edge in PARTS[part]}
