"""What stands around every page of the console: who is there, where they may go, problems in words.

Role decides what is shown: a place that one may not enter is no link.
"""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from central.users.principal import Owed, Principal, Session
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.words import ROLES
from central.web.language import Language
from central.web.pages import Pages
from central.web.problems import Problem
from central.web.routing import PRINCIPAL, SESSION
from central.web.visitors import answer_page, other_language_link, read_language
from shared.reasons import Reason

SIGN_IN = "/console/sign-in"
ACCOUNT = "/console/account"


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the console that the main navigation names; ``counted`` gives what stands beside
    its name."""

    path: str
    zh: str
    en: str
    permission: Permission
    counted: str = ""


PLACES = (
    Place("/console/boxes", "终端", "Boxes", Permission.BOXES_READ),
    Place("/console/cases", "个案", "Cases", Permission.CASES_READ, "/console/cases/overdue"),
    Place("/console/parked", "待读记录", "Not yet read", Permission.BOXES_READ),
    Place("/console/scans", "扫码", "Scans", Permission.SCANS_READ),
    Place("/console/search", "查人", "Search", Permission.PERSONS_READ),
    Place(ACCOUNT, "我的账号", "My account", Permission.ACCOUNT_READ),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page; nobody has no name."""

    name: str
    role_zh: str
    role_en: str
    csrf: str
    places: tuple[Place, ...]
    here: str
    other_language: str


class Frame:
    """Answers requests with pages and parts of pages."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._pages = pages
        self._hears_boxes = site.is_connected
        self.secure = site.central.config.web.public_url.startswith("https:")

    def language(self, request: web.Request) -> Language:
        """The language of this request."""
        return read_language(request)

    def render(self, request: web.Request, template: str, **values: Any) -> str:
        """A template's text for whoever asks. Any thread."""
        return self._pages.render(
            template,
            read_language(request),
            visitor=_visitor(request),
            hears_boxes=self._hears_boxes(),
            **values,
        )

    def page(
        self, request: web.Request, template: str, status: int = 200, **values: Any
    ) -> web.Response:
        """A page for whoever asks."""
        return self.answer(request, self.render(request, template, **values), status)

    def answer(self, request: web.Request, text: str, status: int = 200) -> web.Response:
        """What was rendered."""
        return answer_page(request, text, status, secure=self.secure)

    def show_problem(self, request: web.Request, problem: Problem) -> web.Response:
        """A refusal in words; who is not signed in is shown the way in."""
        if problem.status == 401:
            if "HX-Request" in request.headers:
                return web.Response(status=401)
            ended = "?ended=1" if problem.reason is Reason.SESSION_ENDED else ""
            return go_to(request, SIGN_IN + ended)
        if problem.reason is Reason.PERMISSION_MISSING and owes(request):
            return go_to(request, ACCOUNT)
        if "HX-Request" in request.headers:
            return self.notice(request, problem.reason, problem.status)
        language = read_language(request)
        return self.page(
            request,
            "console/problem.html",
            problem.status,
            what=language.choose(problem.title_zh, problem.title),
            next_step=language.choose(problem.next_zh, problem.next),
            problem=problem,
        )

    def notice(self, request: web.Request, reason: Reason, status: int) -> web.Response:
        """A refusal as part of a page."""
        words, language = reason.words, read_language(request)
        return self.page(
            request,
            "console/notice.html",
            status,
            what=language.choose(words.zh, words.en),
            next_step=language.choose(words.next_zh, words.next_en),
        )


def go_to(request: web.Request, path: str) -> web.Response:
    """Send the browser elsewhere, whether it asks for a page or htmx for a part of one."""
    if "HX-Request" in request.headers:
        return web.Response(headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})


def owes(request: web.Request) -> tuple[Owed, ...]:
    """What the signed-in user must still do before anything else."""
    session: Session | None = request.get(SESSION)
    return session.owed if session else ()


def _visitor(request: web.Request) -> Visitor:
    principal: Principal | None = request.get(PRINCIPAL)
    session: Session | None = request.get(SESSION)
    zh, en = ROLES[principal.role] if principal else ("", "")
    places = [place for place in PLACES if principal and principal.may(place.permission)]
    return Visitor(
        name=principal.name if principal else "",
        role_zh=zh,
        role_en=en,
        csrf=session.csrf if session else "",
        places=tuple(places),
        here=next((each.path for each in places if request.path.startswith(each.path)), ""),
        other_language=other_language_link(request),
    )
