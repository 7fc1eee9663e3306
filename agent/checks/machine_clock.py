"""How far this machine's clock is from central's, as central signs it."""

import asyncio
from datetime import timedelta

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.enrolment.centre import Centre
from shared.clock import ClockOffset, measure_offset
from shared.errors import NotAuthentic, OneCodeError, Refused, Unavailable
from shared.reasons import Reason

_SLIGHT = timedelta(seconds=5)
_GRAVE = timedelta(minutes=2)
_SECONDS = 2.0


async def look_at_clock(box: Box) -> list[Finding]:
    """``clock``: without central's word nobody knows, which is a warning."""
    if box.config is None:
        return []
    try:
        offset = await asyncio.to_thread(_measure, box)
    except NotAuthentic as error:
        return [failed("clock", error)]
    except OneCodeError as error:
        return [warn("clock", Reason.CLOCK_NOT_MEASURED, error.detail)]
    fact = f"{offset.milliseconds:+d} ms (± {offset.confidence_ms})"
    apart = timedelta(milliseconds=abs(offset.milliseconds))
    if apart > _GRAVE:
        return [failed("clock", Refused(Reason.CLOCK_WRONG, fact))]
    if apart > _SLIGHT:
        return [warn("clock", Reason.CLOCK_WRONG, fact)]
    return [held("clock", fact)]


def _measure(box: Box) -> ClockOffset:
    config = box.config
    if config is None or config.central is None or config.announcements is None:
        raise Unavailable(Reason.CONFIG_MISSING, "central's listener is not configured")
    try:
        ca = box.files.ca.read_text()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(box.files.ca)) from error
    centre = Centre(config.central, ca, seconds=_SECONDS)
    asked_at = box.clock.now()
    central_at = centre.learn_time(bytes.fromhex(config.announcements))
    return measure_offset(asked_at, box.clock.now(), central_at)
