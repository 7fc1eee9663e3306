"""An open serial port, exclusive and raw: the only importer of pyserial.

pyserial sets the port up; after that a read and a write are one non-blocking call each.
"""

import os
import termios

import serial

from agent.drivers.access import explain
from shared.errors import Unavailable
from shared.reasons import Reason

_GROUP = "dialout"
_READ_BYTES = 4096


class SerialPort:
    """8 data bits, no parity, one stop bit. On USB CDC the baud rate does not matter."""

    def __init__(self, path: str, baud: int) -> None:
        """Open ``path``. Raises Unavailable: DEVICE_RULE_MISSING,
        DEVICE_IN_USE (another program holds its lock), DEVICE_ABSENT."""
        try:
            self._port = serial.Serial(path, baudrate=baud, timeout=0, exclusive=True)
        except (OSError, termios.error) as error:
            number = error.args[0] if isinstance(error.args[0], int) else None
            raise explain(number, "serial port", _GROUP) from error

    def fileno(self) -> int:
        """For the event loop."""
        return int(self._port.fileno())

    def read(self) -> bytes:
        """What there is, once the port is readable. Raises Unavailable when the device is gone:
        a raw port that is readable and gives nothing has hung up (termios(3), VMIN 0)."""
        try:
            data = os.read(self.fileno(), _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Unavailable(Reason.DEVICE_ABSENT, f"serial port: {error}") from error
        if not data:
            raise Unavailable(Reason.DEVICE_ABSENT, "serial port hung up")
        return data

    def write(self, data: bytes) -> None:
        """Send a short command whole. Raises Unavailable when the device is gone or full."""
        try:
            sent = os.write(self.fileno(), data)
        except OSError as error:
            raise Unavailable(Reason.DEVICE_ABSENT, f"serial port: {error}") from error
        if sent != len(data):
            raise Unavailable(Reason.DEVICE_SILENT, "serial port takes nothing")

    def close(self) -> None:
        """Give the port back."""
        self._port.close()
