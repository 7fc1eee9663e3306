"""The console put together: the way in, boxes, cases, scans, persons; ``/console`` leads on."""

from aiohttp import web

from central.users.desk import Desk
from central.users.principal import Principal
from central.web.app import Site
from central.web.console.acts import BoxActs
from central.web.console.cases import CasePages
from central.web.console.entrance import Entrance
from central.web.console.fleet import FleetPages
from central.web.console.frame import ACCOUNT, PLACES, Frame, go_to, owes
from central.web.console.parked import ParkedPages
from central.web.console.people import PeoplePages
from central.web.console.reading import Reading
from central.web.pages import Pages
from central.web.routing import PRINCIPAL
from shared.errors import Refused
from shared.reasons import Reason


class Console:
    """Every page of the console."""

    def __init__(self, site: Site, pages: Pages, desk: Desk) -> None:
        self._site = site
        self._frame = Frame(site, pages)
        reading = Reading(site.central)
        self._parts = (
            Entrance(site, self._frame, desk),
            FleetPages(site, self._frame, reading),
            BoxActs(site, self._frame, reading),
            CasePages(site, self._frame, reading),
            PeoplePages(site, self._frame, reading),
            ParkedPages(site, self._frame),
        )

    def add_routes(self) -> None:
        """All of them; what is below ``/console`` and is none gets a page that says so."""
        for part in self._parts:
            part.add_routes()
        add, shown = self._site.routes.add_page, self._frame.show_problem
        add("GET", "/", self.lead_in, public=True)
        add("GET", "/console", self.lead_on, on_problem=shown)
        add("GET", "/console/{rest:.*}", self.miss, public=True, on_problem=shown)

    async def lead_in(self, request: web.Request) -> web.Response:
        """The bare address is somebody who looks for the console."""
        return go_to(request, "/console")

    async def lead_on(self, request: web.Request) -> web.Response:
        """To the first page that the role may see, or to what is owed first."""
        principal: Principal = request[PRINCIPAL]
        if owes(request):
            return go_to(request, ACCOUNT)
        for place in PLACES:
            if place.path != ACCOUNT and principal.may(place.permission):
                return go_to(request, place.path)
        return self._frame.page(request, "console/nothing.html")

    async def miss(self, _: web.Request) -> web.Response:
        """Raises Refused (NOT_FOUND)."""
        raise Refused(Reason.NOT_FOUND)
