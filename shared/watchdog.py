"""The watchdog is fed by progress: only when each part of the process has answered.

An event loop that turns proves nothing about the thread that writes. So each part is asked, and
the service manager hears from us when all have answered; a part that hangs gets the process
restarted, which is what a person would do.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from shared.errors import OneCodeError
from shared.systemd import ServiceManager

_log = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[object]]
"""Ends once its part has done something; an error of our tree is an answer too."""

_FEEDS_A_PERIOD = 3


async def keep_fed(manager: ServiceManager, parts: Mapping[str, Probe]) -> None:
    """Ask all parts, feed, and again, for ever; ends at once where nobody watches."""
    period = manager.watchdog_seconds
    if period is None:
        return
    pause = period / _FEEDS_A_PERIOD
    while True:
        if await _all_answer(parts, pause):
            manager.feed()
        await asyncio.sleep(pause)


async def _all_answer(parts: Mapping[str, Probe], seconds: float) -> bool:
    asked = {name: asyncio.create_task(_answer(probe)) for name, probe in parts.items()}
    await asyncio.wait(asked.values(), timeout=seconds)
    silent = [name for name, task in asked.items() if not task.done()]
    for task in asked.values():
        if task.done():
            task.result()
        else:
            task.cancel()
    if silent:
        _log.error("no progress: %s", ", ".join(silent))
    return not silent


async def _answer(probe: Probe) -> None:
    try:
        await probe()
    except OneCodeError as error:
        _log.debug("a part answers with %s", error)
