"""How far this machine's clock is from central's, as central signs it."""

import asyncio
from datetime import timedelta

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.enrolment.signed_time import fetch_offset
from shared.errors import NotAuthentic, OneCodeError, Refused
from shared.reasons import Reason

_SLIGHT = timedelta(seconds=5)
_GRAVE = timedelta(minutes=2)
_SECONDS = 2.0


async def look_at_clock(box: Box) -> list[Finding]:
    """``clock``: without central's word nobody knows, which is a warning."""
    if box.config is None:
        return []
    try:
        offset = await asyncio.to_thread(fetch_offset, box.config, box.files, box.clock, _SECONDS)
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
