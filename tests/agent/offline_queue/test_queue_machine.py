"""The queue against a plain model: commits, receipts, givings-up, heads, prunings, crashes and
reopenings in whatever order (Hypothesis chooses). The model is three sets of ids.

A crash is the files as they lie at that moment, copied away and opened as the next start would:
what the queue had promised is there, and what it had not may be.
"""

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.offline_queue.ledger_report import verify_queue
from agent.offline_queue.outbox import SqliteOutbox
from shared.crypto import STD
from shared.ledger import Account, Head, Lane, Row, hash_of
from shared.messages import Settled
from shared.reasons import Reason
from tests.agent.offline_queue.box import NOON, ORIGIN, opened, scan_draft
from tests.agent.offline_queue.test_pruning import FUTURE

T = TypeVar("T")


class QueueMachine(RuleBasedStateMachine):
    """The rules; ``_rows`` are the model's."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self._rows: dict[int, Row] = {}
        self._settled: set[int] = set()
        self._given_up: set[int] = set()
        self._opening = self._outbox = None  # type: Any

    @initialize()
    def begin(self) -> None:
        self._open(Path(self._directory.name) / "0")

    @rule(lane=st.sampled_from(Lane), count=st.integers(1, 5))
    def commit(self, lane: Lane, count: int) -> None:
        for _ in range(count):
            row = self._do(self._queue.commit(scan_draft(lane=lane)))
            assert row.seq == len(self._rows) + 1
            self._rows[row.seq] = row

    @rule(first=st.integers(1, 30), count=st.integers(1, 10), right=st.booleans())
    def receipt(self, first: int, count: int, right: bool) -> None:
        """For rows that are there or not; with their hash, or somebody else's."""
        named = [self._rows[seq] for seq in range(first, first + count) if seq in self._rows]
        told = [Settled(row.seq, hash_of(STD, row) if right else bytes(32)) for row in named]
        changed = self._do(self._queue.settle(1, told))
        pending = {row.seq for row in named} & self._pending if right else set()
        assert changed == len(pending)
        self._settled |= pending

    @rule(lane=st.sampled_from([Lane.USE, Lane.TELEMETRY]), limit=st.integers(1, 4))
    def give_up(self, lane: Lane, limit: int) -> None:
        old = [seq for seq in sorted(self._pending) if self._rows[seq].lane == lane][:limit]
        given = self._do(self._queue.give_up_oldest(lane, limit, Reason.QUEUE_BOUND, ORIGIN, NOON))
        assert given == len(old)
        if given:
            self._given_up |= set(old)
            page = self._do(self._queue.read_pending(1000))
            assert page is not None
            self._rows[page.rows[-1].seq] = page.rows[-1]

    @rule(seq=st.integers(1, 40), keep=st.integers(0, 5), limit=st.integers(1, 10))
    def countersign_and_prune(self, seq: int, keep: int, limit: int) -> None:
        """Central's word is only given where nothing before is pending."""
        if seq in self._rows and not any(each <= seq for each in self._pending):
            self._do(self._queue.keep_anchor(Head(1, seq, hash_of(STD, self._rows[seq])), b""))
        self._do(self._queue.prune(keep, FUTURE, limit))

    @rule()
    def reopen(self) -> None:
        path = self._path
        self._close()
        self._open(path)

    @rule()
    def crash(self) -> None:
        """Go on with what a copy of the files holds now, and never end the one that was cut."""
        after = Path(self._directory.name) / str(self._number)
        shutil.copytree(self._path, after, ignore=shutil.ignore_patterns("*.reserve"))
        self._close()
        self._open(after)

    @precondition(lambda self: self._outbox is not None)
    @invariant()
    def the_account_and_the_backlog_are_the_models(self) -> None:
        account = self._do(self._queue.read_account())
        settled, given_up = len(self._settled), len(self._given_up)
        assert account == Account(len(self._rows), settled, len(self._pending), given_up)
        page = self._do(self._queue.read_pending(1000))
        assert [row.seq for row in page.rows] if page else sorted(self._pending) == []
        assert not page or list(page.rows) == [self._rows[seq] for seq in sorted(self._pending)]

    def teardown(self) -> None:
        if self._outbox is not None:
            self._close()
            report = verify_queue(self._path / "queue.db")
            assert report.holds, report.findings
        self._loop.close()
        self._directory.cleanup()

    @property
    def _queue(self) -> SqliteOutbox:
        queue: SqliteOutbox = self._outbox
        return queue

    @property
    def _pending(self) -> set[int]:
        return self._rows.keys() - self._settled - self._given_up

    def _open(self, path: Path) -> None:
        self._number += 1
        path.mkdir(exist_ok=True)
        self._path = path
        self._opening = opened(path / "queue.db")
        self._outbox = self._do(self._opening.__aenter__())

    def _close(self) -> None:
        self._do(self._opening.__aexit__(None, None, None))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
