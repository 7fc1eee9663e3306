"""Where texts are typed, as a Protocol; which one serves this system."""

import sys
from typing import Protocol

from shared.errors import Unavailable
from shared.reasons import Reason


class Keyboard(Protocol):
    """Types into whatever window has the focus."""

    def type(self, text: str, *, enter: bool) -> None:
        """Raises Unavailable, or Refused for a text that it has no keys for (TYPING_IMPOSSIBLE);
        then nothing was typed."""
        ...


class StandardOutput:
    """Implements ``Keyboard`` for scripts: a line for each text."""

    def type(self, text: str, *, enter: bool) -> None:
        del enter  # a line ends anyway
        print(text, flush=True)


def open_keyboard(to: str) -> Keyboard:
    """``keys``: this system's own; ``stdout``: lines. Raises Unavailable (TYPING_IMPOSSIBLE)."""
    if to == "stdout":
        return StandardOutput()
    if sys.platform == "win32":
        from agent.wedge.windows_keys import WindowsKeys

        return WindowsKeys()
    if sys.platform == "linux":
        from agent.wedge.linux_keys import LinuxKeys

        return LinuxKeys()
    raise Unavailable(Reason.TYPING_IMPOSSIBLE, sys.platform)
