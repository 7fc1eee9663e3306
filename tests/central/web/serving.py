"""A whole centre with its web on a loopback port, and principals as a test wants them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp

from central.app import Central, open_central
from central.config import BrokerConfig
from central.foundation import Foundation, found_central
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.users.principal import Principal, Session
from central.users.roles import PERMISSIONS, Permission, Role
from central.web.app import AddPages, Site, build_app
from central.web.server import open_listener
from central.web.sign_in import SignIns
from shared.clock import SystemClock

TOKEN = "oc_everything"
EVERYTHING = frozenset(Permission)


def principal(
    role: Role = Role.OPERATIONS,
    permissions: frozenset[Permission] | None = None,
    site: str | None = None,
    name: str = "01a20000-0000-7000-8000-000000000001",
) -> Principal:
    """A machine's principal; with its role's permissions if not told otherwise."""
    allowed = PERMISSIONS[role] if permissions is None else permissions
    return Principal(name, name, role, site, "token", allowed)


@dataclass
class KnownUsers:
    """Finds the principals it was given: what central asks its users for."""

    tokens: dict[str, Principal] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    asked: int = 0
    generation: int = 0

    def find_token(self, text: str, at: datetime) -> Principal | None:
        self.asked += 1
        return self.tokens.get(text)

    def find_session(self, secret: str, at: datetime, *, touch: bool) -> Session | None:
        self.asked += 1
        return self.sessions.get(secret)


@dataclass
class Served:
    """A running web and its parts; ``client`` carries the token that may do everything."""

    central: Central
    users: KnownUsers
    url: str
    client: aiohttp.ClientSession
    writer: Writer
    connected: list[bool]
    sign_ins: SignIns


def make_centre(directory: Path) -> None:
    """What ``onecode-central init`` makes."""
    found_central(directory, Foundation(BrokerConfig()), SystemClock().now(), "test")


def add_config(directory: Path, text: str) -> None:
    """More lines for ``central.toml``."""
    file = directory / "central.toml"
    file.write_text(f"{file.read_text()}\n{text}\n")


@asynccontextmanager
async def serve_web(directory: Path, add_pages: AddPages = lambda _: None) -> AsyncIterator[Served]:
    """Serve the centre in ``directory`` on a free port."""
    users = KnownUsers({TOKEN: principal(permissions=EVERYTHING)})
    connected = [True]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    sites: list[Site] = []

    def keep(site: Site) -> None:
        sites.append(site)
        add_pages(site)

    with open_central(directory) as central:
        async with Writer(central.database) as writer, Reader(central.database) as reader:
            app = build_app(
                central,
                users,
                writer,
                reader,
                is_connected=lambda: connected[0],
                add_pages=keep,
            )
            async with (
                open_listener(app, "127.0.0.1", 0) as url,
                aiohttp.ClientSession(url, headers=headers) as client,
            ):
                sign_ins = sites[0].sign_ins
                yield Served(central, users, url, client, writer, connected, sign_ins)


async def _serve_for_ever(directory: Path) -> None:
    async with serve_web(directory) as served:
        print(served.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_for_ever(Path(sys.argv[1])))
