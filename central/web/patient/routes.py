"""The patient's page, ``/me/<secret>``: opened once, bound to one phone, showing one code.

Opening is a button's POST, not the GET of the address: a messenger that looks behind a link
before its reader does would use it up, and a cookie of the strict kind does not come with the
first GET from another app.
"""

from datetime import datetime
from functools import partial

from aiohttp import web

from central.cards.card import Card
from central.cards.links import LASTS, Visit
from central.web.app import Site
from central.web.pages import Pages
from central.web.problems import Problem
from central.web.visitors import answer_page, other_language_link, read_language
from shared.errors import Refused
from shared.qr import Level, render_svg
from shared.reasons import Reason
from shared.residents import mask_name

_COOKIE = "onecode-phone"
_GUESS_COST = 3.0
"""A link's 128 bits are not guessed; whoever tries is slowed down all the same."""
_CODE_COST = 0.5


class PatientPage:
    """Serves the page."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._central = site.central
        self._writer = site.writer
        self._clock = site.clock
        self._routes = site.routes
        self._pages = pages
        self._secure = site.central.config.web.public_url.startswith("https:")

    def add_routes(self) -> None:
        """The page, its button, and what its script asks for."""
        routes = self._routes
        path, shown = "/me/{secret}", self._show_problem
        routes.add_page("GET", path, self.show, public=True, cost=_GUESS_COST, on_problem=shown)
        routes.add_page("POST", path, self.open, public=True, cost=_GUESS_COST, on_problem=shown)
        routes.add_page("POST", f"{path}/code", self.issue_code, public=True, cost=_CODE_COST)
        routes.add_page("GET", f"{path}/keep", self.keep, public=True, on_problem=shown)

    async def show(self, request: web.Request) -> web.Response:
        """The button that opens the link, or on the phone that has opened it, the code."""
        visit = self._visit(request)
        if not visit.opened:
            return self._page(request, "patient/open.html", until=visit.until)
        self._central.cards.static_code(self._card(visit))  # a suspended card says so in words
        return self._page(request, "patient/code.html", name=self._masked_name(visit))

    async def open(self, request: web.Request) -> web.Response:
        """Bind the link to this phone; the same phone again changes nothing."""
        secret = request.match_info["secret"]
        response = web.Response(status=303, headers={"Location": f"/me/{secret}"})
        if not self._visit(request).opened:
            opened = await self._writer.run(
                partial(self._central.links.open, secret, self._clock.now())
            )
            response.set_cookie(
                _COOKIE,
                opened.secret,
                path=f"/me/{secret}",
                max_age=int(LASTS.total_seconds()),
                httponly=True,
                samesite="Strict",
                secure=self._secure,
            )
        return response

    async def issue_code(self, request: web.Request) -> web.Response:
        """A fresh dynamic code as a picture, and for how many seconds it is good."""
        visit = self._check_opened(request)
        seconds = self._central.config.dynamic_ttl_seconds
        at = self._clock.now()
        code = await self._writer.run(lambda: self._issue(self._card(visit), at, seconds))
        label = read_language(request).choose("电子健康码", "Health code")
        left = seconds - at.microsecond / 1_000_000  # it is good from the beginning of its second
        return web.json_response(
            {"picture": render_svg(code, Level.M, label), "seconds": left},
        )

    async def keep(self, request: web.Request) -> web.Response:
        """The static code, to be kept as a picture."""
        visit = self._check_opened(request)
        card = self._card(visit)
        language = read_language(request)
        label = language.choose("健康码（静态）", "Health code (static)")
        return self._page(
            request,
            "patient/keep.html",
            name=self._masked_name(visit),
            picture=render_svg(self._central.cards.static_code(card), Level.M, label),
        )

    def _issue(self, card: Card, at: datetime, seconds: int) -> str:
        return self._central.cards.issue_dynamic(card, at, seconds)

    def _card(self, visit: Visit) -> Card:
        return self._central.cards.read(visit.card)

    def _visit(self, request: web.Request) -> Visit:
        phone = request.cookies.get(_COOKIE)
        return self._central.links.visit(request.match_info["secret"], phone, self._clock.now())

    def _check_opened(self, request: web.Request) -> Visit:
        visit = self._visit(request)
        if not visit.opened:
            raise Refused(Reason.LINK_UNKNOWN, "not opened on this phone")
        return visit

    def _masked_name(self, visit: Visit) -> str:
        return mask_name(self._central.patients.read(self._card(visit).person).name)

    def _page(self, request: web.Request, template: str, **values: object) -> web.Response:
        text = self._pages.render(
            template,
            read_language(request),
            other_language=other_language_link(request),
            address=f"/me/{request.match_info.get('secret', '')}",
            **values,
        )
        return answer_page(request, text, secure=self._secure)

    def _show_problem(self, request: web.Request, problem: Problem) -> web.Response:
        language = read_language(request)
        text = self._pages.render(
            "patient/problem.html",
            language,
            other_language=other_language_link(request),
            what=language.choose(problem.title_zh, problem.title),
            next_step=language.choose(problem.next_zh, problem.next),
            again=problem.status >= 500 or problem.status == 429,
        )
        return answer_page(request, text, problem.status, secure=self._secure)
