"""``onecode-agent`` as a technician starts it, its lines read as they come."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE_SECONDS = 30


class TerminalCommand:
    """One running command; ``with`` waits for its end, or ends it when the test fails."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent", "--dir", directory, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines = self._process.stdout

    def read_until(self, text: str) -> list[str]:
        """The lines up to the first that holds this text."""
        lines: list[str] = []
        for line in self._lines:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError(f"never said {text!r}: {lines} {self.end()}")

    def read_facts(self) -> list[dict[str, Any]]:
        """The rest, as JSON lines."""
        return [json.loads(line) for line in self._lines]

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """The exit code, and the rest of both outputs."""
        out, err = self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate(timeout=PATIENCE_SECONDS)


def run(directory: Path, *arguments: str) -> tuple[int, str, str]:
    """A command that ends by itself."""
    with TerminalCommand(directory, *arguments) as command:
        return command.end()
