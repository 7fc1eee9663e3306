"""A real Mosquitto for tests: started, killed and restarted by process id, on loopback."""

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 10.0
STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.02


_PORTS = range(12_000, 32_000)
"""Below those that Linux gives to outgoing connections (ip_local_port_range), or one of these might
have a port between its choice and its use."""


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on at the moment, all different."""
    ports: set[int] = set()
    while len(ports) < count:
        port = secrets.choice(_PORTS)  # not random: where Hypothesis seeds it, all choose alike
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


class Broker:
    """Mosquitto with a configuration file; leaving the block stops it."""

    def __init__(self, config: Path, ports: Sequence[int], log: Path) -> None:
        self._config = config
        self._ports = ports
        self.log = log
        self.environment: Mapping[str, str] | None = None  # None: what this process has
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when every port accepts connections."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert program is not None, "install mosquitto"
        with self.log.open("ab") as log:
            command = [program, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        end = time.monotonic() + START_SECONDS
        while not all(_accepts(port) for port in self._ports):
            if self._ended_within(_LOOK_SECONDS) or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"the broker did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would (kill -9)."""
        self._signal(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again on the same ports."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(STOP_SECONDS)

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False
