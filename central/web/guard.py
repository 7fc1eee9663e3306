"""The one middleware: everything that is the same for every request.

A request's id, the host it is for, how often, who asks and whether they may; then the handler;
then every error of our tree as a problem. A bug in one request is answered 500 with the request's
id and logged with its trace: it ends that request and nothing else, because the boxes' line runs
in the same process and patients stand at its other end.
"""

import asyncio
import logging
import os
import re
from itertools import count

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from central.web.answer import Answer
from central.web.limits import Buckets
from central.web.problems import MEDIA_TYPE, Problem, build_problem, status_of
from central.web.routing import ADDRESS, PRINCIPAL, Access, Routes
from central.web.security import (
    SAFE_METHODS,
    Addresses,
    Hosts,
    build_api_headers,
    is_cross_site,
)
from central.web.sign_in import SignIns
from shared.errors import OneCodeError, Refused
from shared.reasons import Reason

_log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-Id"
_GIVEN_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")
_API_HEADERS = build_api_headers()
_UNROUTED = Access(public=True, headers=_API_HEADERS)
_LIBRARY_REASONS = {
    404: Reason.NOT_FOUND,
    408: Reason.REQUEST_SLOW,
    413: Reason.BODY_TOO_LARGE,
}


class Guard:
    """What stands before every handler."""

    def __init__(  # noqa: PLR0913 - what it asks, each for one thing
        self,
        routes: Routes,
        sign_ins: SignIns,
        hosts: Hosts,
        addresses: Addresses,
        *,
        by_address: Buckets,
        by_principal: Buckets,
    ) -> None:
        self._accesses = routes.accesses
        self._sign_ins = sign_ins
        self._hosts = hosts
        self._addresses = addresses
        self._by_address = by_address
        self._by_principal = by_principal
        self._now = asyncio.get_running_loop().time
        self._ids = map(f"{os.urandom(5).hex()}-{{:x}}".format, count(1))

    def middleware(self) -> Middleware:
        """For ``web.Application(middlewares=…)``."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            access = self._accesses.get(request.match_info.handler, _UNROUTED)
            return await self.protect(request, access, handler)

        return guard

    async def protect(
        self, request: web.Request, access: Access, handler: Handler
    ) -> web.StreamResponse:
        """Answer a request by ``handler``, or with what stands against it."""
        given = request.headers.get(REQUEST_ID)
        id = given if given and _GIVEN_ID.fullmatch(given) else next(self._ids)
        response: web.StreamResponse
        try:
            self._check(request, access)
            if not access.public:
                principal = await self._sign_ins.identify(request, touch=not access.by_itself)
                request[PRINCIPAL] = principal
                wait = self._by_principal.take(principal.id, self._now())
                if wait:
                    raise _too_many(wait)
                if access.permission is not None:
                    principal.check(access.permission)
            response = await handler(request)
        except OneCodeError as error:
            status = status_of(error)
            if status >= 500:  # what only engineers should read stays here
                _log.error("request %s: %s", id, error)
            problem = build_problem(error.reason, status, id, error.detail)
            response = self._answer(request, access, problem)
        except web.HTTPException as error:
            if error.status < 400:
                raise  # a redirection
            reason = _LIBRARY_REASONS.get(error.status, Reason.REQUEST_MALFORMED)
            response = self._answer(request, access, build_problem(reason, error.status, id))
            if isinstance(error, web.HTTPMethodNotAllowed):
                response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        except ConnectionError:
            raise  # whoever asked is gone
        except Exception:  # noqa: BLE001 - a bug ends its request alone; see above
            _log.exception("request %s failed unexpectedly: %s", id, _name(request, access))
            problem = build_problem(Reason.UNEXPECTED, 500, id)
            response = self._answer(request, access, problem)
        _dress(response, access, id)
        return response

    def _check(self, request: web.Request, access: Access) -> None:
        headers = request.headers
        # Not ``request.host``: without the header it asks the name service, and the loop waits.
        host = headers.get("Host", "")
        if not self._hosts.knows(host):
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "Host")
        forwarded = headers.getall("X-Forwarded-For", ())
        address = request[ADDRESS] = self._addresses.read(request.remote, forwarded)
        wait = self._by_address.take(address, self._now(), access.cost)
        if wait:
            raise _too_many(wait)
        if request.method not in SAFE_METHODS:
            origin = headers.get("Origin")
            if is_cross_site(headers.get("Sec-Fetch-Site", "")) or (
                origin is not None and not self._hosts.allow_origin(origin, host)
            ):
                raise Refused(Reason.REQUEST_NOT_ALLOWED, "Origin")

    def _answer(self, request: web.Request, access: Access, problem: Problem) -> web.StreamResponse:
        status = problem.status
        name = _name(request, access)
        _log.info("request %s: %d %s %s", problem.request_id, status, problem.reason, name)
        if access.on_problem is not None:
            return access.on_problem(request, problem)
        headers = _API_HEADERS.copy()
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="onecode"'
        elif status == 429:  # its detail is the seconds to wait
            headers["Retry-After"] = problem.detail if problem.detail.isdigit() else "60"
        elif status == 503:
            headers["Retry-After"] = "5"
        headers["Content-Type"] = MEDIA_TYPE
        return web.Response(status=status, body=msgspec.json.encode(problem), headers=headers)


def _dress(response: web.StreamResponse, access: Access, id: str) -> None:
    if isinstance(response, Answer):
        response.request_id = id
    elif not response.prepared:  # what is streamed has sent its headers already
        for name, value in access.headers.items():
            response.headers.setdefault(name, value)
        response.headers[REQUEST_ID] = id


def _too_many(wait: float) -> Refused:
    return Refused(Reason.TOO_MANY_REQUESTS, str(int(wait) + 1))


def _name(request: web.Request, access: Access) -> str:
    # The route, not the path: whatever somebody puts into a path stays out of the log.
    return f"{request.method} {access.path or '(no route)'}"
