"""Child processes by pid: started, waited for, logged, and stopped in the reverse order.

Knows nothing of what it runs. Each child has a log file of its own and a session of its own, so
that Ctrl-C reaches this process alone and the order of stopping is kept; and it dies with this
process even when this process is killed (``setpriv --pdeathsig``).
"""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.005


class StepError(Exception):
    """Something in the demonstration does not hold; the message says what, for a person."""


def wait_until(look: Callable[[], T | None], seconds: float, what: str) -> T:
    """Look until there is something to see, and return it. Raises StepError after ``seconds``."""
    end = time.monotonic() + seconds
    while (seen := look()) is None:
        if time.monotonic() >= end:
            raise StepError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_SECONDS)
    return seen


def choose_port(wanted: int) -> int:
    """``wanted`` when it is free on loopback, else a port that is."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            bound: int = probe.getsockname()[1]
            return bound
    raise StepError("no free port on 127.0.0.1")


def is_open(port: int) -> bool | None:
    """True when something listens on the port, None (not yet) when nothing does."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return None


class Supervisor:
    """Runs children until it is closed; closing stops them in the reverse of their first order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._order: list[str] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in reversed(self._order):
            if name in self._children:
                self.stop(name)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a child; its output is appended to ``<logs>/<name>.log``."""
        self._logs.mkdir(parents=True, exist_ok=True)
        if name not in self._order:
            self._order.append(name)
        with self.log_file(name).open("ab") as log:
            self._children[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, command)],  # noqa: S607 (util-linux)
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    def is_running(self, name: str) -> bool:
        """Whether the child was started and has not ended."""
        child = self._children.get(name)
        return child is not None and child.poll() is None

    def pid(self, name: str) -> int:
        """The number of a child's process."""
        return self._children[name].pid

    def stop(self, name: str) -> None:
        """Ask the child to end, insist after ten seconds; returns when it has ended."""
        child = self._children.pop(name)
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def kill(self, name: str) -> None:
        """End the child at once, as a power cut would."""
        child = self._children.pop(name)
        child.kill()
        child.wait()

    def wait_ready(self, name: str, look: Callable[[], T | None]) -> T:
        """Wait until ``look`` sees the child at work. Raises StepError, naming its log."""
        what = f"{name} is ready (see {self.log_file(name)})"
        return wait_until(lambda: self._look_alive(look), READY_SECONDS, what)

    def wait_ended(self, name: str, seconds: float) -> int:
        """Wait until the child has ended by itself; its exit code. Raises StepError."""
        code = wait_until(self._children[name].poll, seconds, f"{name} has ended")
        del self._children[name]
        return code

    def check(self) -> None:
        """Raises StepError when a child has ended by itself."""
        if ended := self.describe_ended():
            raise StepError(ended)

    def describe_ended(self) -> str:
        """Which children have ended by themselves, each with its last words; empty when none."""
        return "\n".join(
            f"{name} ended with {child.returncode}\n{self.last_words(name)}"
            for name, child in list(self._children.items())  # threads look while we start
            if child.poll() is not None
        )

    def log_file(self, name: str) -> Path:
        """Where the child's output goes."""
        return self._logs / f"{name}.log"

    def last_words(self, name: str, lines: int = 12) -> str:
        """The end of the child's log."""
        text = self.log_file(name).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _look_alive(self, look: Callable[[], T | None]) -> T | None:
        self.check()
        return look()
