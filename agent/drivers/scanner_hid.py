"""A scanner that types like a keyboard: the only importer of evdev.

The device is grabbed, so that no code is typed into a console or another program. What its
keys mean is ``keymap``'s business. ``descriptor.location`` should be a stable path such as
``/dev/input/by-id/…-event-kbd``.
"""

from collections.abc import Callable
from contextlib import ExitStack

import evdev

from agent.drivers.access import RULES, explain
from agent.drivers.framing import Framer, Piece
from agent.drivers.keymap import LED_CAPSL, EventsLost, KeyDecoder, KeyEvent
from agent.drivers.line import LineScanner
from shared.errors import Unavailable
from shared.reasons import Reason

_GROUP = "input"


class HidLine:
    """An open, grabbed keyboard."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises Unavailable: DEVICE_RULE_MISSING,
        DEVICE_IN_USE (another program has grabbed it), DEVICE_ABSENT."""
        with ExitStack() as undo:
            try:
                self._device: evdev.InputDevice[str] = evdev.InputDevice(path)
                undo.callback(self._device.close)
                self._device.grab()
                self._put_caps_lock_out()
                self._decoder = KeyDecoder()
                self._resync()
            except OSError as error:
                raise explain(error.errno, "keyboard", _GROUP) from error
            undo.pop_all()
        self.framer = Framer()
        self.ear: Callable[[KeyEvent], None] | None = None
        """Hears every event before it is decoded, for a technician's test."""

    def fileno(self) -> int:
        return self._device.fileno()

    def read(self) -> list[Piece]:
        pieces: list[Piece] = []
        try:
            for event in self._device.read():
                key = KeyEvent(event.type, event.code, event.value)
                if self.ear is not None:
                    self.ear(key)
                typed = self._decoder.feed(key)
                if isinstance(typed, EventsLost):
                    # The rest of this batch goes too: asking for the state empties the kernel's
                    # queue of keys, so what follows here would have a hole.
                    self._resync()
                    return [*pieces, self.framer.discard(Reason.FRAME_LOST)]
                pieces += self.framer.feed(typed)
        except BlockingIOError:
            return pieces
        except OSError as error:
            raise explain(error.errno, "keyboard", _GROUP) from error
        return pieces

    def close(self) -> None:
        """Closing lets go of the grab."""
        self._device.close()

    def _put_caps_lock_out(self) -> None:
        """Scanners turn letters over while this LED is lit, some do and some do not: with the LED
        out all type alike. The grab keeps others from lighting it."""
        if LED_CAPSL not in self._device.capabilities().get(evdev.ecodes.EV_LED, []):
            return
        try:
            self._device.set_led(LED_CAPSL, 0)
        except evdev.EvdevError as error:  # opened for reading only
            detail = f"keyboard is read-only: udev rule {RULES}"
            raise Unavailable(Reason.DEVICE_RULE_MISSING, detail) from error

    def _resync(self) -> None:
        self._decoder.resync(self._device.active_keys(), LED_CAPSL in self._device.leds())


class HidScanner(LineScanner):
    """A source of frames from one keyboard device."""

    typed = True

    def open_line(self, path: str) -> HidLine:
        return HidLine(path)
