"""The USB printer against a peer below pyusb: whole labels, cuts, stalls, silence and pulls."""

import asyncio
import errno

import pytest

from agent.drivers.encoder import ZplEncoder
from agent.drivers.printer_usb import CHUNK_BYTES, UsbPath, UsbPrinter, parse_usb_path
from agent.ports import PrinterStatus, PrintOutcome
from shared.devices import DeviceState, PrinterCondition, PrintState
from shared.errors import Malformed
from shared.reasons import Reason
from tests.agent.drivers.labels import SAMPLE, make_label
from tests.agent.drivers.usb_peer import PACKET, PRODUCT, READY, VENDOR, UsbPeer


@pytest.fixture
def peer() -> UsbPeer:
    return UsbPeer()


@pytest.fixture
def printer(peer: UsbPeer) -> UsbPrinter:
    return UsbPrinter(UsbPath(VENDOR, PRODUCT), ZplEncoder(), peer)


async def test_whole_label_is_sent(peer: UsbPeer, printer: UsbPrinter) -> None:
    """Every byte left: SENT. The kernel's driver gave way, the setting that answers was chosen,
    and the printer was let go."""
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.SENT)
    assert peer.received == ZplEncoder().encode(SAMPLE)
    assert peer.log == ["open", "claim", "setting 1", "release", "close"]


async def test_two_labels_at_once_do_not_mix(peer: UsbPeer, printer: UsbPrinter) -> None:
    """One writer: labels that are printed at the same time leave one after the other."""
    other = make_label(name="李*四")
    outcomes = await asyncio.gather(printer.print(SAMPLE), printer.print(other))
    assert {outcome.state for outcome in outcomes} == {PrintState.SENT}
    first, second = ZplEncoder().encode(SAMPLE), ZplEncoder().encode(other)
    assert peer.received in {first + second, second + first}


@pytest.mark.parametrize("error", [errno.ETIMEDOUT, errno.EPIPE, errno.ENODEV, errno.EIO])
@pytest.mark.parametrize("takes", [PACKET, PACKET + 100, PACKET + CHUNK_BYTES + 1])
async def test_cut_label_is_unknown(
    peer: UsbPeer, printer: UsbPrinter, takes: int, error: int
) -> None:
    """Some bytes left and then none (busy, stalled, pulled): UNKNOWN, a person decides."""
    peer.takes, peer.fails_with = takes, error
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.UNKNOWN, Reason.PRINT_CUT)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errno.ETIMEDOUT, Reason.DEVICE_SILENT),
        (errno.EPIPE, Reason.DEVICE_FAULTY),
        (errno.ENODEV, Reason.DEVICE_ABSENT),
    ],
)
async def test_label_that_never_left_has_failed(
    peer: UsbPeer, printer: UsbPrinter, error: int, reason: Reason
) -> None:
    """The first packet was not taken: no byte has left, FAILED with the reason."""
    peer.takes, peer.fails_with = 0, error
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, reason)


async def test_condition_stops_a_label_before_its_first_byte(
    peer: UsbPeer, printer: UsbPrinter
) -> None:
    """Without paper the label fails with the condition and the printer gets nothing to keep."""
    peer.answer = READY.replace(b"\x02030,0,", b"\x02030,1,")
    no_paper = frozenset({PrinterCondition.NO_PAPER})
    assert await printer.read_status() == PrinterStatus(DeviceState.FAULTY, no_paper)
    outcome = await printer.print(SAMPLE)
    assert outcome == PrintOutcome(PrintState.FAILED, Reason.PRINT_CONDITION, no_paper)
    assert peer.received == b""


async def test_silence_is_never_ready(peer: UsbPeer, printer: UsbPrinter) -> None:
    """A printer that does not answer is SILENT, and gets no label."""
    peer.answer = None
    assert (await printer.read_status()).state is DeviceState.SILENT
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_SILENT)
    assert peer.received == b""


