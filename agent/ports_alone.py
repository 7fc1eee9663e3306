"""What the counter needs of the world while it works alone, as Protocols beside ``agent.ports``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.lease import LeaseStep, LeaseUse, Left
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class LeaseStanding:
    """How far this box may still go alone."""

    step: LeaseStep
    reason: Reason | None  # why less than everything is allowed
    left: Left | None  # until the next step; None: there is none
    revision: int  # of the lease at work; 0: none has come yet
    issued_at: datetime | None  # by central's clock


class Lease(Protocol):
    """How long, and for how much, this box may work alone (CONTRACTS §6)."""

    @property
    def step(self) -> LeaseStep:
        """What is allowed now without central."""
        ...

    @property
    def reason(self) -> Reason | None:
        """Why less than everything is allowed; None while everything is."""
        ...

    @property
    def clock_doubted(self) -> bool:
        """Whether this box's clock is known to be wrong."""
        ...

    @property
    def best_now(self) -> datetime | None:
        """What time it is as far as this box can know, while its clock is doubted one that has
        passed; None: nothing better is known than its clock."""
        ...

    def view(self) -> LeaseStanding: ...

    async def charge(self, use: LeaseUse) -> LeaseStep:
        """Count one use without central; the step under which it is done."""
        ...
