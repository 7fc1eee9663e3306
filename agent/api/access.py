"""Who may speak to the local API: bearers of the box's token, and pages let in by a ticket.

Any user of the machine can reach loopback, and any web page can make a browser try. A token in a
file of mode 0600, a cookie that only a one-time ticket gives, a checked Host and Origin, and a
header that no foreign page can send keep them out.
"""

import asyncio
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agent.api.sessions import Sessions
from agent.offline_queue.database import DISK_TROUBLES, unavailable
from shared.backoff import Backoff
from shared.config import read_secret, replace_file
from shared.errors import Refused, Unavailable
from shared.reasons import Reason

PAGE_HEADER = "X-OneCode-Page"
"""Sent by our page with each request that changes something; its value does not matter."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DATA = "/api/"
_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS = 1.0, 30.0

log = logging.getLogger(__name__)


@dataclass
class BoxToken:
    """The box's token. Made at the first start, it holds at once; while its disk cannot take the
    file, which command lines read, nobody can name it."""

    path: Path
    text: str = field(repr=False)
    trouble: Reason | None = None  # why there is no file yet

    def write(self) -> bool:
        """Whether the disk took it; blocks. Raises Unavailable for anything but a disk in trouble,
        which ``trouble`` says."""
        try:
            # Not sealed at rest: command lines read it, and it opens nothing while no box runs.
            replace_file(self.path, self.text.encode())
        except Unavailable as error:
            cause = error.__cause__
            reason = unavailable(cause).reason if isinstance(cause, OSError) else error.reason
            if reason not in DISK_TROUBLES:
                raise
            level = logging.DEBUG if reason is self.trouble else logging.WARNING
            log.log(level, "%s: the API's token waits: %s", reason, error.detail)
            self.trouble = reason
            return False
        self.trouble = None
        return True

    async def keep(self) -> None:
        """Return once the file is there."""
        backoff = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS)
        kept = self.trouble is None
        while not kept:
            await asyncio.sleep(backoff.next_seconds())
            try:
                kept = await asyncio.to_thread(self.write)
            except Unavailable as error:  # a box at work does not end for want of a file
                log.warning("%s: the API's token waits: %s", error.reason, error.detail)
            if kept:
                log.info("the API's token is kept")


def open_token(path: Path) -> BoxToken:
    """The token of before, or a new one. Raises Refused when its file is too open, Unavailable when
    there is one that cannot be read, and as ``BoxToken.write``."""
    try:
        made = path.exists()
    except OSError as error:
        raise unavailable(error) from error
    if made:
        return BoxToken(path, read_secret(path).decode())
    token = BoxToken(path, secrets.token_urlsafe(32))
    token.write()
    return token


def has_no_trouble() -> Reason | None:
    """Of a token whose file is there."""
    return None


def guard(
    token: str,
    sessions: Sessions,
    is_our_name: Callable[[str], bool],
    trouble: Callable[[], Reason | None] = has_no_trouble,
) -> Middleware:
    """Middleware that lets in whoever may see data, and shows the page itself to any browser that
    came by one of our names (``is_our_name`` of a host without its port). ``trouble`` is why
    nobody can know the token yet, and is all that whoever comes without it hears then."""
    expected = f"Bearer {token}"

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_names(request, is_our_name)
        if request.path.startswith(_DATA):
            given = request.headers.get("Authorization")
            if given is None:
                if not sessions.is_valid(request.cookies.get(sessions.cookie, "")):
                    if reason := trouble():
                        raise Unavailable(reason)
                    raise Refused(Reason.PAGE_LINK_NEEDED)
                check_page(request)
            # The library gives bytes that are not UTF-8 as surrogates.
            elif not hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode()):
                raise Refused(Reason.REQUEST_NOT_ALLOWED, "bearer token")
        return await handler(request)

    return check


def check_names(request: web.Request, is_our_name: Callable[[str], bool]) -> None:
    """That the request came by one of our names, and from no foreign page. Raises Refused
    (REQUEST_NOT_ALLOWED)."""
    # Not ``request.host``: without the header it asks the name service, and the loop waits.
    host = request.headers.get("Host", "")
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else ""
    if not is_our_name((name or host.rsplit(":", 1)[0]).strip("[]")):
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "host is not ours")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{host}":
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "origin")


def check_page(request: web.Request) -> None:
    """A browser's request that came with a good cookie: that our page made it. Its Origin was
    checked where there is one. Raises Refused (REQUEST_NOT_ALLOWED)."""
    # Browsers always send the Origin of a WebSocket, and a foreign one needs no leave for it.
    if "Upgrade" in request.headers and "Origin" not in request.headers:
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "no origin")
    # A form or an image of a foreign page cannot send a header of ours.
    if request.method not in _SAFE and PAGE_HEADER not in request.headers:
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "page header")


def is_loopback(name: str) -> bool:
    """Whether a host's name is this machine's, for itself."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
