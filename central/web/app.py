"""The application factory: middleware, the API's routes, and what pages add beside them."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from central.app import Central
from central.storage.glance import Glances
from central.storage.reader import Reader
from central.storage.writer import Writer
from central.web.api import ROOT, list_operations
from central.web.endpoint import MAX_BODY_BYTES, Endpoint, Workers
from central.web.guard import Guard
from central.web.health import Health
from central.web.idempotency import Answers
from central.web.limits import Buckets
from central.web.openapi import build_document
from central.web.routing import Access, Routes
from central.web.security import Addresses, Hosts, build_api_headers, build_page_headers
from central.web.short_road import SHORT_ROAD, ShortRoad
from central.web.sign_in import FindsPrincipals, SignIns
from shared.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Site:
    """What whoever adds pages is given."""

    central: Central
    routes: Routes
    sign_ins: SignIns
    reader: Reader
    writer: Writer
    clock: Clock
    is_connected: Callable[[], bool]  # whether central hears boxes: its line to the broker


AddPages = Callable[[Site], None]


def build_app(  # noqa: PLR0913 - a composition root
    central: Central,
    users: FindsPrincipals,
    writer: Writer,
    reader: Reader,
    *,
    is_connected: Callable[[], bool],
    add_pages: AddPages = lambda _: None,
    clock: Clock | None = None,
) -> web.Application:
    """The whole of central's web over opened parts; call it where the loop runs, whose thread
    reads by key and from now on cannot write."""
    clock = clock or SystemClock()
    config = central.config.web
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    routes = Routes(app, build_page_headers(config.frame_ancestors))
    tls = config.public_url.startswith("https:")
    sign_ins = SignIns(users, writer, clock, tls=tls)
    guard = Guard(
        routes,
        sign_ins,
        Hosts(config.public_url, config.host),
        Addresses(config.proxies),
        by_address=Buckets(config.address_rate, config.address_burst),
        by_principal=Buckets(config.rate, config.burst),
    )
    app.middlewares.append(guard.middleware())
    road = app[SHORT_ROAD] = ShortRoad(guard)

    operations = list_operations(central)
    workers = Workers(Glances(central.database), reader, writer, clock, Answers(central.keys))
    for operation in operations:
        endpoint = Endpoint(operation, workers)
        access = Access(operation.permission)
        routes.add(operation.method, ROOT + endpoint.route, endpoint.handler, access)
        if endpoint.direct is not None:
            prefix = ROOT + operation.path.rpartition("/")[0]
            road.add(prefix, routes.accesses[endpoint.handler], endpoint.direct)

    open_to_all = Access(public=True, headers=build_api_headers())
    document = build_document(operations, ROOT)

    async def answer_document(_: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json")

    health = Health(writer, is_connected)
    routes.add("GET", "/api/openapi.json", answer_document, open_to_all)
    routes.add("GET", "/healthz", health.answer_alive, open_to_all)
    routes.add("GET", "/readyz", health.answer_ready, open_to_all)
    add_pages(Site(central, routes, sign_ins, reader, writer, clock, is_connected))
    return app
