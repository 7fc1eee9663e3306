"""The label printer's driver against a Zebra below pyusb: the proof of print."""

import asyncio
import errno

import pytest

from agent.drivers.printer import WiredPrinter
from agent.drivers.printer_usb import CHUNK_BYTES
from agent.ports import PrinterStatus, PrintOutcome
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, make_label
from tests.agent.drivers.usb_peer import PACKET, UsbPeer
from tests.agent.drivers.wired import CONFIRMED, FAST, READY, formats, make_printer
from tests.devices.zebra import Zebra


async def test_a_label_is_confirmed_by_the_odometer(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Every byte left, the printer moved by the label's length, nothing waits: CONFIRMED."""
    told: list[str] = []
    assert await printer.print(SAMPLE, lambda: told.append("sent")) == CONFIRMED
    assert told == ["sent"]
    assert peer.zebra.printed == [formats(SAMPLE).strip()]


async def test_two_labels_at_once_do_not_mix(peer: UsbPeer, printer: WiredPrinter) -> None:
    """One writer: labels that are printed at the same time leave one after the other."""
    other = make_label(name="李*四")
    outcomes = await asyncio.gather(printer.print(SAMPLE), printer.print(other))
    assert set(outcomes) == {CONFIRMED}
    assert sorted(peer.zebra.printed) == sorted(formats(each).strip() for each in (SAMPLE, other))


async def test_the_printer_stays_open_between_labels(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Opening costs a second's tenths: it is done once, and undone at the end."""
    for _ in range(3):
        assert await printer.print(SAMPLE) == CONFIRMED
    await printer.aclose()
    assert peer.log == ["open", "claim", "setting 1", "release", "close"]
    assert await make_printer(peer).read_status() == READY


async def test_a_press_on_feed_is_no_proof(peer: UsbPeer, printer: WiredPrinter) -> None:
    """The label waits in the printer, a person presses Feed: the odometer has moved by a label, and
    nothing is confirmed."""
    peer.zebra.labels_a_second = 1e-9

    def press() -> None:
        peer.zebra.press_feed()

    outcome = await printer.print(SAMPLE, press)
    assert outcome == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)
    assert peer.zebra.printed == []


async def test_a_label_and_a_press_on_feed_are_too_far(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """Two lengths are not this label's: a person looks."""
    outcome = await printer.print(SAMPLE, lambda: None)
    assert outcome == CONFIRMED
    peer.zebra.labels_a_second = FAST
    peer.zebra.gap = 40  # each label moves by more than two of them
    outcome = await printer.print(SAMPLE)
    assert outcome == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)


@pytest.mark.parametrize("template", ["50x30", "51x25", "25x279"])
@pytest.mark.parametrize(("unit", "decimals"), [("cm", 0), ("in", 2)])
async def test_every_template_is_proved(
    peer: UsbPeer, template: str, unit: str, decimals: int
) -> None:
    """Wherever the label began within the odometer's unit."""
    printer = make_printer(peer, template)
    peer.zebra.decimals = decimals
    for start in (0.0, 2.6, 5.2, 7.9):
        peer.zebra.moved = 1000 + start
        outcome = await printer.print(make_label(template=template))
        assert outcome == CONFIRMED, (unit, start)
    await printer.aclose()


async def test_a_coarse_odometer_proves_nothing(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Inches, on a printer that cannot count in centimetres: sent, without proof."""
    peer.zebra.obeys_units = False
    peer.zebra.unit = "in"
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF)
    assert len(peer.zebra.printed) == 1


async def test_old_firmware_has_no_proof(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Without ~HQ the label is sent, and nothing proves it."""
    peer.zebra.old_firmware = True
    assert await printer.read_status() == READY
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF)


async def test_paper_that_ends_under_a_label(peer: UsbPeer, printer: WiredPrinter) -> None:
    """All bytes are with the printer when the paper ends: UNKNOWN with the cause. The label comes
    out when there is paper again; nothing is sent a second time."""
    peer.zebra.labels_a_second = 1e-9

    def end_paper() -> None:
        peer.zebra.flags.paper_out = True

    outcome = await printer.print(SAMPLE, end_paper)
    no_paper = frozenset({PrinterCondition.NO_PAPER})
    assert outcome == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CONDITION, no_paper)
    peer.zebra.flags.paper_out = False
    holding = frozenset({PrinterCondition.HOLDS_LABEL})
    assert await printer.read_status() == PrinterStatus(DeviceState.FAULTY, holding)
    peer.zebra.labels_a_second = FAST
    while peer.zebra.waiting:
        await printer.read_status()
    assert await printer.read_status() == READY
    assert peer.zebra.received.count(b"^FO") == formats(SAMPLE).count(b"^FO")


