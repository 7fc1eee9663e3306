"""Who may speak to the local API: bearers of the box's token, by a loopback name.

Any user of the machine can reach loopback, and any web page can make a browser try; a token kept
in a file of mode 0600 and a checked Host header keep both out.
"""

import hmac
import ipaddress
import secrets
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from shared.config import read_secret, write_secret
from shared.errors import Refused
from shared.reasons import Reason


def load_token(path: Path) -> str:
    """The box's token, made at the first start. Raises Refused when its file is too open."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return read_secret(path).decode()


def guard(token: str) -> Middleware:
    """Middleware that refuses a foreign Host and a missing or wrong bearer token."""
    expected = f"Bearer {token}"

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Not ``request.host``: without the header it asks the name service, and the loop waits.
        if not _is_loopback(request.headers.get("Host", "")):
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "host is not a loopback name")
        given = request.headers.get("Authorization", "")
        # The library gives bytes that are not UTF-8 as surrogates.
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode()):
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "bearer token")
        return await handler(request)

    return check


def _is_loopback(host: str) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
