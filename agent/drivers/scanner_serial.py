"""A scanner on a serial port (USB CDC, /dev/ttyACM0): it knows the port, not the code.

9600-8-N-1 is what real serial scanners ship with.
"""

from agent.drivers.framing import Framer, Piece
from agent.drivers.line import LineScanner
from agent.drivers.serial_port import SerialPort

_BAUD = 9600


class SerialLine:
    """An open port and the frame its bytes build."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises Unavailable, as ``SerialPort``."""
        self._port = SerialPort(path, _BAUD)
        self.framer = Framer()

    def fileno(self) -> int:
        return self._port.fileno()

    def read(self) -> list[Piece]:
        data = self._port.read()
        return self.framer.feed(data) if data else []

    def close(self) -> None:
        self._port.close()


class SerialScanner(LineScanner):
    """A source of frames from one serial port."""

    def open_line(self, path: str) -> SerialLine:
        return SerialLine(path)
