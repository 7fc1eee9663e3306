"""The label printer's driver against a Zebra below pyusb: proof of print, states, bad answers."""

import asyncio
import errno
from collections.abc import AsyncIterator
from functools import partial

import pytest

from agent.drivers.encoder import LabelEncoder
from agent.drivers.printer import WiredPrinter
from agent.drivers.printer_language import PrinterLanguage
from agent.drivers.printer_usb import CHUNK_BYTES, UsbPath, open_usb
from agent.ports import DeviceDescriptor, Label, PrinterStatus, PrintOutcome
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, make_label
from tests.agent.drivers.usb_peer import PACKET, PRODUCT, VENDOR, UsbPeer
from tests.devices.zebra import Language, Voice, Zebra

PATH = UsbPath(VENDOR, PRODUCT)
FAST = 200.0  # labels a second
CONFIRMED = PrintOutcome(PrintState.CONFIRMED)
READY = PrinterStatus(DeviceState.READY)


@pytest.fixture
def peer() -> UsbPeer:
    return UsbPeer(Zebra(labels_a_second=FAST))


@pytest.fixture
async def printer(peer: UsbPeer) -> AsyncIterator[WiredPrinter]:
    made = make_printer(peer)
    yield made
    await made.aclose()


def make_printer(peer: UsbPeer, template: str = "50x30") -> WiredPrinter:
    device = DeviceDescriptor("label printer", "usb")
    return WiredPrinter(device, partial(open_usb, PATH, peer), LabelEncoder(), template)


def formats(label: Label) -> bytes:
    """A label as the printer gets it."""
    return LabelEncoder().encode(label)


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


@pytest.mark.parametrize(
    ("flag", "condition"),
    [
        ("paper_out", PrinterCondition.NO_PAPER),
        ("head_open", PrinterCondition.HEAD_OPEN),
        ("ribbon_out", PrinterCondition.NO_RIBBON),
        ("paused", PrinterCondition.PAUSED),
        ("hot", PrinterCondition.TOO_HOT),
        ("cold", PrinterCondition.TOO_COLD),
        ("buffer_full", PrinterCondition.BUFFER_FULL),
        ("corrupt", PrinterCondition.OTHER_FAULT),
    ],
)
async def test_every_condition_has_a_name_and_stops_a_label(
    peer: UsbPeer, printer: WiredPrinter, flag: str, condition: PrinterCondition
) -> None:
    """The printer gets nothing to keep, and is ready again when it says so."""
    peer.zebra.thermal_transfer = True
    setattr(peer.zebra.flags, flag, True)
    conditions = frozenset({condition})
    assert await printer.read_status() == PrinterStatus(DeviceState.FAULTY, conditions)
    outcome = await printer.print(SAMPLE)
    assert outcome == PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION, conditions)
    assert b"^FO" not in peer.zebra.received
    setattr(peer.zebra.flags, flag, False)
    assert await printer.read_status() == READY


async def test_wrong_resolution_and_wrong_media(peer: UsbPeer, printer: WiredPrinter) -> None:
    """A 300 dpi head would print a third smaller; other labels would be printed across two."""
    peer.zebra.dots, peer.zebra.media_dots = 12, 800
    status = await printer.read_status()
    assert status.conditions == {PrinterCondition.WRONG_RESOLUTION, PrinterCondition.WRONG_MEDIA}
    assert (await printer.print(SAMPLE)).state is PrintState.FAILED


async def test_continuous_paper_is_as_long_as_the_label(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """What it says of its length is what it was told last."""
    peer.zebra.continuous, peer.zebra.media_dots = True, 1245
    assert await printer.read_status() == READY


async def test_silence_is_never_ready(peer: UsbPeer, printer: WiredPrinter) -> None:
    """A printer that does not answer is SILENT, and gets no label; nor one that falls silent."""
    peer.zebra.voice = Voice.SILENT
    assert (await printer.read_status()).state is DeviceState.SILENT
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_SILENT)
    peer.zebra.voice = Voice.TRUE
    assert await printer.read_status() == READY
    peer.zebra.voice = Voice.SILENT
    assert (await printer.read_status()).state is DeviceState.SILENT
    assert b"^FO" not in peer.zebra.received


@pytest.mark.parametrize("voice", [Voice.GARBAGE, Voice.HALF])
@pytest.mark.parametrize("open_before", [True, False])
async def test_garbage_and_half_answers_are_a_fault(
    peer: UsbPeer, printer: WiredPrinter, voice: Voice, open_before: bool
) -> None:
    """Never OK, and no label is sent; when it speaks again, it is ready again."""
    if open_before:
        assert await printer.read_status() == READY
    peer.zebra.voice = voice
    garbled = PrinterStatus(DeviceState.FAULTY, reason=Reason.PRINTER_GARBLED)
    assert await printer.read_status() == garbled
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.PRINTER_GARBLED)
    peer.zebra.voice = Voice.TRUE
    assert await printer.read_status() == READY
    assert await printer.print(SAMPLE) == CONFIRMED


