"""What an authenticated, validated API read costs central, against a bare asyncio server.

One card by its number, with a machine's token, from the shipped command line. The bare server
does the same by hand on asyncio's streams, from a dictionary; another, shown beside it, reads a
head and answers without looking. All are judged by the processor's time that an answer takes them,
the best round of each: neighbours only ever add to it.
"""

import asyncio
import hmac
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec

from central.app import open_central
from central.config import BrokerConfig, WebConfig
from central.foundation import Foundation, found_central
from central.patients.person import Registration
from central.users.tokens import NewToken
from shared.clock import SystemClock
from tests.bench.site import BUILD, running
from tests.bench.table import Figure, ratio_at_least, run
from tests.broker import free_ports

ROUNDS = 15
ROUND_SECONDS = 0.5
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
        with _serving(directory, cores[0]) as (pid, port):
            answer = _ask_once(port, asked)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            with (
                _bare(directory, asked, answer, cores[0], "reads") as reading,
                _bare(directory, asked, answer, cores[0], "blind") as blind,
            ):
                servers = ((pid, port), reading, blind)
                rounds = [[_rate(*server, asked) for server in servers] for _ in range(ROUNDS)]
    ours, read, unread = (max(rates) for rates in zip(*rounds, strict=True))
    name = "API reads with a token, a second of one core"
    return [
        ratio_at_least(name, ours, "/s", read, BAR),
        Figure("the same, against one that answers blindly", ours, "/s", unread, ours / unread),
    ]


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
def _serving(directory: Path, core: int) -> Iterator[tuple[int, int]]:
    log = directory / "central.log"
    serve = [sys.executable, "-m", "central", "--dir", directory / "central", "serve"]
    with running(serve, log, "web on ") as child:
        _pin(child.pid, core)
        found = re.search(r"web on http://[^ ]*:(\d+)", log.read_text())
        assert found is not None
        yield child.pid, int(found[1])


@contextmanager
def _bare(
    directory: Path, asked: bytes, answer: bytes, core: int, kind: str
) -> Iterator[tuple[int, int]]:
    said = directory / "answer"
    said.write_bytes(msgspec.json.encode((asked, answer)))
    log = directory / f"{kind}.log"
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.bench.api", "--bare", kind, str(port), str(said)]
    with running(command, log, BARE_READY) as child:
        _pin(child.pid, core)
        yield child.pid, port


def _pin(pid: int, core: int) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def _spent(pid: int) -> float:
    """Seconds of processor's time of all threads (proc(5), ``/proc/[pid]/task/[tid]/schedstat``:
    the first number, in nanoseconds)."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def _rate(pid: int, port: int, asked: bytes) -> float:
    """Answers for each second of the processor that the server takes."""
    before = _spent(pid)
    answers = asyncio.run(_load(port, asked))
    return answers / (_spent(pid) - before)


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


async def _load(port: int, asked: bytes) -> int:
    """Answers over some connections that are kept, in one round."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(lambda: _Client(asked), "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(ROUND_SECONDS)
    for client in clients:
        client.stop()
    return sum(client.answers for client in clients)


class _Bare:
    """The same read by hand: the least that reads a request, knows the token, finds the card."""

    def __init__(self, asked: bytes, answer: bytes, *, blind: bool) -> None:
        self._blindly = answer if blind else b""
        head, _, body = answer.partition(b"\r\n\r\n")
        card = json.loads(body)
        self._cards = {UUID(card["id"]): card}
        self._head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d", head) + b"\r\n\r\n"
        self._bearer = re.findall(rb"Authorization: (.+)\r", asked)[0].decode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._blindly or self._answer(head))
                await writer.drain()

    def _answer(self, data: bytes) -> bytes:
        first, *lines = data.decode("latin-1").rstrip().split("\r\n")
        _, path, _ = first.split(" ")
        headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
        if not hmac.compare_digest(headers["authorization"], self._bearer):
            raise ConnectionAbortedError
        card = self._cards[UUID(path.rpartition("/")[2])]
        body = json.dumps(card, separators=(",", ":")).encode()
        return self._head % len(body) + body


async def _serve_bare(kind: str, port: int, said: bytes) -> None:
    asked, answer = msgspec.json.decode(said, type=tuple[bytes, bytes])
    bare = _Bare(asked, answer, blind=kind == "blind")
    server = await asyncio.start_server(bare.serve, "127.0.0.1", port)
    print(BARE_READY, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(_serve_bare(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]).read_bytes()))
    else:
        sys.exit(run(measure, __doc__))
