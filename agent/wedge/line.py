"""The line to a box: HTTPS and WebSocket to the one certificate whose fingerprint was compared at
pairing. The only place where the HTTP library's errors become ours.
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
from yarl import URL

from agent.wedge.profile import Profile
from shared.errors import Malformed, NotAuthentic, Refused, Unavailable
from shared.reasons import Reason

SILENT_SECONDS = 8.0
"""A box says something every two."""
_CONNECT_SECONDS = 10.0
_FORBIDDEN = 403
_MOST_BYTES = 64 * 1024


def parse_address(text: str) -> str:
    """``https://host:port``, whatever path was behind it. Raises Malformed."""
    try:
        url = URL(text if "://" in text else f"https://{text}")
        if url.scheme == "https" and url.host:
            return str(url.origin())
    except ValueError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "address") from error
    raise Malformed(Reason.REQUEST_MALFORMED, "address: https://…")


def parse_fingerprint(text: str) -> str:
    """64 hex digits, however they were grouped. Raises Malformed."""
    digits = "".join(text.replace(":", " ").split()).lower()
    try:
        if len(bytes.fromhex(digits)) == hashlib.sha256().digest_size:
            return digits
    except ValueError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, "fingerprint") from error
    raise Malformed(Reason.REQUEST_MALFORMED, "fingerprint: 64 hex digits")


def fetch_fingerprint(address: str) -> str:
    """Of whatever certificate is shown there: for a person to compare. Blocks. Raises
    Unavailable."""
    url = URL(address)
    try:
        pem = ssl.get_server_certificate(
            (url.host or "", url.port or 443), timeout=_CONNECT_SECONDS
        )
    except OSError as error:
        raise Unavailable(Reason.BOX_UNREACHABLE, address) from error
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


async def pair(address: str, fingerprint: str, code: str, name: str) -> Profile:
    """Pair by a code. Raises the box's own refusal, NotAuthentic (BOX_CHANGED), Unavailable."""
    async with _session(address, fingerprint) as session:
        with _mapped(address):
            answer = await session.post("/api/v1/pair", json={"code": code, "name": name})
            body = await answer.text()
    try:
        given = json.loads(body)
        if answer.ok:
            return Profile(address, fingerprint, str(given["token"]))
        reason = Reason(given["reason"])
    except (ValueError, KeyError, TypeError) as error:
        raise Malformed(Reason.MESSAGE_MALFORMED, f"HTTP {answer.status}") from error
    raise Refused(reason)


async def listen(profile: Profile) -> AsyncIterator[dict[str, Any]]:
    """What the box tells, the first message at once, until the line breaks.

    Raises Unavailable then, Refused (WORKSTATION_NOT_PAIRED), NotAuthentic (BOX_CHANGED).
    """
    async with _session(profile.address, profile.fingerprint, profile.token) as session:
        with _mapped(profile.address):
            socket = await session.ws_connect("/api/v1/handover", max_msg_size=_MOST_BYTES)
            async with socket:
                while True:
                    async with asyncio.timeout(SILENT_SECONDS):
                        message = await socket.receive()
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        raise Unavailable(Reason.BOX_UNREACHABLE, profile.address)
                    yield json.loads(message.data)


@asynccontextmanager
async def _session(
    address: str, fingerprint: str, token: str | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes.fromhex(fingerprint)))
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=30)
    async with aiohttp.ClientSession(
        address, headers=headers, connector=connector, timeout=timeout
    ) as session:
        yield session


@contextmanager
def _mapped(address: str) -> Iterator[None]:
    try:
        yield
    except aiohttp.ServerFingerprintMismatch as error:
        raise NotAuthentic(Reason.BOX_CHANGED, address) from error
    except aiohttp.WSServerHandshakeError as error:
        if error.status == _FORBIDDEN:
            raise Refused(Reason.WORKSTATION_NOT_PAIRED, address) from error
        raise Unavailable(Reason.BOX_UNREACHABLE, f"HTTP {error.status}") from error
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise Unavailable(Reason.BOX_UNREACHABLE, address) from error
