"""A scanner on a serial port (USB CDC, /dev/ttyACM0): the only importer of pyserial.

It knows the port, not the code. Scanner settings (baud rate, parity) do not matter on USB CDC;
9600-8-N-1 is what real serial scanners ship with.
"""

import errno
import os
import termios

import serial

from agent.drivers.framing import Framer, Piece
from agent.drivers.line import LineScanner
from agent.ports import DeviceDescriptor
from shared.clock import Clock
from shared.errors import Unavailable
from shared.reasons import Reason

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY, errno.EAGAIN})
"""Not ours to open: no right, or another program holds the port's lock."""

_READ_BYTES = 4096


class SerialLine:
    """An open port, exclusive and raw. pyserial sets it up; reading is one non-blocking read."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises Unavailable: DEVICE_DENIED or DEVICE_ABSENT."""
        try:
            self._port = serial.Serial(path, timeout=0, exclusive=True)
        except (OSError, termios.error) as error:
            denied = error.args[0] in _DENIED
            reason = Reason.DEVICE_DENIED if denied else Reason.DEVICE_ABSENT
            raise Unavailable(reason, f"serial port: {error}") from error
        self.framer = Framer()

    def fileno(self) -> int:
        return int(self._port.fileno())

    def read(self) -> list[Piece]:
        try:
            data = os.read(self.fileno(), _READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Unavailable(Reason.DEVICE_ABSENT, f"serial port: {error}") from error
        if not data:
            raise Unavailable(Reason.DEVICE_ABSENT, "serial port hung up")
        return self.framer.feed(data)

    def close(self) -> None:
        self._port.close()


class SerialScanner(LineScanner):
    """A source of frames from one serial port."""

    def __init__(self, descriptor: DeviceDescriptor, gap_seconds: float, clock: Clock) -> None:
        super().__init__(descriptor, gap_seconds, clock, SerialLine)