@pytest.mark.parametrize("error", [errno.ETIMEDOUT, errno.EPIPE, errno.ENODEV, errno.EIO])
@pytest.mark.parametrize("takes", [PACKET, PACKET + 100, PACKET + CHUNK_BYTES + 1])
async def test_cut_label_is_unknown(
    peer: UsbPeer, printer: WiredPrinter, takes: int, error: int
) -> None:
    """Some bytes left and then none (busy, stalled, pulled): UNKNOWN, a person decides."""
    assert await printer.read_status() == READY
    peer.fail_after(takes, error)
    large = make_label(
        name="阿卜杜热合曼买买提江吐尔逊古丽努尔麦麦提艾力依明", record_number="8" * 20
    )
    assert len(formats(large)) > PACKET + CHUNK_BYTES + 1
    assert await printer.print(large) == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errno.ETIMEDOUT, Reason.DEVICE_SILENT),
        (errno.EPIPE, Reason.DEVICE_FAULTY),
        (errno.ENODEV, Reason.DEVICE_ABSENT),
    ],
)
async def test_label_that_never_left_has_failed(
    peer: UsbPeer, printer: WiredPrinter, error: int, reason: Reason
) -> None:
    """The first packet was not taken: no byte has left, FAILED with the reason."""
    assert await printer.read_status() == READY
    peer.fail_after(0, error)
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, reason)


async def test_pulled_while_a_label_comes_out(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Every byte had left: UNKNOWN."""

    def pull() -> None:
        peer.plugged = False

    peer.zebra.labels_a_second = 1e-9
    outcome = await printer.print(SAMPLE, pull)
    assert outcome == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)


async def test_half_a_label_is_not_ended_by_a_later_question(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """After a cut the printer holds half a format: setting it up again would end it, and print it.
    It is cancelled, and nothing comes out by itself."""
    assert await printer.read_status() == READY
    peer.fail_after(PACKET + 100, errno.ETIMEDOUT)
    assert (await printer.print(SAMPLE)).state is PrintState.UNKNOWN
    peer.takes = None
    assert await printer.read_status() == READY
    assert peer.zebra.printed == []
    assert await printer.print(SAMPLE) == CONFIRMED
    assert peer.zebra.printed == [formats(SAMPLE).strip()]


@pytest.mark.parametrize("start", [0.0, 4.0, 9.5])
async def test_paper_that_moves_bit_by_bit_is_out_when_it_rests(start: float) -> None:
    """In whole centimetres two thirds of a label read like a whole one."""
    zebra = Zebra(labels_a_second=5, gradual=True)
    zebra.moved = 1000 + start
    printer = make_printer(UsbPeer(zebra))
    assert await printer.print(SAMPLE) == CONFIRMED
    assert len(zebra.printed) == 1
    await printer.aclose()


async def test_no_label_goes_behind_one_that_is_stuck(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Its movement would be taken for the other's: FAILED, and no byte has left."""
    peer.zebra.labels_a_second = 1e-9
    stuck = await printer.print(SAMPLE, lambda: setattr(peer.zebra.flags, "paused", True))
    assert stuck.state is PrintState.UNKNOWN
    peer.zebra.flags.paused = False
    received = peer.zebra.received
    holding = frozenset({PrinterCondition.HOLDS_LABEL})
    outcome = await printer.print(make_label(name="李*四"))
    assert outcome == PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION, holding)
    assert peer.zebra.received == received


async def test_its_own_word_on_errors_names_what_stops_a_label(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """~HS stays away with the paper out, as Zebra's present guide says; ~HQES tells."""
    peer.zebra.labels_a_second = 1e-9

    def end_paper() -> None:
        peer.zebra.flags.paper_out = True
        peer.zebra.silent_to = frozenset({"HS"})

    outcome = await printer.print(SAMPLE, end_paper)
    assert outcome.conditions == {PrinterCondition.NO_PAPER}
