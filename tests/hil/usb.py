"""USB devices that are plugged into the guest by wire: USB/IP on loopback.

A ``Bus`` serves them, a ``Device`` is one of them, and pulling its plug closes its connection,
which is what a guest's kernel takes for an unplugged device. What a device does is
``tests.hil.devices``'s business. The package ``usbip`` binds every interface when it listens by
itself, so listening is done here.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from usbip import USBDevice, protocol  # type: ignore[import-untyped]

OUT = 0  # a request's direction: from the host

_here = threading.local()
"""The connection that the running thread serves."""


class Device(USBDevice):  # type: ignore[misc]
    """One device; it can be pulled, and made to take no bytes (NAK)."""

    def __init__(self, busid: str, vendor_id: int, product_id: int, **names: str) -> None:
        """``names`` are manufacturer, product and serial."""
        super().__init__(vendor_id, product_id, **names)
        self.busid = busid
        self._connection: socket.socket | None = None
        self._holds = False
        self._held: list[tuple[Any, Callable[[Any], None]]] = []
        self._lock = threading.RLock()

    @property
    def plugged(self) -> bool:
        """Whether a guest has it."""
        return self._connection is not None

    def pull(self) -> None:
        """Unplug it, whatever it is doing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def hold(self) -> None:
        """From now on every byte that comes is kept waiting: a busy device's NAK."""
        self._holds = True

    def release(self) -> None:
        """Take what still waits, in its order; what the guest has withdrawn is gone."""
        with self._lock:
            self._holds = False
            held, self._held = self._held, []
        for urb, respond in held:
            respond(super().handle_urb(urb, respond))

    # --- what the package calls ---

    def handle_urb(self, urb: Any, respond: Any = None) -> Any:
        """A request of the guest's kernel; None: it is answered later."""
        with self._lock:
            if self._holds and urb.ep and urb.direction == OUT:
                self._held.append((urb, respond))
                return None
        return super().handle_urb(urb, respond)

    def cancel_urb(self, seqnum: int) -> None:
        """The guest's kernel withdraws a request."""
        with self._lock:
            self._held = [held for held in self._held if held[0].seqnum != seqnum]
        super().cancel_urb(seqnum)

    def reset_io(self) -> None:
        """A guest has taken the device, on the connection that this thread serves."""
        with self._lock:
            self._held = []
        self._connection = _here.connection
        super().reset_io()


class Bus:
    """Serves its devices to whoever connects to ``port`` on loopback."""

    def __init__(self, *devices: Device) -> None:
        for number, device in enumerate(devices, 2):
            device.busnum, device.devnum = 1, number
        self._devices = devices
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        for device in self._devices:
            device.pull()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                # Head and data go out apart: with Nagle each answer would wait for an ACK.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        _here.connection = connection
        protocol.serve_connection(connection, list(self._devices))
