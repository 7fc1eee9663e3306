"""Parked rows at the console: what central holds and cannot read yet, and the button that tries
again. Nothing waits for these rows; after an upgrade most of them are read.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from central.ingest.ledger import Replayed
from central.ingest.parked_routes import ParkedView, view_parked
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.frame import Frame
from central.web.console.words import tell_span, tell_time
from central.web.language import Language
from central.web.routing import PRINCIPAL
from central.web.visitors import read_form
from shared.ids import parse_box_id

PATH = "/console/parked"
_MOST = 200


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the list."""

    box: str
    place: str
    zh: str
    en: str
    next_zh: str
    next_en: str
    since: str
    age: str


class ParkedPages:
    """The list, and its button."""

    def __init__(self, site: Site, frame: Frame) -> None:
        self._site = site
        self._frame = frame
        self._parked = site.central.parked

    def add_routes(self) -> None:
        """By role."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        add("GET", PATH, self.show, permission=Permission.BOXES_READ)
        add("POST", f"{PATH}/replay", self.replay, permission=Permission.BOXES_WRITE)

    async def show(self, request: web.Request) -> web.Response:
        """What is parked, the first two hundred."""
        return await self._answer(request, "console/parked.html", None)

    async def replay(self, request: web.Request) -> web.Response:
        """Try the rows of a box again, or all that one sees; a part of them each time."""
        principal: Principal = request[PRINCIPAL]
        named = (await read_form(request)).get("box", "")
        box = parse_box_id(named) if named else None
        if box is not None:
            principal.check_site(box.site)
        work = partial(
            self._parked.replay,
            self._site.clock.now(),
            principal.actor,
            site=principal.site,
            box=box,
        )
        done = await self._site.writer.run(work, patient=True)
        return await self._answer(request, "console/parked_list.html", done)

    async def _answer(
        self, request: web.Request, template: str, done: Replayed | None
    ) -> web.Response:
        render = partial(self._render, request, template, done, self._site.clock.now())
        return self._frame.answer(request, await self._site.reader.run(render))

    def _render(
        self, request: web.Request, template: str, done: Replayed | None, at: datetime
    ) -> str:
        principal: Principal = request[PRINCIPAL]
        found = self._parked.list(principal.site, limit=_MOST + 1)
        language = self._frame.language(request)
        shown = [_show(view_parked(row), at, language) for row in found[:_MOST]]
        return self._frame.render(
            request,
            template,
            rows=shown,
            more=len(found) > _MOST,
            done=done,
            may_replay=principal.may(Permission.BOXES_WRITE),
        )


def _show(row: ParkedView, at: datetime, language: Language) -> ShownRow:
    words, since = row.reason.words, row.parked_at
    return ShownRow(
        row.box,
        f"{row.epoch}:{row.seq}",
        words.zh,
        words.en,
        words.next_zh,
        words.next_en,
        tell_time(since, at),
        tell_span(at - since, language),
    )
