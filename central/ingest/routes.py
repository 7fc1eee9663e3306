"""The API's operations on the boxes' accounts: counted quickly, or proved from every row."""

from typing import Any

import msgspec

from central.fleet.service import Fleet
from central.ingest.account import Accounts, BoxAccount
from central.ingest.ledger import Ledger
from central.ingest.proof import BoxReport
from central.users.roles import Permission
from central.web.fields import BoxPath, PageQuery, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.ledger import Finding
from shared.reasons import Reason


class AccountView(msgspec.Struct, frozen=True):
    """created = acknowledged + pending + tombstoned + lost."""

    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    parked: int
    forks: int
    holds: bool  # nothing is owed twice, and no box contradicts itself
    lost: int  # with a damaged file of the box


class BoxAccountView(msgspec.Struct, frozen=True):
    """One box's account."""

    box: str
    account: AccountView


class AccountsView(msgspec.Struct, frozen=True):
    """All boxes together, and part of the list of each."""

    total: AccountView
    items: list[BoxAccountView]
    next: str | None


class FindingView(msgspec.Struct, frozen=True):
    """Rows from ``first`` to ``last`` of an epoch, and what is to be said of them."""

    reason: Reason
    epoch: int
    first: int
    last: int
    detail: str


class ProofView(msgspec.Struct, frozen=True):
    """What central's tables prove: ``gaps`` are still with the box, ``findings`` are wrong."""

    box: str
    holds: bool
    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    parked: int
    gaps: list[FindingView]
    findings: list[FindingView]
    lost: list[FindingView]  # with a damaged file of the box, which named them


class AccountRoutes:
    """Accounts over HTTP."""

    def __init__(self, accounts: Accounts, ledger: Ledger, fleet: Fleet) -> None:
        self._accounts = accounts
        self._ledger = ledger
        self._fleet = fleet

    def operations(self) -> list[AnyOperation]:
        """What can be seen of the accounts."""
        return [
            Operation(
                id="listAccounts",
                method="GET",
                path="/account",
                tag="account",
                summary_zh="全部账目：产生＝已收＋未发＋放弃",
                summary_en="All accounts: created = acknowledged + pending + tombstoned",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                query_shape=PageQuery,
                answer=AccountsView,
                run=self._list,
            ),
            Operation(
                id="readAccount",
                method="GET",
                path="/boxes/{site}/{box}/account",
                tag="account",
                summary_zh="一个盒子的账目",
                summary_en="One box's account",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                path_shape=BoxPath,
                answer=BoxAccountView,
                run=self._read,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND),
            ),
            Operation(
                id="proveAccount",
                method="GET",
                path="/boxes/{site}/{box}/account/proof",
                tag="account",
                summary_zh="逐行核对一个盒子的账目",
                summary_en="Prove one box's account from every row",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                path_shape=BoxPath,
                answer=ProofView,
                run=self._prove,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND),
            ),
        ]

    def _list(self, call: Call[Nothing, PageQuery, Any]) -> AccountsView:
        site, query = call.principal.site, call.query
        found = self._accounts.list(site, query.text_key, query.limit)
        following = build_cursor(found[-1].box.encode(), len(found), query.limit) if found else None
        items = [BoxAccountView(each.box, view_account(each)) for each in found]
        return AccountsView(view_account(self._accounts.total(site)), items, following)

    def _read(self, call: Call[BoxPath, Nothing, Any]) -> BoxAccountView:
        call.principal.check_site(call.path.site)
        box = self._fleet.box(call.path.id).id
        return BoxAccountView(str(box), view_account(self._accounts.read(box)))

    def _prove(self, call: Call[BoxPath, Nothing, Any]) -> ProofView:
        call.principal.check_site(call.path.site)
        (report,) = self._ledger.verify(call.path.id)
        return _view_proof(report)


def view_account(account: BoxAccount) -> AccountView:
    """An account as the API shows it."""
    return AccountView(
        account.created,
        account.acknowledged,
        account.pending,
        account.tombstoned,
        account.parked,
        account.forks,
        account.pending >= 0 and account.forks == 0,
        account.lost,
    )


def _view_proof(report: BoxReport) -> ProofView:
    account = report.account
    return ProofView(
        box=report.box,
        holds=report.holds,
        created=account.created,
        acknowledged=account.acknowledged,
        pending=account.pending,
        tombstoned=account.tombstoned,
        parked=report.parked,
        gaps=[_view_finding(each) for each in report.gaps],
        findings=[_view_finding(each) for each in report.findings],
        lost=[_view_finding(each) for each in report.lost],
    )


def _view_finding(found: Finding) -> FindingView:
    return FindingView(found.reason, found.epoch, found.first, found.last, found.detail)
