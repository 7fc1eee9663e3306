"""One operation as a handler: parse, work where its work is done, encode, answer conditionally.

An ETag is of the answer's own bytes. A write compares If-Match with the state it starts from, and
keeps its answer under the Idempotency-Key, both in the unit of work that does it.
"""

import asyncio
from functools import partial
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from central.storage.glance import Glances
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.web.answer import Answer, Today
from central.web.idempotency import Answers, Given
from central.web.operations import NOTHING, AnyOperation, Call, Nothing, Work
from central.web.parsing import (
    parse_body,
    parse_key,
    parse_query,
    parse_text_fields,
    parse_uuid,
)
from central.web.routing import PRINCIPAL
from central.web.security import build_api_headers
from shared.clock import Clock
from shared.errors import Malformed, Refused
from shared.reasons import Reason

MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
_JSON = "application/json"
_HEADERS = build_api_headers()
_HEADERS["Content-Type"] = _JSON
_encode = msgspec.json.Encoder(order="deterministic").encode


class Workers:
    """What operations are run by."""

    def __init__(
        self, glances: Glances, reader: Reader, writer: Writer, clock: Clock, answers: Answers
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.clock = clock
        self.answers = answers
        self.today = Today()
        self.glance = glances.glance


class Endpoint:
    """Serves one operation."""

    def __init__(self, operation: AnyOperation, workers: Workers) -> None:
        self._operation = operation
        self._workers = workers
        self._run = operation.run
        self._path = None if operation.path_shape is Nothing else operation.path_shape
        self._query = operation.query_shape
        self.route = _build_route(operation)
        self._status = 201 if operation.created else 200
        shape = operation.body_shape
        self._decoder = None if shape is None else msgspec.json.Decoder(shape)
        self.direct = self._answer_direct if _is_direct(operation) else None
        self.handler = {
            Work.POINT: self._answer_point,
            Work.LIST: self._answer_list,
            Work.WRITE: self._answer_write,
        }[operation.work]

    async def _answer_point(self, request: web.Request) -> web.Response:
        self._workers.glance()
        return self._answer(request, _encode(self._run(self._call(request))))

    async def _answer_direct(self, request: web.Request) -> web.StreamResponse:
        """A point read whose path ends in its only parameter, by ``ShortRoad``."""
        path = self._operation.path_shape(parse_uuid(request.raw_path.rpartition("/")[2]))
        call = Call(path, NOTHING, None, request[PRINCIPAL], self._workers.clock.now())
        self._workers.glance()
        body = _encode(self._run(call))
        if "If-None-Match" in request.headers or request.version != HttpVersion11:
            return self._answer(request, body)
        return Answer(body, _tag(body), self._workers.today.text())

    async def _answer_list(self, request: web.Request) -> web.Response:
        call = self._call(request, await self._read_body(request))
        body = await self._workers.reader.run(partial(self._read, call))
        return self._answer(request, body)

    async def _answer_write(self, request: web.Request) -> web.Response:
        data = await self._read_body(request)
        call = self._call(request, data)
        if self._operation.prepare is not None:
            call.prepared = await self._operation.prepare(call)
        headers = request.headers
        key = headers.get("Idempotency-Key")
        given = None
        if key is not None:
            given = Given(parse_key(key), call.principal.actor, f"{request.method} {request.path}")
        write = partial(self._write, call, data, given, headers.get("If-Match"))
        status, body = await self._workers.writer.run(write, patient=True)
        return web.Response(body=body, status=status, headers=_with_tag(_tag(body)))

    def _read(self, call: Call[Any, Any, Any]) -> bytes:
        return _encode(self._run(call))

    def _write(
        self, call: Call[Any, Any, Any], data: bytes, given: Given | None, if_match: str | None
    ) -> tuple[int, bytes]:
        """In the writer's unit: the answer of before, or the act and its answer kept."""
        answers = self._workers.answers
        if given is not None and (kept := answers.find(given, data, call.at)) is not None:
            return self._status, kept
        current = self._operation.current
        if (
            if_match is not None
            and current is not None
            and not _matches(if_match, _tag(_encode(current(call))), weak=False)
        ):
            raise Refused(Reason.CHANGED_MEANWHILE)
        body = _encode(self._run(call))
        if given is not None:
            answers.keep(given, data, body, call.at)
        return self._status, body

    def _call(self, request: web.Request, data: bytes = b"") -> Call[Any, Any, Any]:
        path: Any = NOTHING
        if self._path is not None:
            path = parse_text_fields(request.match_info, self._path, "path")
        query: Any = NOTHING
        if request.query_string or self._query is not Nothing:
            query = parse_query(request.query, self._query)
        body = None if self._decoder is None else parse_body(data, self._decoder)
        return Call(path, query, body, request[PRINCIPAL], self._workers.clock.now())

    async def _read_body(self, request: web.Request) -> bytes:
        if self._decoder is None:
            return b""
        if request.content_type != _JSON or "Content-Encoding" in request.headers:
            raise web.HTTPUnsupportedMediaType
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await request.read()
        except TimeoutError as error:
            raise Malformed(Reason.REQUEST_SLOW) from error

    def _answer(self, request: web.Request, body: bytes) -> web.Response:
        tag = _tag(body)
        wanted = request.headers.get("If-None-Match") if request.method == "GET" else None
        if wanted is not None and _matches(wanted, tag, weak=True):
            return web.Response(status=304, headers=_with_tag(tag))
        return web.Response(body=body, headers=_with_tag(tag))


def _build_route(operation: AnyOperation) -> str:
    """The path as the HTTP library matches it: where a UUID stands, no word does, or
    ``/persons/search`` would be a person too."""
    route = operation.path
    for field in msgspec.structs.fields(operation.path_shape):
        if field.type is UUID:
            route = route.replace(f"{{{field.name}}}", f"{{{field.name}:[0-9A-Fa-f-]{{36}}}}")
    return route


def _is_direct(operation: AnyOperation) -> bool:
    """Whether it is a point read by one UUID at the path's end."""
    fields = msgspec.structs.fields(operation.path_shape)
    return (
        operation.work is Work.POINT
        and [field.type for field in fields] == [UUID]
        and operation.path.endswith(f"/{{{fields[0].name}}}")
        and operation.query_shape is Nothing
    )


def _tag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _with_tag(tag: str) -> CIMultiDict[str]:
    headers = _HEADERS.copy()
    headers["ETag"] = tag
    return headers


def _matches(header: str, tag: str, *, weak: bool) -> bool:
    """RFC 9110 §13.1: a list of tags, or ``*``; only If-None-Match compares weakly."""
    if header.strip() == "*":
        return True
    for each in header.split(","):
        given = each.strip()
        if (given.removeprefix("W/") if weak else given) == tag:
            return True
    return False
