"""A world whose clocks a test sets: one for the box, one for central and the broker; and a box
whose machine can be started anew. Clocks that only count go on as they are, as in a machine.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from agent.enrolment.validity import read_validity
from central.app import open_central
from central.patients.person import Registration
from demo.box_clock import BoxClock
from demo.residents import MOTHER
from demo.supervisor import wait_until
from shared.clock import SystemClock
from tests.faults.world import BOX, SETTLE_SECONDS, TESTER, World

DAY = 86_400


class ClockedWorld(World):
    """``days_ago`` is when the story begins; the end is always today."""

    def __init__(self, directory: Path, days_ago: int = 0) -> None:
        super().__init__(directory)
        self._days_ago = days_ago
        self.box_clock = BoxClock(directory / "box.clock")
        self.true_clock = BoxClock(directory / "true.clock")
        self._boot_id = directory / "boot_id"
        self.starts = 0

    def __enter__(self) -> Self:
        self._boot()
        for clock in (self.box_clock, self.true_clock):
            clock.__enter__()
            clock.set_ahead(-self._days_ago * DAY)
        self.broker.environment = {**os.environ, **self.true_clock.environment()}
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        for clock in (self.box_clock, self.true_clock):
            clock.__exit__(kind, error, traceback)

    def now(self) -> datetime:
        """As central has it."""
        return SystemClock().now() + timedelta(seconds=self.true_clock.ahead_seconds)

    def admit_sample(self) -> None:
        """The sample person is one of the box's site, and so in its lists."""
        with open_central(self.central_directory) as central, central.unit():
            central.hospital.admit(self._card(central).person, BOX.site, self.now())

    def strangers_code(self) -> str:
        """A code signed just now, of somebody the box has never heard of."""
        with open_central(self.central_directory) as central, central.unit():
            mother = Registration("01", MOTHER.number, MOTHER.name)
            person, _ = central.patients.register(mother, self.now(), TESTER)
            card = central.cards.open_account(person, self.now(), TESTER)
            return central.cards.issue_dynamic(card, self.now(), 255, signed=True)

    def go_away(self) -> None:
        """The network is gone: broker and central's listener do not answer."""
        self.supervisor.stop("central")
        self.broker.kill()
        self.wait_offline()

    def come_back(self) -> None:
        """It is there again."""
        self.broker.start()
        self.start_central()

    def reboot_box(self, ahead_seconds: int, *, online: bool = False) -> None:
        """Off and on again, its clock now so far from the right time of today."""
        self.supervisor.stop("box")
        self.boot_box(ahead_seconds, online=online)

    def boot_box(self, ahead_seconds: int, *, online: bool = False) -> None:
        """On again after it was off."""
        self._boot()
        self.box_clock.set_ahead(ahead_seconds)
        self.start_box(online=online)

    def lease(self) -> dict[str, Any]:
        """As the box's page has it."""
        lease: dict[str, Any] = self.api.fetch("state")["lease"]
        return lease

    def wait_lease(self, step: str) -> dict[str, Any]:
        """Wait until the lease has come to a step."""

        def look() -> dict[str, Any] | None:
            lease = self.lease()
            return lease if lease["step"] == step and lease["revision"] else None

        return wait_until(look, SETTLE_SECONDS, f"the lease is at {step}")

    def wait_clock(self) -> None:
        """Wait until the running box sees its clock as it was set last."""

        def look() -> bool | None:
            at = datetime.fromisoformat(self.api.fetch("state")["at"])
            ahead = (at - SystemClock().now()).total_seconds()
            return True if abs(ahead - self.box_clock.ahead_seconds) < DAY / 2 else None

        wait_until(look, SETTLE_SECONDS, "the box's clock has jumped")

    def certificate_left(self) -> timedelta:
        """How long the box's certificate is still good."""
        certificate = (self.box_directory / "box.pem").read_bytes()
        return read_validity(certificate).left(self.now())

    def next_steps(self) -> list[str]:
        """What the page says is to be done about network and lease, each once."""
        state = self.api.fetch("state")
        advices = [state["lease"]["advice"], state["link"]["advice"]]
        return [advice["reason"] for advice in advices if advice]

    def _add_box(self) -> None:
        """The same code is judged each time it is shown."""
        super()._add_box()
        lines = self._box_config.read_text().splitlines()[1:]
        self._box_config.write_text("\n".join(["again_seconds = 0", *lines]) + "\n")

    def _boot(self) -> None:
        self._boot_id.write_text(f"{uuid4()}\n")

    def _start(self, side: str, directory: Path, command: str, fault: tuple[str, ...]) -> None:
        if side == "box":
            self.starts += 1
        super()._start(side, directory, command, fault)

    def _program(self, side: str, arguments: list[str | Path]) -> list[str | Path]:
        if side == "box":
            return [sys.executable, "-m", "tests.faults.rebooted", self._boot_id, *arguments]
        return super()._program(side, arguments)

    def _environment(self, side: str) -> dict[str, str] | None:
        clock = self.box_clock if side == "box" else self.true_clock
        return {**os.environ, **clock.environment()}

    def _started(self, side: str) -> None:
        clock = self.box_clock if side == "box" else self.true_clock
        clock.note(self.supervisor.pid(side))
