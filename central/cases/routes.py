"""The API's operations on cases."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from central.cases.case import Case
from central.cases.kinds import CaseKind, Choice, Outcome
from central.cases.seeing import check_choice, check_seen, is_seen, may_choose
from central.cases.service import MOST_NOTE, MOST_OWNER, Cases
from central.cases.states import CaseState
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.fields import Page, PageQuery, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.reasons import Reason

_NUMBER_BYTES = 8
_NAME = r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
Owner = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_OWNER, pattern=_NAME)]


class CasePath(msgspec.Struct, frozen=True):
    """A case, by the number that people say."""

    case: Annotated[int, msgspec.Meta(ge=1, lt=1 << 53)]


class CaseQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which cases: what waits for somebody, what is due first before all; or every one."""

    every: bool = False


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose case it is from now on."""

    owner: Owner


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the kind's outcomes, and why."""

    outcome: Outcome
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_NOTE, pattern=r"\S")]


class EvidenceView(msgspec.Struct, frozen=True):
    """What one side says; ``box`` is null for what central did. ``who`` is masked."""

    at: datetime
    zh: str
    en: str
    box: str | None
    counter: str
    operator: str
    record: UUID | None
    person: UUID | None
    who: str


class ChoiceView(msgspec.Struct, frozen=True):
    """An outcome and what it leads to; ``allowed`` to whoever asks."""

    outcome: Outcome
    zh: str
    en: str
    consequence_zh: str
    consequence_en: str
    allowed: bool


class ToldView(msgspec.Struct, frozen=True):
    """A box that was told; ``acknowledged_at`` is null until it has it on its disk."""

    box: str
    at: datetime
    acknowledged_at: datetime | None


class CaseLine(msgspec.Struct, frozen=True):
    """A case in a list."""

    number: int
    id: UUID
    kind: CaseKind
    state: CaseState
    zh: str
    en: str
    opened_at: datetime
    due_at: datetime
    overdue: bool
    owner: str
    boxes: list[str]
    outcome: Outcome | None
    decided_at: datetime | None


class CaseView(CaseLine, frozen=True, kw_only=True):
    """A case whole. ``evidence_count`` counts also what was too much to keep; ``shown_once`` is
    in the answer to a decision alone."""

    question_zh: str
    question_en: str
    evidence: list[EvidenceView]
    evidence_count: int
    choices: list[ChoiceView]
    told: list[ToldView]
    decided_by: str
    note: str
    shown_once: str = ""


