"""A centre served over HTTP with its real users: browsers with cookies, machines with tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp

from central.app import Central, open_central
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.users import second_factor
from central.users.principal import SignedIn
from central.users.proofs import Proofs
from central.users.roles import ADMINISTRATORS, SITE_ROLES, Role
from central.users.service import Users
from central.users.tokens import NewToken
from central.users.user import NewUser, User
from central.web.app import build_app
from central.web.places import add_pages
from central.web.security import SESSION_COOKIE
from central.web.server import open_listener
from shared.clock import ManualClock, SystemClock
from tests.central.users.conftest import ACTOR, PHC
from tests.central.web.serving import make_centre

SITES = ("site1", "site2")


@dataclass
class Served:
    """A running centre; what a test changes behind the web's back goes through ``writer``."""

    central: Central
    url: str
    writer: Writer
    clock: ManualClock

    async def add(self, login: str, role: Role, site: str | None = None) -> User:
        """A user with PASSWORD of their own, and a second factor where one is due."""
        central, at = self.central, self.clock.now()
        users = Users(central.keys, central.audit, central.config.users, at_server=True)
        home = site or (SITES[0] if role in SITE_ROLES else None)

        def add() -> User:
            user = users.add(NewUser(login, f"用户{login}", role, home), PHC, at, ACTOR)
            users.store_password(user.id, PHC, once=False)
            if role in ADMINISTRATORS:
                proofs = Proofs(central.keys, central.audit, users)
                secret = proofs.begin_second_factor(user.id).secret
                proofs.confirm_second_factor(user.id, second_factor.code_at(secret, at), at)
            return users.read(user.id)

        return await self.writer.run(add)

    async def sign_in(self, user: User) -> SignedIn:
        """A session, without the form."""
        open_session = partial(self.central.users.sessions.open, user, self.clock.now())
        return await self.writer.run(open_session)

    async def issue(self, new: NewToken) -> str:
        """A token's text."""
        issue = partial(self.central.users.tokens.issue, new, self.clock.now(), ACTOR)
        return (await self.writer.run(issue))[1]

    def browser(self, signed_in: SignedIn | None = None) -> aiohttp.ClientSession:
        """A browser, with this session's cookie if there is one; it follows nothing by itself."""
        cookies = {SESSION_COOKIE: signed_in.secret} if signed_in else None
        jar = aiohttp.CookieJar(unsafe=True)
        return aiohttp.ClientSession(self.url, cookies=cookies, cookie_jar=jar)

    def machine(self, token: str) -> aiohttp.ClientSession:
        """A program with a bearer token."""
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {token}"})

    async def try_form(self, browser: aiohttp.ClientSession, login: str, password: str) -> int:
        """The status that the sign-in form answers with."""
        form = {"name": login, "password": password}
        origin = {"Origin": self.url}
        async with browser.post(
            "/console/sign-in", data=form, headers=origin, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status


@asynccontextmanager
async def serve(directory: Path) -> AsyncIterator[Served]:
    """Found a centre with two sites and serve it; its rate limits are out of the way."""
    make_centre(directory)
    config = directory / "central.toml"
    rates = "address_rate = 1e6\naddress_burst = 1e6\nrate = 1e6\nburst = 1e6"
    config.write_text(f"{config.read_text()}\n")
    text = config.read_text()
    head, table, rest = text.partition("[web]\n")
    config.write_text(f"{head}[web]\n{rates}\n{rest}" if table else f"{text}\n[web]\n{rates}\n")
    clock = ManualClock(SystemClock().now() - timedelta(days=1))
    with open_central(directory) as central:
        with central.database.unit():
            for site in SITES:
                central.database.execute("INSERT INTO institution VALUES (?, ?)", (site, site))
                central.database.execute("INSERT INTO site VALUES (?, ?, ?)", (site, site, site))
        async with Writer(central.database) as writer, Reader(central.database) as reader:
            app = build_app(
                central,
                central.users,
                writer,
                reader,
                is_connected=lambda: True,
                add_pages=add_pages,
                clock=clock,
            )
            async with open_listener(app, "127.0.0.1", 0) as url:
                yield Served(central, url, writer, clock)
