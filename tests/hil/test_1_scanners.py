"""Scanners on a real kernel: what is typed, sent or reported there is what central gets."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from demo.supervisor import wait_until
from shared.reasons import Reason
from tests.hil.conftest import SCANNER, Hil
from tests.hil.counter import SECONDS, UNIT

GUEST = Path(__file__).with_name("guest")
SCANS = 100
FAST_SCANS = 60
STRANGER = "/dev/input/by-id/usb-Logitech_Keyboard_K120-event-kbd"
LAST = "B9999999:1"


def build_texts(letter: str, count: int) -> list[str]:
    """Short texts that are damaged codes: refused, and each kept as a record of its own."""
    return [f"{letter}{number:07d}:1" for number in range(count)]


def wait_at_central(hil: Hil, count: int) -> None:
    """Wait until the box has made so many records in all, and central has them."""
    hil.counter.wait_created(count)
    hil.counter.wait_state("all sent", lambda state: state["account"]["pending"] == 0)


def scans_so_far(hil: Hil) -> int:
    """How many scans central has, once it has every one."""
    wait_at_central(hil, 0)
    return len(hil.centre.read_scans(()))


def recorded(hil: Hil, texts: Iterable[str], before: int) -> list[str | None]:
    """What was scanned after the first ``before`` scans, as central has it."""
    return hil.centre.read_scans(texts)[before:]


def test_a_code_is_asked_about_and_accepted(hil: Hil) -> None:
    """A patient's code, typed by a USB keyboard, is judged by central and kept by the box."""
    before = hil.counter.created()
    hil.scanner.type(hil.centre.issue_code() + "\r")
    wait_at_central(hil, before + 1)
    shown = hil.counter.wait_state("shown", lambda state: state["recent"][0]["verdict"])
    assert (shown["recent"][0]["verdict"], shown["recent"][0]["decided_by"]) == (
        "accepted",
        "central",
    )


class SecondReader:
    """Another program in the guest that wants a keyboard."""

    def __init__(self, hil: Hil, device: str) -> None:
        script = "/root/second_reader.py"
        machine = hil.counter.machine
        machine.run(f"cat >{script}", stdin=(GUEST / "second_reader.py").read_bytes())
        self._process = machine.start(f"python3 -I {script} {device}")

    def grab(self) -> str:
        """What grabbing it came to: ``grabbed``, or the error's name."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def seen(self) -> int:
        """Ends it; how many events it has seen."""
        out, _ = self._process.communicate()
        return int(out)


def test_the_scanner_is_the_agents_alone(hil: Hil) -> None:
    """Another program that wants the scanner gets EBUSY, and of a scan it sees no event."""
    reader = SecondReader(hil, SCANNER)
    assert reader.grab() == "EBUSY"
    before = hil.counter.created()
    hil.scanner.type("A1B2C3D4:1\r")
    hil.counter.wait_created(before + 1)
    assert reader.seen() == 0


def test_paced_scans_come_whole(hil: Hil) -> None:
    """A hundred scans at a scanner's own pace are a hundred records, letter for letter."""
    texts = build_texts("A", SCANS)
    before, created = scans_so_far(hil), hil.counter.created()
    for text in texts:
        hil.scanner.type(text + "\r")
    wait_at_central(hil, created + SCANS)
    assert recorded(hil, texts, before) == texts


