"""Scanners on a real kernel: what is typed, sent or reported there is what central gets."""

from collections.abc import Iterable
from pathlib import Path

from demo.supervisor import wait_until
from shared.reasons import Reason
from tests.hil.conftest import SCANNER, Hil
from tests.hil.counter import SECONDS, UNIT

GUEST = Path(__file__).with_name("guest")
SCANS = 100
FAST_SCANS = 60
SERIAL = "/dev/serial/by-id/usb-Newland_Auto-ID_FR20_CDC_SN4-if00"
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


def test_the_scanner_is_the_agents_alone(hil: Hil) -> None:
    """Another program that wants the scanner gets EBUSY, and of a scan it sees no event."""
    script = "/root/second_reader.py"
    hil.counter.machine.run(f"cat >{script}", stdin=(GUEST / "second_reader.py").read_bytes())
    reader = hil.counter.machine.start(f"python3 -I {script} {SCANNER}")
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "EBUSY\n"
    before = hil.counter.created()
    hil.scanner.type("A1B2C3D4:1\r")
    hil.counter.wait_created(before + 1)
    reader.stdin.close()
    assert reader.stdout.readline() == "0\n"
    reader.wait()


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
    before = hil.counter.created()
    hil.scanner.type("C0000001:1\r")
    hil.counter.wait_created(before + 1)


def test_a_serial_scanner(hil: Hil) -> None:
    """In CDC mode: scans come whole, also in pieces; pulled and plugged in it is the same one."""
    hil.counter.plug_in(hil.serial_scanner)
    hil.counter.choose_scanner("serial", SERIAL)
    before, created = scans_so_far(hil), hil.counter.created()
    texts = build_texts("D", 3)
    hil.serial_scanner.scan(f"{texts[0]}\r{texts[1][:5]}".encode())
    hil.serial_scanner.scan(f"{texts[1][5:]}\r".encode())
    hil.counter.wait_created(created + 2)
    hil.counter.pull(hil.serial_scanner)
    hil.counter.wait_state("absent", lambda state: state["scanner"]["state"] == "absent")
    hil.counter.plug_in(hil.serial_scanner)
    hil.counter.wait_state("ready", lambda state: state["scanner"]["state"] == "ready")
    hil.serial_scanner.scan(f"{texts[2]}\r".encode())
    wait_at_central(hil, created + 3)
    assert recorded(hil, texts, before) == texts
    hil.counter.pull(hil.serial_scanner)
    hil.counter.choose_scanner("hid", SCANNER)
