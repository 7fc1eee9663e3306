"""A lease as pages, technicians and central are told of it."""

from agent.api.views import LeaseView
from agent.counter.views import advise
from agent.ports_alone import LeaseStanding
from shared.clock import to_microseconds
from shared.desired import LeaseReport


def view_lease(standing: LeaseStanding) -> LeaseView:
    """With the words of why less than everything is allowed."""
    left = standing.left
    return LeaseView(
        step=standing.step,
        next_step=left.step if left else None,
        seconds=left.seconds if left else None,
        scans=left.scans if left else None,
        issues=left.issues if left else None,
        revision=standing.revision,
        issued_at=standing.issued_at,
        advice=advise(standing.reason),
    )


def report_lease(standing: LeaseStanding) -> LeaseReport:
    """For central, without words."""
    return LeaseReport(
        step=standing.step,
        reason=standing.reason,
        seconds_left=standing.left.seconds if standing.left else None,
        revision=standing.revision,
        issued_at=to_microseconds(standing.issued_at) if standing.issued_at else None,
    )
