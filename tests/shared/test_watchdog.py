"""The service manager hears READY, and WATCHDOG only while every part answers."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.reasons import Reason
from shared.systemd import ServiceManager
from shared.watchdog import keep_fed


@pytest.fixture
def manager_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd gives a service: a datagram socket and a period."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "60000")
        yield listening


async def hear(listening: socket.socket) -> bytes:
    """The next notification."""
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(listening, 4096)


async def test_ready_and_status_are_told(manager_socket: socket.socket) -> None:
    """Each goes out as sd_notify(3) has it."""
    manager = ServiceManager()
    manager.ready()
    assert await hear(manager_socket) == b"READY=1"
    manager.say("online")
    assert await hear(manager_socket) == b"STATUS=online"


async def test_the_watchdog_is_fed_while_all_parts_answer(manager_socket: socket.socket) -> None:
    """A part that refuses has answered; a part that hangs stops the feeding until it moves."""
    stuck = asyncio.Event()
    asked_while_stuck = asyncio.Semaphore(0)
    stuck.set()

    async def writer() -> None:
        if not stuck.is_set():
            asked_while_stuck.release()
        await stuck.wait()

    async def line() -> None:
        raise Unavailable(Reason.LINK_DOWN)

    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(
            keep_fed(ServiceManager(), {"writer": writer, "line": line}), name="watchdog"
        )
        assert await hear(manager_socket) == b"WATCHDOG=1"
        stuck.clear()
        await asked_while_stuck.acquire()
        while True:  # what was sent before it hung
            try:
                manager_socket.recv(4096)
            except BlockingIOError:
                break
        await asked_while_stuck.acquire()
        with pytest.raises(BlockingIOError):
            manager_socket.recv(4096)
        stuck.set()
        assert await hear(manager_socket) == b"WATCHDOG=1"
        feeding.cancel()


async def test_where_nobody_watches_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without systemd the feeding ends at once, and telling does nothing."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    manager = ServiceManager()
    manager.ready()

    async def never() -> None:
        pytest.fail("nobody watches")

    await keep_fed(manager, {"part": never})
