"""The API's operations on scans."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from central.scans.listing import ScanFilter, ScanList
from central.scans.listing_store import KeptScan
from central.users.roles import Permission
from central.web.fields import BoxName, Label, Page, PageQuery, Time, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.clock import from_microseconds
from shared.ids import BoxId, RecordId
from shared.messages import CodeClass, DecidedBy, MedicalStep, Verdict
from shared.reasons import Reason


class ScanPath(msgspec.Struct, frozen=True):
    """A scan of a box."""

    site: Label
    box: Label
    scan: UUID


class ScanQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which scans; times are of birth, as the box's clock had them."""

    box: BoxName | None = None
    verdict: Verdict | None = None
    since: Time | None = None
    until: Time | None = None


class ScanView(msgspec.Struct, frozen=True):
    """A scan: central's verdict, and the box's own once its record came."""

    id: UUID
    box: str
    counter: str
    operator: str
    medical_step: MedicalStep
    drill: bool
    verdict: Verdict
    reason: Reason | None
    person: UUID | None
    consumed: bool
    judged_at: datetime
    asked_at: datetime | None
    reported_at: datetime | None
    born_at: datetime | None
    code_class: CodeClass | None
    box_verdict: Verdict | None
    box_reason: Reason | None
    decided_by: DecidedBy | None
    differs: bool | None


class ScanRoutes:
    """Scans over HTTP."""

    def __init__(self, scans: ScanList) -> None:
        self._scans = scans

    def operations(self) -> list[AnyOperation]:
        """What can be seen of scans."""
        return [
            Operation(
                id="listScans",
                method="GET",
                path="/scans",
                tag="scans",
                summary_zh="扫码记录，最新的在前",
                summary_en="Scans, the newest first",
                permission=Permission.SCANS_READ,
                work=Work.LIST,
                query_shape=ScanQuery,
                answer=Page[ScanView],
                run=self._list,
            ),
            Operation(
                id="readScan",
                method="GET",
                path="/boxes/{site}/{box}/scans/{scan}",
                tag="scans",
                summary_zh="读取一次扫码",
                summary_en="Read a scan",
                permission=Permission.SCANS_READ,
                work=Work.POINT,
                path_shape=ScanPath,
                answer=ScanView,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
        ]

    def _list(self, call: Call[Nothing, ScanQuery, Any]) -> Page[ScanView]:
        query = call.query
        wanted = ScanFilter(call.principal.site, query.box, query.verdict, query.since, query.until)
        found = self._scans.list(wanted, query.key, query.limit)
        following = build_cursor(found[-1].key, len(found), query.limit) if found else None
        return Page([_view(each) for each in found], following)

    def _read(self, call: Call[ScanPath, Nothing, Any]) -> ScanView:
        call.principal.check_site(call.path.site)
        box = BoxId(call.path.site, call.path.box)
        return _view(self._scans.read(box, RecordId(call.path.scan)))


def _view(scan: KeptScan) -> ScanView:
    return ScanView(
        id=UUID(bytes=scan.id),
        box=scan.box,
        counter=scan.counter,
        operator=scan.operator,
        medical_step=MedicalStep(scan.medical_step),
        drill=bool(scan.drill),
        verdict=Verdict(scan.verdict),
        reason=Reason(scan.reason) if scan.reason else None,
        person=UUID(bytes=scan.person) if scan.person else None,
        consumed=bool(scan.consumed),
        judged_at=from_microseconds(scan.judged_at),
        asked_at=_time(scan.asked_at),
        reported_at=_time(scan.reported_at),
        born_at=_time(scan.born_at),
        code_class=CodeClass(scan.code_class) if scan.code_class else None,
        box_verdict=Verdict(scan.box_verdict) if scan.box_verdict else None,
        box_reason=Reason(scan.box_reason) if scan.box_reason else None,
        decided_by=DecidedBy(scan.decided_by) if scan.decided_by else None,
        differs=None if scan.differs is None else bool(scan.differs),
    )


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)
