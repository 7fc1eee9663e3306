"""A box's door on a real network socket, and workstations that speak to it over TLS."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from yarl import URL

from agent.api.views import PairingView
from agent.config import BoxFiles, LanConfig
from agent.handover.door import Door
from shared.clock import Clock, SystemClock
from tests.agent.api.one_box import OneBox


class PairedBox(OneBox):
    """Implements ``agent.handover.desk.NetworkBox``."""

    def tell_changed(self) -> None:
        self.changes.tell(None)


@asynccontextmanager
async def opened(
    directory: Path, box: PairedBox | None = None, clock: Clock | None = None, port: int = 0
) -> AsyncIterator[Door]:
    """A door at work, in a box that has just been started."""
    config = LanConfig(port=port)
    door = Door(config, BoxFiles(directory), clock or SystemClock())
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(door.run(box or PairedBox()))
        yield door
        running.cancel()


def base_of(view: PairingView) -> str:
    """The box's address on loopback, which its network socket answers too."""
    return f"https://127.0.0.1:{URL(view.address).port}"


@asynccontextmanager
async def workstation(
    view: PairingView, token: str | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that pins the box's certificate."""
    digest = bytes.fromhex(view.fingerprint.replace(":", ""))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(digest))
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(
        base_of(view), headers=headers, connector=connector, cookie_jar=jar
    ) as session:
        yield session


async def pair(view: PairingView, name: str = "收费 1 号") -> str:
    """Pair by the code shown; the token."""
    async with workstation(view) as session:
        answer = await session.post("/api/v1/pair", json={"code": view.code, "name": name})
        assert answer.status == 200, await answer.text()
        token: str = (await answer.json())["token"]
        return token


def list_listening() -> set[str]:
    """Hex addresses, as in proc(5), on which this process listens for TCP."""
    inodes = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = str(fd.readlink())
        except FileNotFoundError:
            continue  # the listing's own
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


def digest_of(token: str) -> bytes:
    """As the box keeps it."""
    return hashlib.sha256(token.encode()).digest()
