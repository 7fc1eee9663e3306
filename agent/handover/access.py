"""Who may speak to the box over the network: paired workstations, by a token in a header or in
the cookie that pairing gave their browser. Everybody else hears nothing but that.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakSet

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agent.api.access import check_names, check_page
from agent.handover.workstations import Workstation
from shared.errors import Refused
from shared.reasons import Reason

WORKSTATION = web.RequestKey("workstation", Workstation)

PAIR_PATHS = frozenset({"/pair", "/pair.css", "/api/v1/pair"})
"""What a stranger may ask for, while a pairing window is open."""
_PERSONS_ONLY = ("/api/v1/pairing", "/api/v1/workstations")
"""For a page with a person before it: a stolen token must not pair others."""


class Connections:
    """The open connections of each workstation, to be cut with its pairing."""

    def __init__(self) -> None:
        self._open: dict[str, WeakSet[asyncio.Transport]] = {}

    def note(self, owner: str, transport: asyncio.BaseTransport | None) -> None:
        """A request of this workstation came here."""
        if isinstance(transport, asyncio.Transport):
            self._open.setdefault(owner, WeakSet()).add(transport)

    def cut(self, owner: str) -> None:
        """End all of them at once."""
        for transport in tuple(self._open.pop(owner, ())):
            transport.abort()


def guard_network(
    find: Callable[[str], Workstation | None],
    cookie: str,
    is_pairing: Callable[[], bool],
    is_our_name: Callable[[str], bool],
    connections: Connections,
) -> Middleware:
    """Middleware that lets in paired workstations; strangers only to pair."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_names(request, is_our_name)
        if request.path in PAIR_PATHS:
            if not is_pairing():
                raise Refused(Reason.PAIRING_CLOSED)
            return await handler(request)
        given = request.headers.get("Authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            workstation = find(token) if scheme == "Bearer" else None
        else:
            workstation = find(request.cookies.get(cookie, ""))
        if workstation is None:
            raise Refused(Reason.WORKSTATION_NOT_PAIRED)
        if given is None:
            check_page(request)
        elif request.path.startswith(_PERSONS_ONLY):
            raise Refused(Reason.REQUEST_NOT_ALLOWED, "for a person at a page")
        request[WORKSTATION] = workstation
        connections.note(workstation.id, request.transport)
        return await handler(request)

    return check
