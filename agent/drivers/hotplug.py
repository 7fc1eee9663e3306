"""When devices come and go: udev's events; the only importer of pyudev.

It says only that something has changed: what is there now is ``discovery``'s business. Where no
udev runs (a container), it says so every two seconds.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

SUBSYSTEMS = ("input", "hidraw", "tty", "usb")
SETTLE_SECONDS = 0.1
"""One plug is a dozen events; the last of them, after the rules have run, counts."""
AT_LEAST_SECONDS = 10.0
"""The kernel may drop events when it is busy (ENOBUFS), so it is looked again now and then."""
WITHOUT_UDEV_SECONDS = 2.0
_UDEV = Path("/run/udev/control")


async def watch_devices() -> AsyncIterator[None]:
    """Yields each time it is worth looking again, for ever."""
    if not await asyncio.to_thread(_UDEV.exists):
        log.debug("no udev here: looking for devices every %s s", WITHOUT_UDEV_SECONDS)
        while True:
            await asyncio.sleep(WITHOUT_UDEV_SECONDS)
            yield
    import pyudev  # type: ignore[import-untyped]

    monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
    for subsystem in SUBSYSTEMS:
        monitor.filter_by(subsystem)
    monitor.start()
    stirred = asyncio.Event()

    def take() -> None:
        stirred.set()
        with suppress(OSError):  # ENOBUFS: events were lost, which is one more reason to look
            while monitor.poll(timeout=0) is not None:
                pass

    loop = asyncio.get_running_loop()
    loop.add_reader(monitor.fileno(), take)
    log.debug("udev tells when devices come and go")
    try:
        yield  # what came before the first event could be heard
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(AT_LEAST_SECONDS):
                    await stirred.wait()
                    await asyncio.sleep(SETTLE_SECONDS)
            stirred.clear()
            yield
    finally:
        loop.remove_reader(monitor.fileno())
