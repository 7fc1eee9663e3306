"""The box's clock, moved for the box alone: libfaketime, which reads the time from a file.

Clocks that only count (monotonic) go on as they are, as they do when somebody sets a machine's
clock.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.supervisor import StepError

_LIBRARIES = Path("/usr/lib")
_LIBRARY = "faketime/libfaketimeMT.so.1"
_SHARED = Path("/dev/shm")  # noqa: S108 - where the library keeps what processes share


class BoxClock:
    """How far the box's clock is from this machine's; use as a context manager."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._processes: list[int] = []
        self.ahead_seconds = 0

    def __enter__(self) -> Self:
        self.set_ahead(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what the library leaves behind of processes, all of which have ended."""
        for pid in self._processes:
            for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                (_SHARED / name).unlink(missing_ok=True)

    def set_ahead(self, seconds: int) -> None:
        """Move it; a running box sees it within a second. 0 is the right time."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n", encoding="ascii")
        draft.replace(self._file)
        self.ahead_seconds = seconds

    def environment(self) -> dict[str, str]:
        """What a process with this clock is started with. Raises StepError without the library."""
        found = sorted([*_LIBRARIES.glob(_LIBRARY), *_LIBRARIES.glob(f"*/{_LIBRARY}")])
        if not found:
            raise StepError("libfaketime 未安装 is missing: sudo apt-get install -y libfaketime")
        return {
            "LD_PRELOAD": " ".join(filter(None, [str(found[0]), os.environ.get("LD_PRELOAD")])),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def note(self, pid: int) -> None:
        """A process was started with this clock."""
        self._processes.append(pid)