async def test_another_printers_status_is_not_this_ones(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """Three strings with other fields than ~HS has."""
    assert await printer.read_status() == READY
    peer.zebra.voice = Voice.SILENT
    peer.leave_unread(b"\x02a,b\x03\r\n\x02c\x03\r\n\x02d,0\x03\r\n")
    status = await printer.read_status()
    assert status == PrinterStatus(DeviceState.FAULTY, reason=Reason.PRINTER_GARBLED)


async def test_a_late_answer_is_not_the_next_ones(peer: UsbPeer, printer: WiredPrinter) -> None:
    """What comes after its time is read away before the next question."""
    peer.zebra.voice = Voice.SILENT
    assert (await printer.read_status()).state is DeviceState.SILENT
    peer.leave_unread(b"\x02030,1,0,0240,000,0,0,0,000,0,0,0\x03\r\n")
    peer.zebra.voice = Voice.TRUE
    assert await printer.read_status() == READY


async def test_it_prints_nothing_again_by_itself(peer: UsbPeer, printer: WiredPrinter) -> None:
    """^JZN is set and read back; a printer that will not stop gets no label."""
    assert await printer.read_status() == READY
    assert not peer.zebra.reprints
    await printer.aclose()
    stubborn = UsbPeer(Zebra(obeys_reprint=False, labels_a_second=FAST))
    other = make_printer(stubborn)
    assert (await other.read_status()).reason is Reason.PRINTER_REPRINTS
    outcome = await other.print(SAMPLE)
    assert outcome == PrintOutcome(PrintState.FAILED, Reason.PRINTER_REPRINTS)
    assert b"^FO" not in stubborn.zebra.received
    await other.aclose()


async def test_epl_is_the_fallback(peer: UsbPeer, printer: WiredPrinter) -> None:
    """~HI is silent and the printer says that it speaks EPL: a raster, sent without proof."""
    peer.zebra.language = Language.EPL
    peer.device_id = b"MFG:Zebra;CMD:EPL2;MDL:ZTC GK888t (EPL);CLS:PRINTER;"
    identity = await printer.read_identity()
    assert (identity.language, identity.model) == (PrinterLanguage.EPL2, "ZTC GK888t (EPL)")
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.SENT, Reason.PRINT_NO_PROOF)
    while peer.zebra.waiting:
        assert await printer.read_status() == READY
    (raster,) = peer.zebra.printed
    assert raster == LabelEncoder().encode(SAMPLE, PrinterLanguage.EPL2)
    peer.zebra.flags.paper_out = True
    assert (await printer.read_status()).conditions == {PrinterCondition.NO_PAPER}


async def test_a_printer_of_neither_language_is_said(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Its device id names something else: it is asked nothing, or it would print the question."""
    peer.device_id = b"MFG:Acme;CMD:ESC/POS;MDL:Receipt 80;CLS:PRINTER;"
    status = await printer.read_status()
    assert (status.state, status.reason) == (DeviceState.FAULTY, Reason.PRINTER_UNKNOWN)
    assert peer.zebra.received == b""


async def test_pulled_and_put_back(peer: UsbPeer, printer: WiredPrinter) -> None:
    """A pulled printer is ABSENT and its label FAILED; put back, it prints."""
    assert await printer.print(SAMPLE) == CONFIRMED
    peer.plugged = False
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
    assert (await printer.read_status()).state is DeviceState.ABSENT
    peer.plugged = True
    assert await printer.print(SAMPLE) == CONFIRMED


async def test_pulled_while_a_label_comes_out(peer: UsbPeer, printer: WiredPrinter) -> None:
    """Every byte had left: UNKNOWN."""

    def pull() -> None:
        peer.plugged = False

    peer.zebra.labels_a_second = 1e-9
    outcome = await printer.print(SAMPLE, pull)
    assert outcome == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_NOT_CONFIRMED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(errno.EACCES, Reason.DEVICE_RULE_MISSING), (errno.EBUSY, Reason.DEVICE_IN_USE)],
)
async def test_printer_without_rights_is_denied(
    peer: UsbPeer, printer: WiredPrinter, error: int, reason: Reason
) -> None:
    """No right to open it, which names the rule; or another program has it."""
    peer.open_error = error
    assert await printer.read_status() == PrinterStatus(DeviceState.DENIED, reason=reason)
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, reason)
    assert "70-onecode.rules" in Reason.DEVICE_RULE_MISSING.words.next_en


async def test_unprintable_label_is_refused_before_the_printer_hears_of_it(
    peer: UsbPeer, printer: WiredPrinter
) -> None:
    """A missing glyph raises before the printer is opened."""
    with pytest.raises(Malformed) as caught:
        await printer.print(make_label(name="ཀ*ཁ"))
    assert caught.value.reason is Reason.GLYPH_MISSING
    assert peer.log == []


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
