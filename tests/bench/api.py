"""How many authenticated, validated API reads central answers, against a bare asyncio server.

One card by its number, with a machine's token, from the shipped command line; the bare server
answers the same bytes to whatever ends with an empty line. Servers have one core, the client the
other; rounds alternate, so that a neighbour's burst meets both.
"""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from central.app import open_central
from central.config import BrokerConfig, WebConfig
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from central.users.tokens import NewToken
from shared.clock import SystemClock
from tests.bench.site import BUILD, running
from tests.bench.table import Figure, median, ratio_at_least, run, shown
from tests.broker import free_ports

ROUNDS = 7
ROUND_SECONDS = 1.0
CONNECTIONS = 16
BAR = 0.28
MAKER = "bench"
BARE_READY = "bare is ready"
RATES = "rate = 1e9\nburst = 1e9\naddress_rate = 1e9\naddress_burst = 1e9\n"


def measure() -> list[Figure]:
    """All figures of one run."""
    BUILD.mkdir(exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])
    with TemporaryDirectory(dir=BUILD, prefix="bench-api-") as name:
        directory = Path(name)
        path, token = _make_centre(directory / "central")
        asked = _request(path, token)
        with _serving(directory, cores[0]) as port:
            answer = _ask_once(port, asked)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            with _bare(directory, answer, cores[0]) as bare_port:
                ours, bare = [], []
                for _ in range(ROUNDS):
                    bare.append(asyncio.run(_load(bare_port, asked)))
                    ours.append(asyncio.run(_load(port, asked)))
    rates = median(ours), median(bare)
    figure = ratio_at_least("API reads with token, one card", rates[0], "/s", rates[1], BAR)
    return [figure, shown("API read, server's time", 1e6 / rates[0], "µs")]


def _make_centre(directory: Path) -> tuple[str, str]:
    """A centre with one card; the card's path and a token that may read it."""
    broker = BrokerConfig(box_port=free_ports(1)[0])
    at = SystemClock().now()
    found_central(directory, Foundation(broker, web=WebConfig(port=0, box_port=0)), at, MAKER)
    config = directory / "central.toml"
    config.write_text(config.read_text().replace("[web]\n", f"[web]\n{RATES}"))
    with open_central(directory) as central, central.unit():
        resident = Registration("01", "11010020171225006X", "电子健康卡")
        person, _ = central.patients.register(resident, at, MAKER)
        card = central.cards.open_account(person, at, MAKER)
        _, token = central.users.tokens.issue(NewToken("bench"), at, MAKER)
    return f"/api/v1/cards/{card.id}", token


def _request(path: str, token: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()


@contextmanager
def _serving(directory: Path, core: int) -> Iterator[int]:
    log = directory / "central.log"
    serve = [sys.executable, "-m", "central", "--dir", directory / "central", "serve"]
    with running(serve, log, "web on ") as child:
        os.sched_setaffinity(child.pid, {core})
        for thread in Path(f"/proc/{child.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
        found = re.search(r"web on http://[^ ]*:(\d+)", log.read_text())
        assert found is not None
        yield int(found[1])


@contextmanager
def _bare(directory: Path, answer: bytes, core: int) -> Iterator[int]:
    said = directory / "answer"
    said.write_bytes(answer)
    log = directory / "bare.log"
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.bench.api", "--bare", str(port), str(said)]
    with running(command, log, BARE_READY) as child:
        os.sched_setaffinity(child.pid, {core})
        yield port


def _ask_once(port: int, asked: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(asked)
        return connection.recv(65536)


class _Client(asyncio.Protocol):
    """Asks again as soon as it is answered, and counts."""

    def __init__(self, asked: bytes) -> None:
        self._asked = asked
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._asked)

    def data_received(self, data: bytes) -> None:
        # An answer is smaller than one read, and is written at once.
        if not data.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(data[:200])
        self.answers += 1
        self._transport.write(self._asked)

    def stop(self) -> None:
        self._transport.abort()


async def _load(port: int, asked: bytes) -> float:
    """Answers a second over some connections that are kept."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(lambda: _Client(asked), "127.0.0.1", port)
        clients.append(client)
    before, begun = sum(client.answers for client in clients), time.perf_counter()
    await asyncio.sleep(ROUND_SECONDS)
    answers = sum(client.answers for client in clients) - before
    taken = time.perf_counter() - begun
    for client in clients:
        client.stop()
    return answers / taken


class _BareServer(asyncio.Protocol):
    """Answers the same bytes to every head of a request."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(self._answer)


async def _serve_bare(port: int, answer: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _BareServer(answer), "127.0.0.1", port)
    print(BARE_READY, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(_serve_bare(int(sys.argv[2]), Path(sys.argv[3]).read_bytes()))
    else:
        sys.exit(run(measure, __doc__))
