"""A queue with many unsent rows, made by the journal itself in groups of ten thousand: what hours
without a line leave behind, in seconds."""

from collections.abc import Sequence
from pathlib import Path

from agent.config import BoxFiles, read_box_config
from agent.offline_queue.beginning import open_journal
from agent.offline_queue.journal import Entry, Journal, ignore_edge
from agent.offline_queue.outbox import encode_draft
from shared.clock import SystemClock
from shared.crypto import STD
from shared.ids import BoxId
from tests.bench.enqueue import drafts

GROUP = 10_000


def build_backlog(path: Path, box: BoxId, epoch: int, central_public: bytes, rows: int) -> None:
    """Add so many scans to the queue at ``path``, which nobody has open."""
    at = SystemClock().now()
    journal = open_journal(path, box, epoch, STD, central_public, at, ignore_edge)
    for begin in range(0, rows, GROUP):
        entries = [encode_draft(draft) for draft in drafts(min(GROUP, rows - begin), box)]
        _write(journal, entries)
    journal.close()


def build_backlog_of(files: BoxFiles, rows: int) -> None:
    """The same in the queue of a box that does not run."""
    config = read_box_config(files)
    public = bytes.fromhex(config.central_public)
    build_backlog(files.queue, config.box_id, config.epoch, public, rows)


def _write(journal: Journal, entries: Sequence[Entry]) -> None:
    def append() -> None:
        journal.append_all(entries)

    journal.write(append)
