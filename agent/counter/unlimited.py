"""A lease that never ends: of a counter that nobody limits, as in tests of other things."""

from datetime import datetime

from agent.ports_alone import LeaseStanding
from shared.lease import LeaseStep, LeaseUse
from shared.reasons import Reason


class Unlimited:
    """Implements ``agent.ports_alone.Lease``."""

    step = LeaseStep.FULL
    reason: Reason | None = None
    clock_doubted = False
    best_now: datetime | None = None

    def view(self) -> LeaseStanding:
        """Nothing is ever used up."""
        return LeaseStanding(LeaseStep.FULL, None, None, 0, None)

    async def charge(self, use: LeaseUse) -> LeaseStep:
        """Costs nothing."""
        del use
        return LeaseStep.FULL


UNLIMITED = Unlimited()
