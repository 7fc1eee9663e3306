"""Pairing workstations as the counter page does it: open a window, list who is paired, remove one.

Who keeps the pairings and listens on the network is ``agent.handover``; here is only its port.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from aiohttp import web

from agent.api.views import PairingView, WorkstationView
from agent.counter.operators import Operators
from shared.errors import Refused
from shared.reasons import Reason


class Pairing(Protocol):
    """What the API needs of the hand-over to workstations."""

    async def open_window(self) -> PairingView:
        """A new code; the one before is void. Raises Unavailable (PORT_BUSY, STORE_UNAVAILABLE),
        Refused (WORKSTATIONS_FULL)."""
        ...

    def list_workstations(self) -> Sequence[WorkstationView]: ...

    async def remove(self, workstation_id: str) -> None:
        """Nobody is let in by that pairing any more, and whoever is in is cut off. Raises Refused
        (NOT_FOUND), Unavailable when that cannot be kept."""
        ...


def build_pairing_routes(pairing: Pairing, operators: Operators) -> list[web.RouteDef]:
    """``/api/v1/pairing`` and ``/api/v1/workstations``."""

    async def post_pairing(request: web.Request) -> web.Response:
        _check_operator(request, operators)
        return _answer(await pairing.open_window())

    async def get_workstations(_: web.Request) -> web.Response:
        return _answer(pairing.list_workstations())

    async def delete_workstation(request: web.Request) -> web.Response:
        _check_operator(request, operators)
        await pairing.remove(request.match_info["id"])
        return _answer(pairing.list_workstations())

    return [
        web.post("/api/v1/pairing", post_pairing),
        web.get("/api/v1/workstations", get_workstations),
        web.delete("/api/v1/workstations/{id}", delete_workstation),
    ]


def _check_operator(request: web.Request, operators: Operators) -> None:
    """At a page of a counter where people sign in, one must have; a technician's command line has
    the box's own token instead."""
    if "Authorization" in request.headers:
        return
    view = operators.view()
    if view.required and not view.id:
        raise Refused(Reason.OPERATOR_NEEDED)
    operators.act()


def _answer(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
