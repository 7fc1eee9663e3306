"""How long the box's certificate is still good."""

from datetime import timedelta

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.enrolment.validity import read_validity
from shared.config import read_secret
from shared.errors import OneCodeError, Refused
from shared.reasons import Reason


async def look_at_certificate(box: Box) -> list[Finding]:
    """``certificate-days``: a box renews itself with a third of the life left, so less than that
    means that it could not."""
    if box.config is None:
        return []
    try:
        validity = read_validity(read_secret(box.files.certificate))
    except OneCodeError as error:
        return [failed("certificate-days", error)]
    now = box.clock.now()
    left = validity.left(now)
    fact = f"{left.days} d, {validity.not_after.date().isoformat()}"
    if left <= timedelta(0):
        return [failed("certificate-days", Refused(Reason.CERTIFICATE_EXPIRED, fact))]
    if validity.is_due(now):
        return [warn("certificate-days", Reason.CERTIFICATE_ENDS, fact)]
    return [held("certificate-days", fact)]
