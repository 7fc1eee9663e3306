"""The listener where boxes join, renew and learn the time: HTTPS on a port of its own.

TLS with the broker's server certificate, none asked of the box: what it has it proves in its
request. Requests are bounded in size, time and number, and every refusal is a problem with our
reason. What travels is defined in ``shared.joining``.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from central.config import CentralFiles, WebConfig
from central.fleet.joining import Joins
from central.fleet.renewal import Renewals
from central.storage.writer import Writer
from central.web.limits import Buckets
from central.web.problems import MEDIA_TYPE, build_problem, read_place, status_of
from shared.clock import Clock
from shared.errors import Malformed, OneCodeError, Refused, Unavailable
from shared.joining import JoinRequest, RenewRequest
from shared.reasons import Reason

MOST_BODY_BYTES = 64 * 1024
_HEAD_SECONDS = 10.0
"""A connection that has not shaken hands, or sent a whole head of a request, by then is closed."""
_REQUEST_SECONDS = 10.0
_STOP_SECONDS = 3.0
_NONCE_BYTES = 16

_log = logging.getLogger(__name__)

T = TypeVar("T")


class BoxDesk:
    """Handlers over the services; units of work run in the writer.

    ``keep_roles`` runs there after each joining, so that a broker that starts knows the box.
    """

    def __init__(
        self,
        joins: Joins,
        renewals: Renewals,
        keep_roles: Callable[[], None],
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._joins = joins
        self._renewals = renewals
        self._keep_roles = keep_roles
        self._writer = writer
        self._clock = clock

    def build_routes(self) -> list[web.RouteDef]:
        """What is served, as in ``shared.joining``."""
        return [
            web.get("/box/v1/centre", self._centre, allow_head=False),
            web.get("/box/v1/time", self._time, allow_head=False),
            web.post("/box/v1/join", self._join),
            web.post("/box/v1/renew", self._renew),
        ]

    async def _centre(self, _: web.Request) -> web.Response:
        return _answer(self._joins.centre())

    async def _time(self, request: web.Request) -> web.Response:
        try:
            nonce = bytes.fromhex(request.query.get("nonce", ""))
        except ValueError as error:
            raise Malformed(Reason.REQUEST_MALFORMED, "nonce") from error
        if len(nonce) != _NONCE_BYTES:
            raise Malformed(Reason.REQUEST_MALFORMED, "nonce")
        return _answer(self._joins.time(nonce, self._clock.now()))

    async def _join(self, request: web.Request) -> web.Response:
        asked = await _read(request, JoinRequest)
        join = partial(self._joins.join, asked, self._clock.now())
        try:
            answer = await self._writer.run(join, patient=True)
        except Refused as refusal:
            _log.warning("a box may not join: %s", refusal)
            address = request.remote or "?"
            note = partial(self._joins.note_refusal, asked, refusal.reason, address)
            await self._writer.run(partial(note, self._clock.now()), patient=True)
            raise
        _log.info("box %s joined", answer.box)
        try:
            await self._writer.run(self._keep_roles, patient=True)
        except Unavailable as error:  # the running broker is told in any case
            _log.warning("the broker's roles file is not up to date: %s", error)
        return _answer(answer)

    async def _renew(self, request: web.Request) -> web.Response:
        asked = await _read(request, RenewRequest)
        renew = partial(self._renewals.renew, asked, self._clock.now())
        try:
            answer = await self._writer.run(renew, patient=True)
        except Refused as refusal:
            _log.warning("a certificate is not renewed: %s", refusal)
            address = request.remote or "?"
            note = partial(self._renewals.note_refusal, asked, refusal.reason, address)
            await self._writer.run(partial(note, self._clock.now()), patient=True)
            raise
        return _answer(answer)


@asynccontextmanager
async def open_box_listener(
    desk: BoxDesk, clock: Clock, config: WebConfig, files: CentralFiles
) -> AsyncIterator[int]:
    """Serve boxes while the block runs; gives the port (another one when it is configured as 0).

    Raises Unavailable (PORT_BUSY, CONFIG_MISSING).
    """
    buckets = Buckets(config.box_rate, config.box_burst)
    app = web.Application(middlewares=[_bounded(clock, buckets)], client_max_size=MOST_BODY_BYTES)
    app.add_routes(desk.build_routes())
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_HEAD_SECONDS,
        shutdown_timeout=_STOP_SECONDS,
        lingering_time=0,
    )
    await runner.setup()
    try:
        context = await asyncio.to_thread(_tls_context, files)
        assert runner.server is not None, "it was set up"
        place = (config.box_host, config.box_port)
        try:
            # Not by the library's site, which would wait a minute for each handshake.
            server = await asyncio.get_running_loop().create_server(
                runner.server, *place, ssl=context, ssl_handshake_timeout=_HEAD_SECONDS
            )
        except OSError as error:
            raise Unavailable(Reason.PORT_BUSY, f"{place[0]}:{place[1]}") from error
        try:
            port = int(server.sockets[0].getsockname()[1])
            _log.info("boxes join on https://%s:%d", config.box_host, port)
            yield port
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _bounded(clock: Clock, buckets: Buckets) -> Middleware:
    """Middleware: few requests of one address, each short, and problems for all that is refused."""

    @web.middleware
    async def bound(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if buckets.take(request.remote or "?", clock.monotonic_ns() / 1e9):
                raise Refused(Reason.TOO_MANY_REQUESTS)
            async with asyncio.timeout(_REQUEST_SECONDS):
                return await handler(request)
        except OneCodeError as error:
            return _problem(error.reason, status_of(error), error.detail)
        except TimeoutError:
            return _problem(Reason.REQUEST_SLOW, 408)
        except web.HTTPRequestEntityTooLarge:
            return _problem(Reason.BODY_TOO_LARGE, 413)
        except web.HTTPNotFound:
            return _problem(Reason.NOT_FOUND, 404)
        except web.HTTPClientError as error:
            return _problem(Reason.REQUEST_MALFORMED, error.status)

    return bound


async def _read(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, read_place(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(Reason.REQUEST_MALFORMED) from error


def _answer(answer: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _problem(reason: Reason, status: int, detail: str = "") -> web.Response:
    problem = build_problem(reason, status, os.urandom(8).hex(), detail)
    return web.Response(status=status, body=msgspec.json.encode(problem), content_type=MEDIA_TYPE)


def _tls_context(files: CentralFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.server, files.server_key)
    except OSError as error:  # ssl.SSLError is one
        raise Unavailable(Reason.CONFIG_MISSING, f"{files.pki}: {error}") from error
    return context
