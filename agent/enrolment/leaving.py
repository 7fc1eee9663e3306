"""What must be so before a box stops being what it is (joins anew, is reset, is uninstalled):
central has every record, or they were written into a file that somebody carries there.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.config import BoxFiles
from agent.courier.export import Exported, export_queue
from agent.enrolment.alone import alone
from agent.offline_queue.commands import queue_summary
from agent.offline_queue.database import open_for_writing
from agent.offline_queue.quarantine import Quarantine
from agent.offline_queue.store import reading
from shared.clock import Clock
from shared.errors import Refused, Unavailable
from shared.ledger import RowState
from shared.reasons import Reason

_TAILS = ("-wal", "-shm", ".epochs", "")


def reset(files: BoxFiles, export: Path | None, clock: Clock) -> Exported | None:
    """Make the machine one that has not joined: name, keys and what it knew of persons go, its
    ledger stays beside as ``queue-<site>-<box>.db``. Cut off, it is done by doing it again.

    Raises Refused (QUEUE_UNSENT) unless ``export`` takes what is unsent; Unavailable while the
    agent runs, Damaged.
    """
    with alone(files), queue_at_rest(files, export, clock) as exported:
        try:
            # Without it there is no box: what follows may be cut off.
            files.config.unlink(missing_ok=True)
            set_aside(files)
            for path in _list_own(files):
                path.unlink(missing_ok=True)
            if files.enrolment.exists():
                files.enrolment.rmdir()
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(error)) from error
    return exported


@contextmanager
def queue_at_rest(files: BoxFiles, export: Path | None, clock: Clock) -> Iterator[Exported | None]:
    """No agent writes the queue meanwhile, and nothing in it is unsent, or it was exported.

    Raises Unavailable while the agent runs, Refused (QUEUE_UNSENT), Damaged, as ``export_queue``.
    """
    check_salvaged(files)
    if not files.queue.exists():
        yield None
        return
    with closing(open_for_writing(files.queue)):
        yield take_along(files, export, clock)


def take_along(files: BoxFiles, export: Path | None, clock: Clock) -> Exported | None:
    """Export what is unsent, if anything is. Raises Refused (QUEUE_UNSENT) without a file."""
    unsent = queue_summary(files.queue, clock.now()).count(RowState.PENDING)
    if not unsent:
        return None
    if export is None:
        raise Refused(Reason.QUEUE_UNSENT, f"{unsent} rows")
    return export_queue(files, export, clock)


def check_salvaged(files: BoxFiles) -> None:
    """Raises Refused (QUEUE_UNSENT) while a damaged file has not been read: start the agent."""
    for aside in Quarantine(files.queue).list_aside():
        if aside.salvaged is None:
            raise Refused(Reason.QUEUE_UNSENT, f"not salvaged: {aside.folder}")


def set_aside(files: BoxFiles, staying: str = "") -> bool:
    """A queue of another box than ``staying`` keeps its name and stays readable; whether it was.

    Raises Unavailable, Damaged.
    """
    try:
        with reading(files.queue) as store:
            owners = {epoch.box for epoch in store.list_epochs()}
    except Unavailable:
        return False
    if not owners or staying in owners:
        return False
    name = f"queue-{min(owners).replace('/', '-')}"
    taken = {path.name for path in files.directory.iterdir()}
    numbers = (f"-{number}" if number else "" for number in range(len(taken) + 1))
    aside = next(f"{name}{each}.db" for each in numbers if f"{name}{each}.db" not in taken)
    for tail in _TAILS:
        old = files.queue.with_name(files.queue.name + tail)
        if old.exists():
            old.replace(files.queue.with_name(aside + tail))
    return True


def _list_own(files: BoxFiles) -> list[Path]:
    """What a box has of its own beside ``box.toml`` and its ledger: it is of no use to another."""
    databases = (files.cache, files.labels, files.notices, files.lists)
    return [
        *(files.certificate, files.signing_key, files.pair_key, files.ca, files.desired),
        *(files.cache_key, files.api_token, files.lan_identity, files.lease),
        *(files.wrong_pins, files.workstations),
        *(each.with_name(each.name + tail) for each in databases for tail in ("", "-wal", "-shm")),
        *(files.enrolment.iterdir() if files.enrolment.exists() else ()),
    ]
