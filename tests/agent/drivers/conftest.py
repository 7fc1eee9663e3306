"""A printer below pyusb, and the driver over it."""

from collections.abc import AsyncIterator

import pytest

from agent.drivers.printer import WiredPrinter
from tests.agent.drivers.usb_peer import UsbPeer
from tests.agent.drivers.wired import FAST, make_printer
from tests.devices.zebra import Zebra


@pytest.fixture
def peer() -> UsbPeer:
    return UsbPeer(Zebra(labels_a_second=FAST))


@pytest.fixture
async def printer(peer: UsbPeer) -> AsyncIterator[WiredPrinter]:
    made = make_printer(peer)
    yield made
    await made.aclose()