class CaseRoutes:
    """Cases over HTTP."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def operations(self) -> list[AnyOperation]:
        """What can be done with cases."""
        return [
            Operation(
                id="listCases",
                method="GET",
                path="/cases",
                tag="cases",
                summary_zh="等人决定的个案，先到期的在前",
                summary_en="Cases that wait for somebody, what is due first before all",
                permission=Permission.CASES_READ,
                work=Work.LIST,
                query_shape=CaseQuery,
                answer=Page[CaseLine],
                run=self._list,
            ),
            Operation(
                id="readCase",
                method="GET",
                path="/cases/{case}",
                tag="cases",
                summary_zh="读取一个个案：双方的证据和可选的结果",
                summary_en="Read a case: both sides' evidence and the choices",
                permission=Permission.CASES_READ,
                work=Work.POINT,
                path_shape=CasePath,
                answer=CaseView,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="assignCase",
                method="POST",
                path="/cases/{case}/assign",
                tag="cases",
                summary_zh="把个案交给一个人",
                summary_en="Give a case to somebody",
                permission=Permission.CASES_DECIDE,
                work=Work.WRITE,
                path_shape=CasePath,
                body_shape=Assignment,
                answer=CaseView,
                run=self._assign,
                current=self._read,
                reasons=(Reason.NOT_FOUND, Reason.STATE_STEP),
            ),
            Operation(
                id="decideCase",
                method="POST",
                path="/cases/{case}/decide",
                tag="cases",
                summary_zh="决定一个个案；结果告诉有关终端",
                summary_en="Decide a case; the boxes concerned are told",
                permission=Permission.CASES_DECIDE,
                work=Work.WRITE,
                path_shape=CasePath,
                body_shape=Decision,
                answer=CaseView,
                run=self._decide,
                current=self._read,
                reasons=(Reason.NOT_FOUND, Reason.STATE_STEP, Reason.REQUEST_NOT_ALLOWED),
            ),
        ]

    def _list(self, call: Call[Nothing, CaseQuery, Any]) -> Page[CaseLine]:
        query, site = call.query, call.principal.site
        after = int.from_bytes(query.key) if query.key else None
        if query.every:
            found = self._cases.list_all(site, after, query.limit)
        else:
            ranked = self._cases.list_undecided(site)
            behind = [at for at, case in enumerate(ranked) if case.number == after]
            first = behind[0] + 1 if behind else 0
            found = ranked[first : first + query.limit]
        last = found[-1].number.to_bytes(_NUMBER_BYTES) if found else b""
        items = [_line(case, call.at) for case in found if is_seen(case, call.principal)]
        return Page(items, build_cursor(last, len(found), query.limit) if found else None)

    def _read(self, call: Call[CasePath, Nothing, Any]) -> CaseView:
        return self._view(self._find(call), call)

    def _assign(self, call: Call[CasePath, Nothing, Assignment]) -> CaseView:
        number = self._find(call).number
        case = self._cases.assign(number, call.body.owner, call.at, call.principal.actor)
        return self._view(case, call)

    def _decide(self, call: Call[CasePath, Nothing, Decision]) -> CaseView:
        case, body = self._find(call), call.body
        check_choice(case, case.facts.find(body.outcome), call.principal)
        who = call.principal
        decided = self._cases.decide(
            case.number, body.outcome, body.note, call.at, who.actor, name=who.name
        )
        return self._view(decided.case, call, decided.shown_once)

    def _find(self, call: Call[CasePath, Nothing, Any]) -> Case:
        """Raises Refused (NOT_FOUND)."""
        case = self._cases.read(call.path.case)
        check_seen(case, call.principal)
        return case

    def _view(
        self, case: Case, call: Call[CasePath, Nothing, Any], shown_once: str = ""
    ) -> CaseView:
        line, facts = _line(case, call.at), case.facts
        return CaseView(
            **msgspec.structs.asdict(line),
            question_zh=facts.question_zh,
            question_en=facts.question_en,
            evidence=[
                EvidenceView(
                    said.at,
                    said.zh,
                    said.en,
                    None if said.box is None else str(said.box),
                    said.counter,
                    said.operator,
                    said.record,
                    said.person,
                    said.private,
                )
                for said in self._cases.list_evidence(case)
            ],
            evidence_count=case.evidence,
            choices=[_choice(case, each, call.principal) for each in facts.choices],
            told=[ToldView(*told) for told in self._cases.list_deliveries(case)],
            decided_by=case.decided_by,
            note=case.note,
            shown_once=shown_once,
        )


def _line(case: Case, at: datetime) -> CaseLine:
    return CaseLine(
        number=case.number,
        id=case.id,
        kind=case.kind,
        state=case.state,
        zh=case.facts.zh,
        en=case.facts.en,
        opened_at=case.opened_at,
        due_at=case.due_at,
        overdue=case.is_overdue(at),
        owner=case.owner,
        boxes=[str(box) for box in case.boxes],
        outcome=case.outcome,
        decided_at=case.decided_at,
    )


def _choice(case: Case, choice: Choice, principal: Principal) -> ChoiceView:
    return ChoiceView(
        choice.outcome,
        choice.zh,
        choice.en,
        choice.consequence_zh,
        choice.consequence_en,
        may_choose(case, choice, principal),
    )