async def test_garbage_is_a_fault(peer: UsbPeer, printer: UsbPrinter) -> None:
    """An answer that is no status is a fault, never OK."""
    peer.answer = b"\x02a\x03\r\n\x02b\x03\r\n\x02c\x03\r\n"
    other_fault = frozenset({PrinterCondition.OTHER_FAULT})
    assert await printer.read_status() == PrinterStatus(DeviceState.FAULTY, other_fault)


async def test_stale_answer_is_not_todays(peer: UsbPeer, printer: UsbPrinter) -> None:
    """What was left unread from an earlier question is thrown away before the next."""
    peer.leave_unread(READY)
    peer.answer = READY.replace(b"\x02000,0,0,", b"\x02000,0,1,")
    status = await printer.read_status()
    assert status.conditions == {PrinterCondition.HEAD_OPEN}


async def test_pulled_and_put_back(peer: UsbPeer, printer: UsbPrinter) -> None:
    """A pulled printer is ABSENT and its label FAILED; put back, it prints."""
    peer.plugged = False
    assert (await printer.read_status()).state is DeviceState.ABSENT
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_ABSENT)
    peer.plugged = True
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.SENT)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EBUSY])
async def test_printer_without_rights_is_denied(
    peer: UsbPeer, printer: UsbPrinter, error: int
) -> None:
    """No right to open it, or another program has it: DENIED with its reason."""
    peer.open_error = error
    assert (await printer.read_status()).state is DeviceState.DENIED
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_DENIED)


async def test_missing_library_names_itself(peer: UsbPeer, printer: UsbPrinter) -> None:
    """Without libusb no rule and no cable helps: the reason names the package, not a right."""
    peer.library = False
    outcome = await printer.print(SAMPLE)
    assert outcome == PrintOutcome(PrintState.FAILED, Reason.DRIVER_MISSING)
    assert (await printer.read_status()).state is not DeviceState.DENIED
    assert "libusb" in Reason.DRIVER_MISSING.words.next_en
    assert "libusb" in Reason.DRIVER_MISSING.words.next_zh


async def test_unconfigured_printer_is_configured(peer: UsbPeer, printer: UsbPrinter) -> None:
    """A printer that the kernel left without configuration gets its first one."""
    peer.configuration = 0
    assert await printer.read_status() == PrinterStatus(DeviceState.READY)


async def test_printer_in_another_mode_is_faulty(peer: UsbPeer, printer: UsbPrinter) -> None:
    """Its active configuration has no printer in it: a state, not a crash."""
    peer.configurations = 2
    assert (await printer.read_status()).state is DeviceState.FAULTY
    assert await printer.print(SAMPLE) == PrintOutcome(PrintState.FAILED, Reason.DEVICE_FAULTY)


async def test_one_way_printer_is_not_ours(peer: UsbPeer, printer: UsbPrinter) -> None:
    """A printer that cannot answer counts as absent: nothing would ever be known of it."""
    peer.both_ways = False
    assert (await printer.read_status()).state is DeviceState.ABSENT


async def test_unprintable_label_is_refused_before_the_printer_hears_of_it(
    peer: UsbPeer, printer: UsbPrinter
) -> None:
    """A missing glyph raises before the printer is opened."""
    with pytest.raises(Malformed) as caught:
        await printer.print(make_label(name="ཀ*ཁ"))
    assert caught.value.reason is Reason.GLYPH_MISSING
    assert peer.log == []


def test_paths() -> None:
    """vendor:product or vendor alone, in hex; everything else is a wrong configuration."""
    assert parse_usb_path("0a5f:0080") == (VENDOR, PRODUCT)
    assert parse_usb_path("0A5F") == (VENDOR, None)
    for wrong in ("", ":", "0a5f:", "zebra", "0a5f:0080:1"):
        with pytest.raises(Malformed) as caught:
            parse_usb_path(wrong)
        assert caught.value.reason is Reason.CONFIG_MALFORMED


async def test_vendor_alone_finds_any_of_its_printers(peer: UsbPeer) -> None:
    """Product numbers change with the model; the vendor and the printer class do not."""
    printer = UsbPrinter(UsbPath(VENDOR, None), ZplEncoder(), peer)
    assert await printer.read_status() == PrinterStatus(DeviceState.READY)
