"""A label printer as a wire: bytes out, questions with answers. What is said over it is the
languages' business (``printer_zpl``, ``printer_epl``), who says it the driver's (``printer``).
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol

ANSWER_SECONDS = 0.5
"""A printer at work answers immediate questions within some tens of milliseconds."""


class Wire(Protocol):
    """One open printer. Whatever it raises is Unavailable with a device's reason; afterwards the
    wire is closed and another one opened."""

    def read_device_id(self) -> str:
        """The IEEE 1284 device id, empty where there is none."""
        ...

    def write(self, data: bytes) -> Iterator[int]:
        """Send; yields how many bytes have left so far. The first portion leaves whole or not at
        all, so that before the first yield no byte has left."""
        ...

    def ask(self, question: bytes, end: re.Pattern[bytes]) -> bytes:
        """Send a question and read until ``end`` is found.

        Raises Unavailable: DEVICE_SILENT when nothing comes in time, PRINTER_GARBLED when what
        comes has no end.
        """
        ...

    def close(self) -> None: ...


OpenWire = Callable[[], Wire]
