"""Opens the ledger's file: schema, the epoch to write in, a body key, and where each epoch stands.

Whether the file is what was written is asked before anything of it is believed.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from agent.offline_queue.database import mapped_exceptions, open_for_writing
from agent.offline_queue.inspection import check_ledger, check_schema
from agent.offline_queue.journal import Journal
from agent.offline_queue.migration import migrate, read_migrations
from agent.offline_queue.standing import Standing, account_of
from agent.offline_queue.states import Edge
from agent.offline_queue.store import Store
from shared.crypto import Suite
from shared.errors import Damaged, Refused
from shared.ids import BoxId
from shared.ledger import Lane, genesis_head
from shared.reasons import Reason
from shared.sealing import BodySealer


def open_journal(  # noqa: PLR0913, PLR0917 - whose queue it is, where, and sealed to whom
    path: Path,
    box: BoxId,
    epoch: int,
    suite: Suite,
    central_public: bytes,
    at: datetime,
    observe: Callable[[Edge], None],
    begun: Sequence[int] = (),
) -> Journal:
    """Open or create the queue, bring its schema up to date, begin the epoch, wrap a body key.

    ``begun`` are the epochs that must be in it.
    Raises Unavailable, Damaged, Refused: STORE_NEWER, or CONFIG_MALFORMED when the file is
    another box's, or already in a later epoch, or of another suite.
    """
    file = open_for_writing(path)
    with ExitStack() as on_failure:
        on_failure.callback(file.close)
        with mapped_exceptions():
            check_schema(file.connection, read_migrations())
        migrate(file.connection, read_migrations())
        with mapped_exceptions():
            check_ledger(file.connection, box, suite, begun)
        sealer = BodySealer(suite, central_public, box)
        store = Store(file)
        with mapped_exceptions():
            store.begin()
            _check_epochs(store, box, epoch, suite)
            store.insert_epoch(box, suite.id, genesis_head(suite, box, epoch), at)
            store.insert_encapsulation(sealer.encapsulation, at)
            standings = _read_standings(store)
            if not (account := account_of(standings)).holds:
                raise Damaged(Reason.STORE_DAMAGED, str(account))
            for standing in standings.values():
                store.note(standing)
            store.commit()
        journal = Journal(store, box, sealer, suite, standings, observe)
        on_failure.pop_all()
    observe(Edge.OPENED)
    return journal


def _check_epochs(store: Store, box: BoxId, epoch: int, suite: Suite) -> None:
    for kept in store.list_epochs():
        if kept.box != str(box):
            raise Refused(Reason.CONFIG_MALFORMED, f"the queue belongs to {kept.box}")
        if kept.head.epoch > epoch:
            raise Refused(Reason.CONFIG_MALFORMED, f"the queue is in epoch {kept.head.epoch}")
        if kept.head.epoch == epoch and kept.suite != suite.id:
            raise Refused(Reason.CONFIG_MALFORMED, f"epoch {epoch} has suite {kept.suite}")


def _read_standings(store: Store) -> dict[int, Standing]:
    """What the file holds now. A head whose row is lost stays the head: no sequence twice."""
    standings = {}
    for _, _, noted, floor, settled, tombstoned, lost in store.list_epochs():
        last = store.find_last(noted.epoch)
        head = last if last is not None and last.seq > noted.seq else noted
        waiting, since = store.list_waiting(head.epoch), store.count_pending(head.epoch, noted.seq)
        lanes = tuple(waiting.get(lane, 0) + since.get(lane, 0) for lane in Lane)
        standings[head.epoch] = Standing(head, floor, settled, tombstoned, lanes, lost)
    return standings
