"""The API's operations on the audit: read alone, for those whose task that is."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from central.audit.service import Audit, AuditFilter
from central.users.roles import Permission
from central.web.fields import Page, PageQuery, Time, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work

_KEY_BYTES = 8
_LARGEST = (1 << 63) - 1

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
ActPattern = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=50, pattern=r"^[a-z.-]+\*?$", description="may end in *: card.*"
    ),
]


class AuditQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which rows."""

    act: ActPattern | None = None
    subject: Word | None = None
    actor: Word | None = None
    since: Time | None = None
    until: Time | None = None


class AuditView(msgspec.Struct, frozen=True):
    """One act."""

    seq: int
    at: datetime
    act: str
    subject: str
    actor: str
    facts: dict[str, str | int | bool | None]
    sealed: bool


class AuditStateView(msgspec.Struct, frozen=True):
    """How long the chain is; rows that wait for their seal, and rows kept aside meanwhile."""

    sealed: int
    unsealed: int
    waiting: int


class AuditFindingView(msgspec.Struct, frozen=True):
    """What the chain's verification found wrong, at which row."""

    seq: int
    detail: str


class AuditProofView(msgspec.Struct, frozen=True):
    """Whether every sealed row is the one that was written."""

    holds: bool
    sealed: int
    findings: list[AuditFindingView]


class AuditRoutes:
    """The audit over HTTP."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def operations(self) -> list[AnyOperation]:
        """What can be seen of the audit."""
        return [
            Operation(
                id="listAudit",
                method="GET",
                path="/audit",
                tag="audit",
                summary_zh="审计记录，最新的在前",
                summary_en="What was done, the newest first",
                permission=Permission.AUDIT_READ,
                work=Work.LIST,
                query_shape=AuditQuery,
                answer=Page[AuditView],
                run=self._list,
            ),
            Operation(
                id="readAuditState",
                method="GET",
                path="/audit/state",
                tag="audit",
                summary_zh="审计链的长度和待封存的行数",
                summary_en="The chain's length and what waits for its seal",
                permission=Permission.AUDIT_READ,
                work=Work.LIST,
                answer=AuditStateView,
                run=self._read_state,
            ),
            Operation(
                id="proveAudit",
                method="GET",
                path="/audit/proof",
                tag="audit",
                summary_zh="逐行核对审计链",
                summary_en="Walk the chain: nothing was changed or taken away",
                permission=Permission.AUDIT_READ,
                work=Work.LIST,
                answer=AuditProofView,
                run=self._prove,
            ),
        ]

    def _list(self, call: Call[Nothing, AuditQuery, Any]) -> Page[AuditView]:
        query = call.query
        wanted = AuditFilter(query.act, query.subject, query.actor, query.since, query.until)
        before = None if query.key is None else min(int.from_bytes(query.key, "big"), _LARGEST)
        found = self._audit.list(wanted, before, query.limit)
        last = found[-1].seq.to_bytes(_KEY_BYTES, "big") if found else b""
        items = [
            AuditView(
                each.seq, each.at, each.act, each.subject, each.actor, dict(each.facts), each.sealed
            )
            for each in found
        ]
        return Page(items, build_cursor(last, len(found), query.limit) if found else None)

    def _read_state(self, _: Call[Nothing, Nothing, Any]) -> AuditStateView:
        state = self._audit.read_state()
        return AuditStateView(state.sealed, state.unsealed, state.waiting)

    def _prove(self, _: Call[Nothing, Nothing, Any]) -> AuditProofView:
        found = [AuditFindingView(each.seq, each.detail) for each in self._audit.verify()]
        return AuditProofView(not found, self._audit.read_state().sealed, found)
