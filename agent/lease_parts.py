"""The lease of one box put together from its files, and who asks for the next one."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from agent.config import BoxConfig, BoxFiles
from agent.enrolment.renewal import Renewing
from agent.enrolment.signed_time import fetch_offset
from agent.lease.books_file import BooksFile
from agent.lease.keeper import LeaseKeeper
from agent.lease.service import OfflineLease
from agent.transport.uplink import CentralUplink
from shared.clock import Clock, ClockOffset, read_boot_id
from shared.config import read_secret
from shared.crypto import STD

_TIME_SECONDS = 5.0


class BestClock:
    """Central's time as far as this box knows it, whatever its own clock shows. Implements
    ``Clock``."""

    def __init__(self, own: Clock, lease: OfflineLease) -> None:
        self._own = own
        self._lease = lease

    def now(self) -> datetime:
        """Aware UTC."""
        return self._lease.best_now

    def monotonic_ns(self) -> int:
        """Of the machine."""
        return self._own.monotonic_ns()


def open_lease(config: BoxConfig, files: BoxFiles, clock: Clock) -> OfflineLease:
    """The lease of a configured box; its ``load`` comes next. Raises Unavailable or Refused for a
    key that is not there or bare."""
    key = config.announcements
    return OfflineLease(
        box=config.box,
        verify_key=STD.verify_key(bytes.fromhex(key)) if key else None,
        clock=clock,
        boot_id=read_boot_id(),
        shelf=BooksFile(files.lease, read_secret(files.pair_key)),
    )


def build_keeper(  # noqa: PLR0913, PLR0917 - what it keeps together
    config: BoxConfig,
    files: BoxFiles,
    clock: Clock,
    lease: OfflineLease,
    uplink: CentralUplink,
    renewing: Renewing,
    on_change: Callable[[], None],
) -> LeaseKeeper:
    """Who asks for the next lease, and for the time where the line needs it."""

    async def fetch() -> ClockOffset:
        work = partial(fetch_offset, config, files, clock, _TIME_SECONDS)
        return await asyncio.to_thread(work)

    return LeaseKeeper(
        box=config.box_id,
        counter=config.counter,
        clock=clock,
        lease=lease,
        line=uplink,
        fetch_time=fetch,
        on_time=renewing.look_now,
        on_change=on_change,
    )
