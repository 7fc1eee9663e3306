"""The API's operations on boxes: where each stands and how it is now, invites, revocation."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from central.fleet.box import NO_DEVICE, Box, Place
from central.fleet.doors import Door
from central.fleet.service import Fleet
from central.fleet.states import BoxState
from central.ingest.account import Accounts
from central.ingest.routes import AccountView, view_account
from central.presence.live import Live
from central.presence.service import Presence
from central.users.roles import Permission
from central.web.fields import BoxPath, Label, Page, PageQuery, Text, build_cursor
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.desired import Device, DeviceReport, LeaseReport
from shared.ids import parse_box_id
from shared.reasons import Reason


class BoxQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which boxes; ``online`` as their last status said."""

    site: Label | None = None
    state: BoxState | None = None
    online: bool | None = None


class LiveView(msgspec.Struct, frozen=True):
    """What the box last said of itself; ``unsent`` rows are by its own count."""

    online: bool
    since: datetime | None
    heard_at: datetime | None
    unsent: int | None
    oldest_unsent_at: datetime | None
    software: str | None
    scanner: DeviceReport | None
    printer: DeviceReport | None
    certificate_until: datetime | None
    revision: int | None  # of the configuration at work
    refused_revision: int | None
    refused_reason: Reason | None
    lease: LeaseReport | None = None  # how far it may still go alone


class BoxView(msgspec.Struct, frozen=True):
    """A box."""

    id: str
    number: int
    site_name: str
    counter: str
    state: BoxState
    live: LiveView | None


class BoxWithAccount(BoxView, frozen=True):
    """A box and its account."""

    account: AccountView


class InviteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may join, where; a known box's machine is replaced, its name and number stay.

    ``site_name`` is needed for a new site, ``counter`` for a new box.
    """

    site: Label
    box: Label
    counter: Text | None = None
    site_name: Text | None = None
    machine: Text | None = None  # its serial number; none: any machine
    scanner: Device = NO_DEVICE
    printer: Device = NO_DEVICE
    hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24


class InviteView(msgspec.Struct, frozen=True):
    """``text`` is shown once: scanned or typed at the box, it lets it join."""

    number: int
    text: str
    box: str
    counter: str
    expires_at: datetime
    replaces: bool


class RevokeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a box is shut out."""

    why: Literal["stolen", "lost", "cloned", "replaced", "broken", "other"]


