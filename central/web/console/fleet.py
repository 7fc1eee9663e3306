"""Boxes live, the stream of scans, and one box's page. Read and rendered in the reader's thread.

A live part asks for itself anew every few seconds; its own requests, which ``htmx`` marks, show
the same as the page did.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from central.fleet.states import BoxState
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.boxes import Filter, count_boxes, rank_boxes
from central.web.console.cases import MOST_COUNTED, MOST_ON_FIRST_PAGE, show_case
from central.web.console.frame import Frame
from central.web.console.reading import BoxView, Reading
from central.web.console.showing import (
    show_age,
    show_box,
    show_devices,
    show_lease,
    show_link,
    show_scan,
)
from central.web.console.words import BOX_STATES, TROUBLES, tell_time
from central.web.routing import PRINCIPAL

_ROWS = (100, 1000)
_STATES = (
    ("", "全部", "all"),
    ("need", "需要处理", "need somebody"),
    ("online", "在线", "online"),
    ("offline", "不在线", "not online"),
    *((state.value, BOX_STATES[state].zh, BOX_STATES[state].en) for state in BoxState),
)


class FleetPages:
    """What boxes are and do."""

    def __init__(self, site: Site, frame: Frame, reading: Reading) -> None:
        self._site = site
        self._frame = frame
        self._reading = reading

    def add_routes(self) -> None:
        """Pages and their live parts."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        boxes, scans = Permission.BOXES_READ, Permission.SCANS_READ
        one = "/console/boxes/{site}/{box}"
        add("GET", "/console/boxes", self.list_boxes, permission=boxes)
        add("GET", "/console/boxes/live", self.list_boxes_live, permission=boxes, by_itself=True)
        add("GET", one, self.show_box, permission=boxes)
        add("GET", f"{one}/live", self.show_box_live, permission=boxes, by_itself=True)
        add("GET", f"{one}/account", self.prove_account, permission=boxes)
        add("GET", "/console/scans", self.list_scans, permission=scans)
        add("GET", "/console/scans/live", self.list_scans_live, permission=scans, by_itself=True)

    async def list_boxes(self, request: web.Request) -> web.Response:
        """Every box, what needs a person first: the first rows at once, the rest follow live."""
        return await self._read(request, partial(self._boxes, "console/boxes.html", _ROWS[0]))

    async def list_boxes_live(self, request: web.Request) -> web.Response:
        """The list alone."""
        return await self._read(request, partial(self._boxes, "console/boxes_live.html", _ROWS[-1]))

    async def show_box(self, request: web.Request) -> web.Response:
        """One box."""
        return await self._read(request, partial(self._box, "console/box.html", True))

    async def show_box_live(self, request: web.Request) -> web.Response:
        """What changes of one box."""
        return await self._read(request, partial(self._box, "console/box_live.html", False))

    async def prove_account(self, request: web.Request) -> web.Response:
        """The box's account alone, proved now; a long ledger takes its time."""
        return await self._read(request, partial(self._account, "console/box_account.html"))

    async def list_scans(self, request: web.Request) -> web.Response:
        """The newest scans."""
        return await self._read(request, partial(self._scans, "console/scans.html"))

    async def list_scans_live(self, request: web.Request) -> web.Response:
        """The rows alone."""
        return await self._read(request, partial(self._scans, "console/scans_live.html"))

    async def _read(
        self, request: web.Request, render: Callable[[web.Request, datetime], str]
    ) -> web.Response:
        text = await self._site.reader.run(partial(render, request, self._site.clock.now()))
        return self._frame.answer(request, text)

    # --- in the reader's thread ------------------------------------------------------------------

    def _boxes(self, template: str, most: int, request: web.Request, at: datetime) -> str:
        principal: Principal = request[PRINCIPAL]
        query, language = request.query, self._frame.language(request)
        wanted = Filter(query.get("site", ""), query.get("state", ""), query.get("text", ""))
        ranks = rank_boxes(self._reading.list_boxes(principal), at)
        fitting = [rank for rank in ranks if wanted.lets(rank)]
        rows = _number(query.get("rows", ""), _ROWS[0], _ROWS[-1])
        pages = max(1, ceil(len(fitting) / rows))
        page = _number(query.get("page", ""), 1, pages)
        part = fitting[(page - 1) * rows : page * rows]
        waiting = self._reading.list_waiting_cases(principal, MOST_COUNTED)
        return self._frame.render(
            request,
            template,
            cases_due=[show_case(each, at, language) for each in waiting[:MOST_ON_FIRST_PAGE]],
            cases_waiting=f"{len(waiting)}{'+' if len(waiting) == MOST_COUNTED else ''}",
            shown=[show_box(rank, at, language) for rank in part[:most]],
            more=len(part) > most,
            tally=count_boxes(ranks),
            sites=self._reading.list_sites(principal),
            states=_STATES,
            may_invite=principal.may(Permission.BOXES_INVITE),
            filter=wanted,
            rows=rows,
            page=page,
            pages=pages,
            query=_link(wanted, rows, page),
            before="/console/boxes" + _link(wanted, rows, page - 1),
            after="/console/boxes" + _link(wanted, rows, page + 1),
            now=at,
            told_now=tell_time(at, at),
        )

    def _box(self, template: str, whole: bool, request: web.Request, at: datetime) -> str:
        principal: Principal = request[PRINCIPAL]
        id = f"{request.match_info['site']}/{request.match_info['box']}"
        view, language = self._reading.read_box(principal, id), self._frame.language(request)
        line, report = view.line, view.report
        [rank] = rank_boxes([line], at)
        return self._frame.render(
            request,
            template,
            box=line,
            troubles=[TROUBLES[each] for each in rank.troubles],
            link=show_link(rank),
            since=tell_time(line.since, at) if line.since else "",
            state=BOX_STATES[line.state],
            reported=tell_time(line.heard_at, at) if line.heard_at else "",
            age=show_age(line.unsent_age(at), language),
            lease=show_lease(report.lease if report else None, line.heard_at, at),
            devices=list(show_devices(line, language)),
            wanted=view.wanted,
            lost=report.lost if report else 0,
            at_work=report.revision if report else None,
            now=at,
            told_now=tell_time(at, at),
            may_invite=principal.may(Permission.BOXES_INVITE),
            may_revoke=principal.may(Permission.BOXES_REVOKE),
            **_show_configuration(view),
            certificates=_show_certificates(view, at),
            counted=self._reading.count_account(id) if whole else None,
        )

    def _account(self, template: str, request: web.Request, at: datetime) -> str:
        principal: Principal = request[PRINCIPAL]
        id = f"{request.match_info['site']}/{request.match_info['box']}"
        line = self._reading.read_box(principal, id).line
        proved = self._prove(principal, id)
        return self._frame.render(
            request, template, box=line, now=at, told_now=tell_time(at, at), **proved
        )

    def _prove(self, principal: Principal, id: str) -> dict[str, Any]:
        report, parked = self._reading.prove_account(principal, id)
        return {
            "account": report,
            "findings": [
                {
                    "zh": found.reason.words.zh,
                    "en": found.reason.words.en,
                    "where": f"{found.epoch}:{found.first}–{found.last} {found.detail}",
                }
                for found in report.findings
            ],
            "parked": [
                {"place": f"{row.epoch}:{row.seq}", "zh": row.words.zh, "en": row.words.en}
                for row in parked
            ],
        }

    def _scans(self, template: str, request: web.Request, at: datetime) -> str:
        lines = self._reading.list_scans(request[PRINCIPAL])
        return self._frame.render(
            request,
            template,
            scans=[show_scan(line, at) for line in lines],
            now=at,
            told_now=tell_time(at, at),
        )


def _show_configuration(view: BoxView) -> dict[str, Any]:
    refused = view.report.refused if view.report else None
    if refused is None:
        return {"refused": None}
    words = refused.reason.words._asdict()
    return {"refused": words | {"setting": refused.setting, "revision": refused.revision}}


def _show_certificates(view: BoxView, at: datetime) -> list[dict[str, Any]]:
    return [
        {"serial": each.serial, "until": tell_time(each.ends_at, at), "revoked": each.revoked}
        for each in view.certificates
    ]


def _number(text: str, default: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6:
        return min(max(1, int(text)), most)
    return min(default, most)


def _link(wanted: Filter, rows: int, page: int) -> str:
    given = {
        "site": wanted.site,
        "state": wanted.state,
        "text": wanted.text,
        "rows": "" if rows == _ROWS[0] else rows,
        "page": "" if page == 1 else page,
    }
    text = urlencode({name: value for name, value in given.items() if value})
    return f"?{text}" if text else ""
