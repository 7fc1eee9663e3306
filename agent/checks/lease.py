"""How far the box may still go alone, in a running agent's own word: what is consumed is its to
count."""

from agent.checks.finding import Box, Finding, failed, held, warn
from shared.errors import Refused
from shared.lease import LeaseStep
from shared.reasons import Reason

_HOUR = 3600


async def look_at_lease(box: Box) -> list[Finding]:
    """``lease``: less than everything is a warning, nothing at all a failure."""
    if box.state is None:
        return []
    lease = box.state.lease
    fact = f"{lease.step}, revision {lease.revision}"
    if lease.next_step is not None and lease.seconds is not None:
        hours = lease.seconds // _HOUR
        fact += f"; {lease.next_step} in {hours} h or {lease.scans} scans, {lease.issues} codes"
    if lease.step is LeaseStep.STOP:
        return [failed("lease", Refused(Reason.LEASE_STOP, fact))]
    if lease.advice is not None:
        return [warn("lease", lease.advice.reason, fact)]
    return [held("lease", fact)]