def test_what_the_kernel_drops_is_never_a_wrong_code(hil: Hil) -> None:
    """More keys than the kernel's queue holds while the agent stands still, then scans as fast as
    the wire takes them: a scan is recorded as it was, or as one whose events were lost; no record
    has another text."""
    texts = build_texts("B", FAST_SCANS)
    before, created = scans_so_far(hil), hil.counter.created()
    agent = hil.counter.machine.run(f"systemctl show {UNIT} -p MainPID --value").strip()
    hil.counter.machine.run(f"kill -STOP {agent}")
    for text in texts[: FAST_SCANS // 2]:
        hil.scanner.type(text + "\r", report_seconds=0)
    hil.counter.machine.run(f"kill -CONT {agent}")
    hil.counter.wait_created(created + 1)  # it reads again
    for text in texts[FAST_SCANS // 2 :]:
        hil.scanner.type(text + "\r", report_seconds=0)

    def look() -> list[str | None] | None:
        hil.scanner.type(f"\r{LAST}\r")  # until one comes whole, what was left half is over
        came = recorded(hil, [*texts, LAST], before)
        return came if LAST in came else None

    came = wait_until(look, SECONDS, "a scan comes whole again")
    assert Reason.FRAME_LOST in came, "nothing was dropped: this showed nothing"
    assert set(came) <= {*texts, LAST, Reason.FRAME_LOST}


def test_a_scanner_may_leave_and_come_back(hil: Hil) -> None:
    """Unplugged it is absent; on another port it is the same scanner, and scans."""
    hil.counter.pull(hil.scanner)
    hil.counter.wait_state("absent", lambda state: state["scanner"]["state"] == "absent")
    hil.counter.plug_in(hil.stranger)  # takes the port
    hil.counter.plug_in(hil.scanner)
    hil.counter.wait_state("ready", lambda state: state["scanner"]["state"] == "ready")
    assert len(hil.counter.state()["scanners"]) == 1
    before = hil.counter.created()
    hil.scanner.type("C0000001:1\r")
    hil.counter.wait_created(before + 1)


def test_an_unknown_keyboard_is_left_alone_and_told_once(hil: Hil) -> None:
    """What is somebody's keyboard is not grabbed, types into no record, and stands on the page
    with a next step, once."""
    reports = hil.counter.state()["reports"]
    assert [each["advice"]["reason"] for each in reports] == [Reason.KEYBOARD_UNKNOWN]
    reader = SecondReader(hil, STRANGER)
    assert reader.grab() == "grabbed"
    before = hil.counter.created()
    hil.stranger.type("C0000002:1\r")
    assert reader.seen() > 0
    assert hil.counter.created() == before
    hil.counter.pull(hil.stranger)
    hil.counter.wait_state("gone", lambda state: not state["reports"])


@pytest.mark.parametrize(
    ("name", "letter"), [("second_scanner", "D"), ("serial_scanner", "E"), ("pos_scanner", "F")]
)
def test_a_second_scanner_works_beside_the_first(hil: Hil, name: str, letter: str) -> None:
    """Of the same kind, serial or HID-POS: both scan, the second also after it was pulled and
    plugged in again, and nobody has configured anything."""
    second = getattr(hil, name)
    texts = build_texts(letter, 4)
    before, created = scans_so_far(hil), hil.counter.created()
    for text in texts[:2], texts[2:]:
        hil.counter.plug_in(second)
        hil.counter.wait_state("two are ready", two_are_ready)
        second.scan(text[0])
        hil.scanner.scan(text[1])
        wait_at_central(hil, created + len(text))
        created += len(text)
        hil.counter.pull(second)
        hil.counter.wait_state("one is left", lambda state: not two_are_ready(state))
    assert set(recorded(hil, texts, before)) == set(texts)
    assert hil.counter.state()["scanner"]["state"] == "ready"


def test_a_device_that_claims_to_be_both(hil: Hil) -> None:
    """A keyboard that is a printer too is told on the page; scanner and printer go on."""
    hil.counter.plug_in(hil.both)
    shown = hil.counter.wait_state("reported", lambda state: state["reports"])
    assert [each["advice"]["reason"] for each in shown["reports"]] == [Reason.DEVICE_AMBIGUOUS]
    assert shown["reports"][0]["advice"]["next_zh"]
    before = hil.counter.created()
    hil.scanner.scan("C0000003:1")
    hil.counter.wait_created(before + 1)
    assert hil.counter.state()["printer"]["state"] == "ready"
    hil.counter.pull(hil.both)
    hil.counter.wait_state("gone", lambda state: not state["reports"])


def two_are_ready(state: Any) -> bool:
    """Whether two scanners on the page are ready."""
    return [each["state"] for each in state["scanners"]].count("ready") == 2
