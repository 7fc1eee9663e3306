"""Cases at the console: what waits for a person, ranked by deadline, and one case to decide.

What a decision gives to be shown once, an invite say, is in the answer to the form and nowhere
else.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from central.cases.case import Case, Decided, Evidence, count_overdue
from central.cases.kinds import Outcome
from central.cases.seeing import check_choice, check_seen, is_seen, may_choose
from central.cases.states import CaseState
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.app import Site
from central.web.console.frame import Frame, go_to
from central.web.console.reading import Reading
from central.web.console.words import Mood, tell_span, tell_time
from central.web.language import Language
from central.web.routing import PRINCIPAL
from central.web.visitors import read_form
from shared.errors import Malformed, Refused
from shared.qr import Level, render_svg
from shared.reasons import Reason

PATH = "/console/cases"
MOST_ON_FIRST_PAGE = 5
MOST_COUNTED = 100
"""On the first page, which asks every two seconds; more are told as more."""
_MOST_WAITING = 500
_MOST_DECIDED = 50
_LARGEST = 1 << 53


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A row of the list."""

    number: int
    zh: str
    en: str
    mood: Mood
    due: str
    owner: str
    next_zh: str
    next_en: str
    boxes: tuple[str, ...]
    outcome: str


class CasePages:
    """The list, one case, and what is done to it."""

    def __init__(self, site: Site, frame: Frame, reading: Reading) -> None:
        self._site = site
        self._frame = frame
        self._reading = reading
        self._cases = site.central.cases

    def add_routes(self) -> None:
        """By role."""
        add = partial(self._site.routes.add_page, on_problem=self._frame.show_problem)
        read, decide, one = Permission.CASES_READ, Permission.CASES_DECIDE, f"{PATH}/{{case}}"
        add("GET", PATH, self.list_cases, permission=read)
        add("GET", f"{PATH}/live", self.list_cases_live, permission=read, by_itself=True)
        add("GET", f"{PATH}/overdue", self.count_overdue, permission=read, by_itself=True)
        add("GET", one, self.show, permission=read)
        add("POST", f"{one}/assign", self.assign, permission=decide)
        add("POST", f"{one}/decide", self.decide, permission=decide)

    async def list_cases(self, request: web.Request) -> web.Response:
        """What waits, what is due first before all; below it what was decided lately."""
        return await self._read(request, partial(self._list, "console/cases.html"))

    async def list_cases_live(self, request: web.Request) -> web.Response:
        """The lists alone."""
        return await self._read(request, partial(self._list, "console/cases_live.html"))

    async def count_overdue(self, request: web.Request) -> web.Response:
        """How many should have been decided before, for the menu of every page."""
        return await self._read(request, self._count_overdue)

    async def show(self, request: web.Request) -> web.Response:
        """Both sides' evidence, and the choices with what each leads to."""
        return await self._read(request, self._show)

    async def assign(self, request: web.Request) -> web.Response:
        """Take a case, or give it to somebody."""
        principal: Principal = request[PRINCIPAL]
        owner = (await read_form(request))["owner"] or principal.name
        work = partial(self._assign, request, owner, self._site.clock.now())
        case = await self._site.writer.run(work)
        return go_to(request, f"{PATH}/{case.number}")

    async def decide(self, request: web.Request) -> web.Response:
        """End a case; the boxes concerned are told."""
        form, at = await read_form(request), self._site.clock.now()
        work = partial(self._decide, request, form["outcome"], form["note"], at)
        decided = await self._site.writer.run(work)
        if not decided.shown_once:
            return go_to(request, f"{PATH}/{decided.case.number}")
        language = self._frame.language(request)
        label = language.choose("邀请二维码", "Invite as a code")
        return self._frame.page(
            request,
            "console/case_invite.html",
            case=decided.case,
            text=decided.shown_once,
            picture=render_svg(decided.shown_once, Level.M, label),
        )

    async def _read(self, request: web.Request, render: Any) -> web.Response:
        text = await self._site.reader.run(partial(render, request, self._site.clock.now()))
        return self._frame.answer(request, text)

    # --- in the reader's or the writer's thread --------------------------------------------------

    def _list(self, template: str, request: web.Request, at: datetime) -> str:
        principal, language = request[PRINCIPAL], self._frame.language(request)
        waiting = self._reading.list_waiting_cases(principal, _MOST_WAITING)
        every = self._cases.list_all(principal.site, None, _MOST_DECIDED)
        decided = [each for each in every if each.decided_at and is_seen(each, principal)]
        return self._frame.render(
            request,
            template,
            waiting=[show_case(each, at, language) for each in waiting],
            decided=[show_case(each, at, language) for each in decided],
            **_whose(waiting, at),
            now=at,
            told_now=tell_time(at, at),
        )

    def _count_overdue(self, request: web.Request, at: datetime) -> str:
        waiting = self._reading.list_waiting_cases(request[PRINCIPAL], MOST_COUNTED)
        count = _whose(waiting, at)["overdue"]
        more = "+" if count == MOST_COUNTED else ""
        return self._frame.render(request, "console/cases_overdue.html", overdue=count, more=more)

    def _show(self, request: web.Request, at: datetime) -> str:
        case, principal = self._find(request), request[PRINCIPAL]
        choice = case.facts.find(case.outcome) if case.outcome else None
        may_decide = principal.may(Permission.CASES_DECIDE)
        allowed = [each for each in case.facts.choices if may_choose(case, each, principal)]
        return self._frame.render(
            request,
            "console/case.html",
            case=case,
            shown=show_case(case, at, self._frame.language(request)),
            evidence=[self._show_said(each, at) for each in self._cases.list_evidence(case)],
            choices=[(each, each in allowed) for each in case.facts.choices],
            choice=choice,
            told=[
                (each.box, tell_time(each.acknowledged_at, at) if each.acknowledged_at else "")
                for each in self._cases.list_deliveries(case)
            ],
            decided_at=tell_time(case.decided_at, at) if case.decided_at else "",
            opened_at=tell_time(case.opened_at, at),
            may_act=may_decide and case.state is not CaseState.DECIDED,
            may_decide=bool(allowed),
        )

    def _show_said(self, said: Evidence, at: datetime) -> dict[str, Any]:
        who = said.private
        if not who and said.person is not None:
            who = self._reading.read_masked_name(said.person)
        return {
            "at": said.at,
            "told": tell_time(said.at, at),
            "box": "" if said.box is None else str(said.box),
            "counter": said.counter,
            "operator": said.operator,
            "zh": said.zh,
            "en": said.en,
            "record": "" if said.record is None else str(said.record),
            "who": who,
        }

    def _assign(self, request: web.Request, owner: str, at: datetime) -> Case:
        case = self._find(request)
        return self._cases.assign(case.number, owner, at, request[PRINCIPAL].actor)

    def _decide(self, request: web.Request, outcome: str, note: str, at: datetime) -> Decided:
        case, principal = self._find(request), request[PRINCIPAL]
        try:
            wanted = Outcome(outcome)
        except ValueError as error:
            raise Malformed(Reason.REQUEST_MALFORMED, "outcome") from error
        check_choice(case, case.facts.find(wanted), principal)
        return self._cases.decide(
            case.number, wanted, note, at, principal.actor, name=principal.name
        )

    def _find(self, request: web.Request) -> Case:
        """Raises Refused (NOT_FOUND)."""
        text = request.match_info["case"]
        if not (text.isascii() and text.isdigit() and int(text[:20]) < _LARGEST):
            raise Refused(Reason.NOT_FOUND, "case")
        case = self._cases.read(int(text))
        check_seen(case, request[PRINCIPAL])
        return case


