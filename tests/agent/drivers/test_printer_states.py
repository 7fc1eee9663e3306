"""The label printer's driver against a Zebra below pyusb: states by name, and bad answers."""

import errno

import pytest

from agent.drivers.encoder import LabelEncoder
from agent.drivers.printer import WiredPrinter
from agent.drivers.printer_language import PrinterLanguage
from agent.ports import PrinterStatus, PrintOutcome
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, make_label
from tests.agent.drivers.usb_peer import UsbPeer
from tests.agent.drivers.wired import CONFIRMED, FAST, READY, make_printer
from tests.devices.zebra import Language, Voice, Zebra


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
