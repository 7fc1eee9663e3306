"""Clocks that are wrong and boxes that were away for long, with the real box, broker and centre.

Faults 10 and 11 of the reference's list. Each ends in one clear next step while the network is
away, without a start too many, and mends itself once the network is back: backlog kept, account
proved. No hand ever sets the box's clock right here.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from central.fleet import certificates
from demo.supervisor import wait_until
from tests.factories import other_static_text
from tests.faults.clocked_world import DAY, ClockedWorld
from tests.faults.world import SETTLE_SECONDS

FIVE_YEARS = 5 * 366 * DAY
SINCE_1970 = 56 * 366 * DAY
SCANS = 20


@contextmanager
def clocked(directory: Path, days_ago: int = 0) -> Iterator[ClockedWorld]:
    """A world with a lease, its box known to be working and then without a network."""
    with ClockedWorld(directory, days_ago) as world:
        world.wait_lease("full")
        world.admit_sample()
        code = world.static_code()
        wait_until(partial(is_known, world, code), SETTLE_SECONDS, "central has said who it is")
        wait_until(partial(is_listed, world), SETTLE_SECONDS, "the person is in the box's lists")
        yield world
        assert world.supervisor.describe_ended() == ""


def is_known(world: ClockedWorld, code: str) -> bool | None:
    """Whether central answers in time: a first answer may be slow."""
    return True if world.scan(code)["verdict"] == "accepted" else None


def is_listed(world: ClockedWorld) -> bool | None:
    """Whether the box has the list of the site's persons, beyond its own short memory."""
    return True if world.api.fetch("state")["lists"]["persons"] else None


def work_alone(world: ClockedWorld) -> tuple[str, str, str]:
    """Scans of strangers, of one who is known and of a code signed just now; the reasons of each
    kind. Every one is recorded."""
    before = world.api.fetch("account")["created"]
    for number in range(SCANS):
        world.scanner.scan(other_static_text(number + before * 1000))
    world.wait_created(before + SCANS)
    stranger = world.scan(other_static_text(999 + before * 1000))
    known, signed = world.scan(world.static_code()), world.scan(world.strangers_code())
    assert world.api.fetch("account")["created"] == before + SCANS + 3
    stranger_why, known_why, signed_why = (
        scan["advice"]["reason"] for scan in (stranger, known, signed)
    )
    return stranger_why, known_why, signed_why


def prove_back(world: ClockedWorld, starts: int) -> None:
    """The network is back: line, lease and account mend themselves, with no further start."""
    world.come_back()
    world.wait_link("up")
    lease = world.wait_lease("full")
    assert lease["advice"] is None
    assert world.starts == starts
    world.prove()


def check(world: ClockedWorld) -> str:
    """What ``onecode-agent check`` says."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "--dir", str(world.box_directory), "check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


FULL = ("offline-unknown", "offline-known", "offline-signed")
VERIFY = ("lease-verify-only", "offline-known", "offline-signed")


@pytest.mark.parametrize(
    ("seconds", "step", "reason", "answers"),
    [
        (-SINCE_1970, "verify-only", "lease-clock", VERIFY),
        (FIVE_YEARS, "stop", "lease-stop", ("lease-stop", "lease-stop", "code-expired")),
    ],
    ids=["1970", "five-years-ahead"],
)
def test_a_clock_that_is_wrong_at_a_start(
    tmp_path: Path, seconds: int, step: str, reason: str, answers: tuple[str, ...]
) -> None:
    """Work goes on as the lease allows; the line comes back by signed time under the wrong
    clock."""
    with clocked(tmp_path) as world:
        world.go_away()
        world.reboot_box(seconds)
        lease = world.lease()
        assert (lease["step"], world.next_steps()) == (step, [reason])
        assert work_alone(world) == answers
        assert reason in check(world)
        prove_back(world, starts=2)


def test_a_clock_that_jumps_while_the_box_runs(tmp_path: Path) -> None:
    """Central has said the time in this boot: nothing is charged and nothing is doubted, and the
    line comes back whatever the clock shows."""
    with clocked(tmp_path) as world:
        world.go_away()
        for seconds in (FIVE_YEARS, -SINCE_1970, -2 * DAY):
            world.box_clock.set_ahead(seconds)
            world.wait_clock()
            assert world.lease()["step"] == "full"
            assert world.lease()["seconds"] > 3 * DAY - 600
            assert work_alone(world) == FULL
        prove_back(world, starts=1)


def test_a_clock_that_jumps_back_between_starts_gains_nothing(tmp_path: Path) -> None:
    """Each start costs, a doubt stays until central has said the time, and nothing consumed comes
    back."""
    with clocked(tmp_path) as world:
        world.go_away()
        left = []
        for days in (0, 0, 1):
            world.reboot_box(days * DAY)
            assert world.lease()["step"] == "full"
            left.append(world.lease()["seconds"])
        assert all(later <= earlier - 600 for earlier, later in pairwise(left))
        assert left[2] < left[1] - DAY
        world.reboot_box(0)
        assert world.next_steps() == ["lease-clock"]
        world.reboot_box(2 * DAY)
        assert world.next_steps() == ["lease-clock"]
        prove_back(world, starts=6)


@pytest.mark.parametrize(
    ("days", "step", "answers"),
    [
        (25, "verify-only", VERIFY),
        (90, "identity-only", ("lease-identity-only",) * 3),
        (400, "stop", ("lease-stop",) * 3),
    ],
)
def test_a_box_comes_back_after_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, step: str, answers: tuple[str, ...]
) -> None:
    """In a cupboard with records that were not sent, its certificate over: it says one thing to do,
    and when that is done renews, takes a new lease and sends everything."""
    box = certificates._BOX._replace(days=20)
    monkeypatch.setattr(certificates, "_BOX", box)
    with clocked(tmp_path, days) as world:
        world.go_away()
        assert work_alone(world) == FULL
        world.supervisor.stop("box")
        world.true_clock.set_ahead(0)
        world.boot_box(0)
        lease = world.lease()
        assert lease["step"] == step
        assert len(world.next_steps()) == 1
        assert work_alone(world) == answers
        monkeypatch.undo()
        prove_back(world, starts=2)
        renewed = world.api.fetch("account")
        assert renewed["pending"] == 0
        assert world.certificate_left() > timedelta(days=300)


def test_a_shelf_whose_clock_went_on_from_1970(tmp_path: Path) -> None:
    """A cupboard and an empty clock battery together: only central's word helps, and does."""
    with clocked(tmp_path, 400) as world:
        world.go_away()
        world.supervisor.stop("box")
        world.true_clock.set_ahead(0)
        world.boot_box(-SINCE_1970)
        assert world.next_steps() == ["lease-clock"]
        world.come_back()
        world.wait_lease("full")
        wait_until(lambda: world.next_steps() == [], SETTLE_SECONDS, "nothing is left to do")
        world.prove()