class BoxRoutes:
    """Boxes over HTTP. ``read_door`` says where they join."""

    def __init__(
        self,
        fleet: Fleet,
        presence: Presence,
        accounts: Accounts,
        read_door: Callable[[], Door],
    ) -> None:
        self._fleet = fleet
        self._presence = presence
        self._accounts = accounts
        self._read_door = read_door

    def operations(self) -> list[AnyOperation]:
        """What can be done with boxes."""
        return [
            Operation(
                id="listBoxes",
                method="GET",
                path="/boxes",
                tag="boxes",
                summary_zh="盒子和它们现在的情况",
                summary_en="Boxes and how they are now",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                query_shape=BoxQuery,
                answer=Page[BoxView],
                run=self._list,
            ),
            Operation(
                id="readBox",
                method="GET",
                path="/boxes/{site}/{box}",
                tag="boxes",
                summary_zh="一个盒子和它的账目",
                summary_en="A box with its account",
                permission=Permission.BOXES_READ,
                work=Work.LIST,
                path_shape=BoxPath,
                answer=BoxWithAccount,
                run=self._read,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND),
            ),
            Operation(
                id="inviteBox",
                method="POST",
                path="/boxes/invites",
                tag="boxes",
                summary_zh="邀请盒子加入（一次性）",
                summary_en="Invite a box to join, once",
                permission=Permission.BOXES_INVITE,
                work=Work.WRITE,
                body_shape=InviteRequest,
                answer=InviteView,
                created=True,
                run=self._invite,
                reasons=(
                    Reason.NOT_FOUND,
                    Reason.ID_RESERVED,
                    Reason.STATE_STEP,
                    Reason.SETTING_IMPOSSIBLE,
                    Reason.CONFIG_MALFORMED,
                    Reason.NAME_EMPTY,
                ),
            ),
            Operation(
                id="revokeBox",
                method="POST",
                path="/boxes/{site}/{box}/revoke",
                tag="boxes",
                summary_zh="吊销盒子的证书",
                summary_en="Shut a box out with all its certificates",
                permission=Permission.BOXES_REVOKE,
                work=Work.WRITE,
                path_shape=BoxPath,
                body_shape=RevokeRequest,
                answer=BoxView,
                run=self._revoke,
                reasons=(Reason.NOT_ADMITTED, Reason.NOT_FOUND, Reason.STATE_STEP),
            ),
        ]

    def _list(self, call: Call[Nothing, BoxQuery, Any]) -> Page[BoxView]:
        query, principal = call.query, call.principal
        live = {each.box: each for each in self._presence.list(principal.site)}
        found = [
            box
            for box in self._fleet.list_boxes()
            if principal.sees(box.id.site)
            and str(box.id) > query.text_key
            and query.site in {None, box.id.site}
            and query.state in {None, box.state}
            and query.online in {None, box.id in live and live[box.id].online}
        ][: query.limit]
        key = str(found[-1].id).encode() if found else b""
        items = [_view(box, live.get(box.id)) for box in found]
        return Page(items, build_cursor(key, len(found), query.limit))

    def _read(self, call: Call[BoxPath, Nothing, Any]) -> BoxWithAccount:
        call.principal.check_site(call.path.site)
        box = self._fleet.box(call.path.id)
        view = _view(box, self._presence.read(box.id))
        return BoxWithAccount(
            account=view_account(self._accounts.read(box.id)),
            **{name: getattr(view, name) for name in view.__struct_fields__},
        )

    def _invite(self, call: Call[Nothing, Nothing, InviteRequest]) -> InviteView:
        asked = call.body
        call.principal.check_site(asked.site)
        place = Place(
            id=parse_box_id(f"{asked.site}/{asked.box}"),
            counter=asked.counter or "",
            site_name=asked.site_name or "",
            scanner=asked.scanner,
            printer=asked.printer,
            machine=asked.machine or "",
        )
        issued = self._fleet.invites.issue(
            place, self._read_door(), call.at, call.principal.actor, hours=asked.hours
        )
        return InviteView(
            number=issued.number,
            text=issued.text,
            box=str(issued.place.id),
            counter=issued.place.counter,
            expires_at=issued.expires_at,
            replaces=issued.replaces,
        )

    def _revoke(self, call: Call[BoxPath, Nothing, RevokeRequest]) -> BoxView:
        call.principal.check_site(call.path.site)
        self._fleet.revoke(call.path.id, call.body.why, call.at, call.principal.actor)
        return _view(self._fleet.box(call.path.id), self._presence.read(call.path.id))


def _view(box: Box, live: Live | None) -> BoxView:
    return BoxView(
        id=str(box.id),
        number=box.number,
        site_name=box.site_name,
        counter=box.counter,
        state=box.state,
        live=_view_live(live) if live and (live.online or live.since or live.heard_at) else None,
    )


def _view_live(live: Live) -> LiveView:
    said = live.reported
    refused = said.refused if said else None
    return LiveView(
        online=live.online,
        since=live.since,
        heard_at=live.heard_at,
        unsent=live.unsent,
        oldest_unsent_at=live.oldest_unsent_at,
        software=said.software if said else None,
        scanner=said.scanner if said else None,
        printer=said.printer if said else None,
        certificate_until=live.certificate_until,
        revision=said.revision if said else None,
        refused_revision=refused.revision if refused else None,
        refused_reason=refused.reason if refused else None,
        lease=said.lease if said else None,
    )
