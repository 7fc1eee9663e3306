"""A label printer on a real kernel: usblp, libusb, and the truth about each label."""

import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from agent.drivers.encoder import LabelEncoder
from agent.ports import Label
from demo.residents import SAMPLE
from shared.ids import RecordId
from shared.reasons import Reason
from tests.hil.centre import SITE_NAME
from tests.hil.conftest import Hil

SOON = 15.0
"""For what a box shows within two seconds, on a machine that is a tenth as fast."""

IN_THE_MIDDLE = 500
"""So many bytes of a label have come in, and the rest has not."""

WITHOUT_RULE = b'SUBSYSTEM=="usb", ATTR{idVendor}=="0a5f", GROUP="root", MODE="0600"\n'

FLAGS = {
    "paper_out": "no-paper",
    "head_open": "head-open",
    "ribbon_out": "no-ribbon",
    "paused": "paused",
    "hot": "too-hot",
    "cold": "too-cold",
    "buffer_full": "buffer-full",
}


def issue(hil: Hil) -> Any:
    """Register the sample person and print a label; the label as the page shows it."""
    form = {"document_type": "01", "number": SAMPLE.number, "name": SAMPLE.name, "phone": ""}
    view = hil.counter.api.send("issue", form)
    assert view["label"] is not None, view
    return view["label"]


def wait_label(hil: Hil, label: Any, *states: str) -> Any:
    """Wait until the label is in one of the states; the label then."""

    def look(state: Any) -> bool:
        return find(state, label)["state"] in states

    return find(hil.counter.wait_state(f"the label is {states}", look), label)


def find(state: Any, label: Any) -> Any:
    """A label on the page."""
    return next(each for each in state["labels"] if each["id"] == label["id"])


def wait_ready(hil: Hil) -> None:
    """Wait until the page shows the printer ready."""
    hil.counter.wait_state("ready", lambda state: state["printer"]["state"] == "ready")


def test_the_bytes_are_the_encoders_and_the_odometer_proves_them(hil: Hil) -> None:
    """What came out is, byte for byte, what the encoder of the golden labels makes of this label;
    and it is confirmed by the printer's own odometer."""
    wait_ready(hil)
    shown = wait_label(hil, issue(hil), "confirmed")
    label = Label(
        id=RecordId(UUID(shown["id"])),
        code=hil.centre.static_code(),
        name=shown["name"],
        record_number=shown["record_number"],
        site=SITE_NAME,
        date=date.fromisoformat(shown["at"][:10]).isoformat(),
        copy=shown["copy"],
    )
    expected = LabelEncoder().encode(label)
    assert hil.printer.printed[-1].strip() == expected.strip()


@pytest.mark.parametrize(("flag", "condition"), FLAGS.items())
def test_each_flag_is_a_state_by_name(hil: Hil, flag: str, condition: str) -> None:
    """What ~HS says is wrong stands on the page by its name, and goes again."""
    hil.printer.set(flag, True)
    hil.counter.wait_state(
        condition, lambda state: condition in state["printer"]["conditions"], SOON
    )
    hil.printer.set(flag, False)
    hil.counter.wait_state("ready", lambda state: state["printer"]["state"] == "ready", SOON)


def test_a_busy_printer_gets_no_label_later(hil: Hil) -> None:
    """A printer that takes no bytes (NAK) fails the label; when it takes bytes again, nothing
    comes by itself."""
    received = hil.printer.received
    hil.printer.hold()
    assert issue(hil)["state"] == "failed"
    hil.printer.release()
    wait_ready(hil)
    assert formats(hil.printer.received) == formats(received)


def test_a_printer_that_stops_in_the_middle_gets_no_rest_later(hil: Hil) -> None:
    """A label whose first bytes have left is unknown; its rest never comes, and a restart of the
    agent resends nothing."""
    printed = hil.printer.printed
    hil.printer.after(IN_THE_MIDDLE, hil.printer.hold)
    label = wait_label(hil, issue(hil), "unknown")
    assert label["needs_answer"]
    received = hil.printer.received
    hil.printer.release()
    hil.counter.wait_state("asked", lambda state: state["printer"]["state"] != "silent")
    assert formats(hil.printer.received) == formats(received)
    assert b"^PQ" not in hil.printer.received[len(received) :], hil.printer.received[
        len(received) :
    ]
    with hil.printer.lock:
        hil.printer.zebra.switch_off()  # as a person clears half a label away
    wait_ready(hil)
    hil.counter.machine.run("systemctl restart onecode-agent")
    hil.counter.start_agent()
    wait_ready(hil)
    assert formats(hil.printer.received) == formats(received)
    assert hil.printer.printed == printed


def test_paper_that_ends_after_the_last_byte_leaves_the_label_unknown(hil: Hil) -> None:
    """Every byte was taken and nothing came out: the odometer did not move, a person is asked."""
    hil.printer.set("paper_out", False)
    hil.printer.after(IN_THE_MIDDLE, lambda: hil.printer.set("paper_out", True))
    label = wait_label(hil, issue(hil), "unknown")
    assert label["needs_answer"]
    with hil.printer.lock:
        hil.printer.zebra.switch_off()  # what waits in its buffer is not this test's
    hil.printer.set("paper_out", False)
    wait_ready(hil)


def test_a_printer_pulled_in_the_middle_of_a_label(hil: Hil) -> None:
    """The label is unknown, the printer absent; plugged in again it works, and is sent nothing."""
    hil.printer.after(IN_THE_MIDDLE, hil.printer.pull)
    label = issue(hil)
    assert wait_label(hil, label, "unknown")["advice"] is not None
    hil.counter.wait_state("absent", lambda state: state["printer"]["state"] == "absent")
    with hil.printer.lock:
        hil.printer.zebra.switch_off()
    received = formats(hil.printer.received)
    hil.counter.plug_in(hil.printer)
    wait_ready(hil)
    assert formats(hil.printer.received) == received
    wait_label(hil, issue(hil), "confirmed")


def test_a_missing_rule_is_named(hil: Hil) -> None:
    """A printer that the agent may not open is not absent: the page says that a rule is missing.
    With the rule back it works, without a restart."""
    machine = hil.counter.machine
    rule = "/run/udev/rules.d/99-without.rules"
    hil.counter.pull(hil.printer)
    machine.run(
        f"mkdir -p /run/udev/rules.d && cat >{rule} && udevadm control --reload", stdin=WITHOUT_RULE
    )
    hil.counter.plug_in(hil.printer)
    shown = hil.counter.wait_state("denied", lambda state: state["printer"]["state"] == "denied")
    assert shown["printer"]["advice"]["reason"] == Reason.DEVICE_RULE_MISSING
    machine.run(f"rm {rule} && udevadm control --reload && udevadm trigger && udevadm settle")
    wait_ready(hil)


def formats(received: bytes) -> int:
    """How many labels have begun to come."""
    return len(re.findall(rb"\^GFA", received))
