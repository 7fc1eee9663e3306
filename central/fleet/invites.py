"""Invites: one-time leave to join, for one place and, where it is named, one machine.

Every method runs inside the caller's unit of work. The secret is told once, in the invite's
text; central keeps a keyed token of it.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from central.audit.service import Audit
from central.fleet import invite_store, store
from central.fleet.box import Place
from central.fleet.doors import Door
from central.fleet.invite_store import KeptInvite
from central.fleet.places import complete_place
from central.fleet.states import InviteState, check_joining, invite_state
from central.keys.service import Keys
from shared.clock import to_microseconds
from shared.errors import Malformed, Refused
from shared.ids import BoxId, parse_box_id
from shared.joining import SECRET_BYTES, Invite, build_invite
from shared.reasons import Reason

DEFAULT_HOURS = 24
_MOST_HOURS = 24 * 30


@dataclass(frozen=True, slots=True)
class IssuedInvite:
    """What its maker is shown, once: ``text`` holds the secret."""

    number: int
    text: str = field(repr=False)
    place: Place
    expires_at: datetime
    replaces: bool  # the box is known: its machine is replaced, name and number stay


class Invites:
    """Makes invites, finds them again, withdraws them."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit

    def issue(
        self, place: Place, door: Door, at: datetime, actor: str, *, hours: int = DEFAULT_HOURS
    ) -> IssuedInvite:
        """Invite whoever stands at ``place``. A known box's counter stays when none is named.

        Raises Malformed (REQUEST_MALFORMED) for names, devices or hours that cannot be,
        Refused (STATE_STEP) for a retired box.
        """
        if not 1 <= hours <= _MOST_HOURS:
            raise Malformed(Reason.REQUEST_MALFORMED, f"hours is 1 to {_MOST_HOURS}")
        known = store.find_box(place.id)
        if known is not None:
            check_joining(known.state)
        place = complete_place(place)
        expires_at = at + timedelta(hours=hours)
        secret = os.urandom(SECRET_BYTES)
        token = self._keys.token("invite", secret.hex())
        number = invite_store.insert_invite(token, place, expires_at, at, actor)
        self._audit.write("box.invite", str(place.id), actor, at, invite=number, hours=hours)
        text = build_invite(
            Invite(
                secret=secret,
                ca_fingerprint=door.ca_fingerprint,
                host=door.host,
                port=door.port,
                expires_at=to_microseconds(expires_at),
                box=str(place.id),
                counter=place.counter,
                serial=place.machine,
            )
        )
        return IssuedInvite(number, text, place, expires_at, replaces=known is not None)

    def next_box(self, site: str, at: datetime) -> BoxId:
        """The first of box1, box2, … at a site that no box has and no open invite waits for.

        Raises Malformed for what is no site id.
        """
        parse_box_id(f"{site}/box1")
        taken = {box.id for box in store.list_boxes()} | set(invite_store.list_invited(site, at))
        return next(box for n in count(1) if (box := BoxId(site, f"box{n}")) not in taken)

    def find(self, secret: bytes) -> KeptInvite:
        """The invite with this secret, whatever its state. Raises Refused (INVITE_UNKNOWN)."""
        found = invite_store.find_invite(self._keys.token("invite", secret.hex()))
        if found is None:
            raise Refused(Reason.INVITE_UNKNOWN)
        return found

    def list_invites(self) -> list[KeptInvite]:
        """Every invite, the newest first; ``invite_state`` says where it stands."""
        return invite_store.list_invites()

    def withdraw(self, number: int, at: datetime, actor: str) -> None:
        """Let an open invite open nothing any more.

        Raises Refused: NOT_FOUND, INVITE_USED, INVITE_EXPIRED; twice is once.
        """
        invite = invite_store.find_invite_number(number)
        if invite is None:
            raise Refused(Reason.NOT_FOUND, f"invite {number}")
        state = state_of(invite, at)
        if state is InviteState.USED:
            raise Refused(Reason.INVITE_USED, f"invite {number}")
        if state is InviteState.EXPIRED:
            raise Refused(Reason.INVITE_EXPIRED, f"invite {number}")
        if state is InviteState.OPEN:
            invite_store.save_withdrawn(number, at)
            box = str(invite.place.id)
            self._audit.write("box.invite-withdrawn", box, actor, at, invite=number)


def state_of(invite: KeptInvite, at: datetime) -> InviteState:
    """Where an invite stands."""
    return invite_state(
        used=invite.used_at is not None,
        withdrawn=invite.withdrawn_at is not None,
        expired=at >= invite.expires_at,
    )
