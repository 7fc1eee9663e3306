"""The USB wire below the label printer's driver: finding, opening, what pyusb's errors become."""

import re

import pytest

from agent.drivers.printer_usb import ZEBRA, UsbPath, open_usb, parse_usb_path
from shared.errors import Malformed, Unavailable
from shared.reasons import Reason
from tests.agent.drivers.usb_peer import PRODUCT, VENDOR, UsbPeer

PATH = UsbPath(VENDOR, PRODUCT)
END = re.compile(rb"\x03")


@pytest.fixture
def peer() -> UsbPeer:
    return UsbPeer()


def why(peer: UsbPeer) -> Reason:
    """Why it cannot be opened."""
    with pytest.raises(Unavailable) as caught:
        open_usb(PATH, peer)
    return caught.value.reason


@pytest.mark.parametrize("path", [PATH, UsbPath(VENDOR, None), ZEBRA])
def test_a_printer_is_found_opened_and_let_go(peer: UsbPeer, path: UsbPath) -> None:
    """The kernel's driver gave way, and the setting that answers was chosen."""
    wire = open_usb(path, peer)
    assert "CMD:ZPL" in wire.read_device_id()
    assert wire.ask(b"~HI", END).startswith(b"\x02GK888t")
    wire.close()
    assert peer.log == ["open", "claim", "setting 1", "release", "close"]


def test_another_make_is_not_ours(peer: UsbPeer) -> None:
    """A product that was not named."""
    with pytest.raises(Unavailable) as caught:
        open_usb(UsbPath(VENDOR, PRODUCT + 1), peer)
    assert caught.value.reason is Reason.DEVICE_ABSENT


def test_a_printer_without_device_id(peer: UsbPeer) -> None:
    """It stalls the request: no id, no fault."""
    peer.device_id = b""
    assert open_usb(PATH, peer).read_device_id() == ""


def test_missing_library_names_itself(peer: UsbPeer) -> None:
    """Without libusb no rule and no cable helps: the reason names the package, not a right."""
    peer.library = False
    assert why(peer) is Reason.DRIVER_MISSING
    assert "libusb" in Reason.DRIVER_MISSING.words.next_en
    assert "libusb" in Reason.DRIVER_MISSING.words.next_zh


def test_unconfigured_printer_is_configured(peer: UsbPeer) -> None:
    """A printer that the kernel left without configuration gets its first one."""
    peer.configuration = 0
    open_usb(PATH, peer).close()
    assert peer.configuration == 1


def test_printer_in_another_mode_is_faulty(peer: UsbPeer) -> None:
    """Its active configuration has no printer in it: a reason, and it is let go."""
    peer.configurations = 2
    assert why(peer) is Reason.DEVICE_FAULTY
    assert peer.log[-1] == "close"


def test_one_way_printer_is_not_ours(peer: UsbPeer) -> None:
    """A printer that cannot answer counts as absent: nothing would ever be known of it."""
    peer.both_ways = False
    assert why(peer) is Reason.DEVICE_ABSENT


def test_paths() -> None:
    """vendor:product or vendor alone, in hex; everything else is a wrong configuration."""
    assert parse_usb_path("0a5f:0080") == (VENDOR, PRODUCT)
    assert parse_usb_path("0A5F") == (VENDOR, None)
    for wrong in ("", ":", "0a5f:", "zebra", "0a5f:0080:1"):
        with pytest.raises(Malformed) as caught:
            parse_usb_path(wrong)
        assert caught.value.reason is Reason.CONFIG_MALFORMED
