"""What a scanner's bytes, keys and frames look like to a technician. Pure but for the clock.

Whole codes are personal: unless asked, letters and digits past a frame's first four are shown as
their kind (``A`` capital, ``a`` small, ``0`` digit), which is what set-up faults change.
"""

from collections.abc import Callable
from typing import Any

from agent.drivers.evidence import list_layouts, read_code
from agent.drivers.framing import LIMIT_BYTES, TERMINATORS
from agent.drivers.keymap import EV_KEY, EV_SYN, KEYS, PRESSED, RELEASED, SYN_DROPPED, KeyEvent
from agent.ports import DeviceChanged, FrameDropped, FrameScanned, ScannerEvent
from shared.clock import Clock
from shared.devices import DeviceState
from shared.ehc import parse_code
from shared.errors import Malformed
from shared.reasons import Reason

SHOWN = 4
"""Characters of a frame that are shown as they are, from its beginning."""

MOST_SHOWN = 512
"""The longest code of ours has 284 characters."""

NAMES = {0x0D: "CR ⏎", 0x0A: "LF ⏎", 0x09: "Tab ⇥", 0x1D: "GS", 0x20: "space", 0x1A: "no character"}

Fact = dict[str, Any]
"""One line of the test: ``kind`` is byte, key, frame or device; the rest by kind."""


class Listener:
    """Turns what is heard into facts, each told as soon as it is known."""

    def __init__(self, clock: Clock, tell: Callable[[Fact], None], *, show: bool) -> None:
        self.frames = 0
        self.faults = 0  # how many of them were not as they should be
        self.lost: Reason | None = None  # why the device cannot be listened to
        self._clock = clock
        self._tell = tell
        self._show = show
        self._began: int | None = None
        self._frame = bytearray()  # what came since the last terminator
        self._last = b""  # the frame before it
        self._end = ""  # what the last frame ended with

    def hear(self, data: bytes) -> None:
        """Bytes as they come from the device."""
        for byte in data:
            at_ms = self._offset_ms()
            if byte in TERMINATORS:
                if self._frame:
                    self._last, self._end = bytes(self._frame), ""
                    self._frame.clear()
                    self._began = None
                self._end += (" " if self._end else "") + NAMES[byte].split()[0]
                self._tell_byte(at_ms, byte, shown=True)
            else:
                if len(self._frame) < LIMIT_BYTES:
                    self._frame.append(byte)
                self._tell_byte(at_ms, byte, shown=len(self._frame) <= SHOWN)

    def hear_key(self, event: KeyEvent) -> None:
        """A keyboard scanner's event, before it is a character."""
        if event.type == EV_SYN and event.code == SYN_DROPPED:
            at_ms = self._offset_ms()
            self._tell({"kind": "key", "at_ms": at_ms, "code": None, "state": "events lost"})
        if event.type != EV_KEY:
            return
        plain, _ = KEYS.get(event.code, ("", ""))
        shown = self._show or len(self._frame) < SHOWN or not plain.isalnum()
        state = {RELEASED: "up", PRESSED: "down"}.get(event.value, "repeat")
        code = event.code if shown else None
        self._tell({"kind": "key", "at_ms": self._offset_ms(), "code": code, "state": state})

    def judge(self, event: ScannerEvent) -> None:
        """A frame or a state: told, with what is wrong with it."""
        match event:
            case FrameScanned(data=data):
                self._tell_frame(data, *_judge_frame(data))
            case FrameDropped(reason=reason):
                self._tell_frame(bytes(self._frame) or self._last, reason, "")
            case DeviceChanged(state=state, reason=reason):
                self._tell({"kind": "device", "state": state.value, "reason": reason})
                if state not in {DeviceState.OPENING, DeviceState.READY}:
                    self.lost = reason or Reason.DEVICE_ABSENT

    def _tell_byte(self, at_ms: float, byte: int, *, shown: bool) -> None:
        character = NAMES.get(byte) or (chr(byte) if 0x20 < byte < 0x7F else "not visible")
        hidden = not (shown or self._show) and chr(byte).isalnum()
        self._tell(
            {
                "kind": "byte",
                "at_ms": at_ms,
                "hex": None if hidden else f"{byte:02X}",
                "character": picture(character) if hidden else character,
            }
        )

    def _tell_frame(self, data: bytes, reason: Reason | None, what: str) -> None:
        ended_by = "silence" if self._frame else self._end
        text = data.decode("ascii", "backslashreplace")
        layouts = list(list_layouts(text)) if reason is Reason.SCANNER_LAYOUT else []
        self.frames += 1
        self.faults += reason is not None
        self._frame.clear()
        self._began = None
        self._tell(
            {
                "kind": "frame",
                "bytes": len(data),
                "text": text if self._show else text[:SHOWN] + picture(text[SHOWN:MOST_SHOWN]),
                "ended_by": ended_by,
                "what": what,
                "reason": reason,
                "layouts": layouts,
            }
        )

    def _offset_ms(self) -> float:
        now = self._clock.monotonic_ns()
        if self._began is None:
            self._began = now
        return round((now - self._began) / 1e6, 1)


def picture(text: str) -> str:
    """The same text with each letter and digit as its kind."""
    return "".join(
        "0" if sign.isdigit() else "A" if sign.isupper() else "a" if sign.isalpha() else sign
        for sign in text
    )


def _judge_frame(data: bytes) -> tuple[Reason | None, str]:
    """What is wrong with a frame, and what it is if nothing is."""
    try:
        parse_code(data)
    except Malformed as error:
        return error.reason, ""
    own = read_code(data.decode("ascii", "replace"))
    return None, type(own).__name__ if own else "foreign text"
