"""Writes all that waits for central into one sealed, signed file. The queue stays as it is: rows
are pending until central's receipt, which may come by file or by line, in any order.

Reads one moment's snapshot beside a running agent, or the files of a box that is dead.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.config import BoxConfig, BoxFiles, read_box_config
from agent.offline_queue.store import Epoch, Store, reading
from agent.ports import Pending
from agent.transport.batches import build_batch
from agent.transport.box_keys import BoxKeys
from shared.clock import Clock, to_microseconds
from shared.codec import batches
from shared.config import read_secret
from shared.crypto import STD
from shared.errors import Refused, Unavailable
from shared.ledger import Head
from shared.pairing import PairKey
from shared.progress import Progress
from shared.queue_file import write_queue_file
from shared.reasons import Reason
from shared.sealing import parse_encapsulation_id

_BATCH_ROWS = 200


class Exported(NamedTuple):
    """What a file holds."""

    file: Path
    rows: int
    batches: int


def export_queue(files: BoxFiles, to: Path, clock: Clock) -> Exported:
    """Write every pending row to a new file of mode 0600; it is durable when this returns.

    Raises Refused (ALREADY_EXISTS, STORE_NEWER, KEY_SEALED), Unavailable (disk, no queue),
    Damaged: what can be read of a damaged queue comes back at the agent's next start.
    """
    config = read_box_config(files)
    keys = read_box_keys(files, config)
    progress = Progress("rows written")
    draft = to.with_name(f".{to.name}.draft")
    try:
        if to.exists():
            raise Refused(Reason.ALREADY_EXISTS, str(to))
        draft.unlink(missing_ok=True)  # a power cut may have left one
        with (
            reading(files.queue) as store,
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
        ):
            end = write_queue_file(
                out,
                STD,
                keys.box,
                bytes.fromhex(config.central_public),
                (keys.signing_key_id, keys.signing_key),
                to_microseconds(clock.now()),
                _list_batches(store, keys, progress),
            )
            out.flush()
            os.fsync(out.fileno())
        draft.rename(to)
        _sync(to.parent)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
    finally:
        progress.end()
        draft.unlink(missing_ok=True)
    return Exported(to, end.rows, end.batches)


def read_box_keys(files: BoxFiles, config: BoxConfig) -> BoxKeys:
    """As whom the box speaks. Raises Unavailable, Refused."""
    return BoxKeys(
        config.box_id,
        PairKey(read_secret(files.pair_key)),
        STD.signing_key(read_secret(files.signing_key)),
        config.signing_key_id,
    )


def _list_batches(store: Store, keys: BoxKeys, progress: Progress) -> Iterator[tuple[int, bytes]]:
    for epoch in store.list_epochs():
        head = _furthest(store, epoch)
        after = epoch.floor
        while rows := store.list_pending(head.epoch, after, _BATCH_ROWS, STD):
            needed = list({parse_encapsulation_id(row.body) for row in rows})
            pending = Pending(head, rows, store.list_encapsulations(needed))
            batch = build_batch(keys, pending)
            after = batch.rows[-1].seq
            progress.add(len(batch.rows))
            yield len(batch.rows), batches.encode(batch)


def _furthest(store: Store, epoch: Epoch) -> Head:
    """The noted head, or the last row where it lies further: enqueues do not note theirs."""
    last = store.find_last(epoch.head.epoch)
    return last if last is not None and last.seq > epoch.head.seq else epoch.head


def _sync(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