def _whose(waiting: list[Case], at: datetime) -> dict[str, Any]:
    """How many are overdue, and whose."""
    whose = count_overdue(waiting, at)
    return {"overdue": sum(count for _, count in whose), "whose": whose}


def show_case(case: Case, at: datetime, language: Language) -> ShownCase:
    """A row: how much time is left, whose it is, what is to be done next."""
    overdue, left = case.is_overdue(at), abs(case.due_at - at)
    mood: Mood = "good" if case.decided_at else "bad" if overdue else "maybe"
    span = tell_span(left, language)
    due = language.choose(f"已过期 {span}", f"{span} overdue")
    if not overdue:
        due = language.choose(f"还剩 {span}", f"{span} left")
    if case.decided_at:
        due = tell_time(case.decided_at, at)
    next_zh, next_en = {
        CaseState.OPEN: ("接手，或交给一个人", "Take it, or give it to somebody"),
        CaseState.ASSIGNED: ("问清双方，作出决定", "Ask both sides, then decide"),
        CaseState.DECIDED: ("", ""),
    }[case.state]
    choice = case.facts.find(case.outcome) if case.outcome else None
    return ShownCase(
        case.number,
        case.facts.zh,
        case.facts.en,
        mood,
        due,
        case.owner,
        next_zh,
        next_en,
        tuple(map(str, case.boxes)),
        language.choose(choice.zh, choice.en) if choice else "",
    )
