"""One process at a time changes what a box is: two that join or renew would mix their keys."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from agent.config import BoxFiles
from shared.errors import Unavailable
from shared.reasons import Reason


@contextmanager
def alone(files: BoxFiles) -> Iterator[None]:
    """No other process joins or renews here meanwhile; held by this one alone. Raises Unavailable
    at once."""
    try:
        files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(files.directory, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(files.directory)) from error
    with ExitStack() as undo:
        undo.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            detail = "another process joins or renews here"
            raise Unavailable(Reason.STORE_UNAVAILABLE, detail) from error
        yield
