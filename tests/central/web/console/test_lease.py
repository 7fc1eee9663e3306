"""How far a box may still go alone, as the console says it."""

from datetime import UTC, datetime, timedelta

from central.web.console.showing import show_lease
from central.web.console.words import LEASE_STEPS
from shared.desired import LeaseReport
from shared.lease import LeaseStep
from shared.reasons import Reason

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)  # ten in the morning in China


def test_the_end_is_counted_from_when_the_box_was_heard() -> None:
    """Not from now: it may have been away for days."""
    lease = LeaseReport(LeaseStep.FULL, None, 3 * 86_400, 7, None)
    shown = show_lease(lease, NOW - timedelta(days=2), NOW)
    assert shown is not None
    assert shown.step is LEASE_STEPS[LeaseStep.FULL]
    assert shown.until == "2026-03-02 10:00"
    assert shown.why is None


def test_the_last_step_has_no_end() -> None:
    """And a box that has not said has no lease to show."""
    stopped = LeaseReport(LeaseStep.STOP, Reason.LEASE_STOP, None, 7, None)
    shown = show_lease(stopped, NOW, NOW)
    assert shown is not None
    assert not shown.until
    assert shown.why is Reason.LEASE_STOP.words
    assert show_lease(None, NOW, NOW) is None
    assert show_lease(stopped, None, NOW) is None
