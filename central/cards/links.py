"""A patient's one-time link: whoever opens it first has the card's page on that phone for a while.

The link's text and the phone's secret are random and given out once; the tables hold keyed tokens
of them. Every method runs inside the caller's unit of work.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from central.audit.service import Audit
from central.cards import link_store as store
from central.cards.card import CardId
from central.keys.service import Keys
from shared.clock import from_microseconds, to_microseconds
from shared.errors import Malformed, Refused
from shared.reasons import Reason

OPENS_FOR = timedelta(minutes=60)
MOST_MINUTES = 7 * 24 * 60
LASTS = timedelta(hours=12)
"""A visit to a hospital, from the first counter to the last."""

_SECRET_BYTES = 16
_PATIENT = "patient"
"""The audit's word for whoever holds the link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A new link: ``secret`` is the end of its address and is stored nowhere."""

    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What the phone that opened a link keeps: ``secret`` is its cookie, good ``until``."""

    secret: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """The card behind a link; ``opened`` on this very phone, or not yet at all. ``until`` it is
    good, as it stands."""

    card: CardId
    opened: bool
    until: datetime


class Links:
    """Makes links, binds each to the first phone, knows it again."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit

    def make(
        self, card: CardId, at: datetime, actor: str, opens_for: timedelta = OPENS_FOR
    ) -> Link:
        """A link that may be opened once within ``opens_for``.

        Raises Malformed (REQUEST_MALFORMED) for less than a minute or more than a week.
        """
        if not timedelta(minutes=1) <= opens_for <= timedelta(minutes=MOST_MINUTES):
            raise Malformed(Reason.REQUEST_MALFORMED, f"a link opens for 1–{MOST_MINUTES} minutes")
        secret, expires_at = secrets.token_urlsafe(_SECRET_BYTES), at + opens_for
        token = self._link_token(secret)
        store.insert_link(token, card, to_microseconds(at), to_microseconds(expires_at))
        self._audit.write(
            "card.link", str(card), actor, at, minutes=opens_for // timedelta(minutes=1)
        )
        return Link(secret, expires_at)

    def open(self, secret: str, at: datetime) -> Opened:
        """Bind the link to whoever opens it now.

        Raises Refused (LINK_UNKNOWN, LINK_USED, LINK_EXPIRED).
        """
        visit = self.visit(secret, None, at)
        phone, until = secrets.token_urlsafe(_SECRET_BYTES), at + LASTS
        token, phone_token = self._link_token(secret), self._phone_token(phone)
        if not store.bind_link(token, phone_token, to_microseconds(at), to_microseconds(until)):
            raise Refused(Reason.LINK_USED)
        with self._audit.for_patient():
            self._audit.write("card.link-open", str(visit.card), _PATIENT, at)
        return Opened(phone, until)

    def visit(self, secret: str, phone: str | None, at: datetime) -> Visit:
        """The card behind the link, for the phone with this secret or for none yet.

        Raises Refused: LINK_UNKNOWN; LINK_EXPIRED, nobody opened it in time; LINK_USED, another
        phone has it; LINK_ENDED, this phone has had its time.
        """
        stored = store.find_link(self._link_token(secret))
        if stored is None:
            raise Refused(Reason.LINK_UNKNOWN)
        moment = to_microseconds(at)
        if stored.phone is None or stored.until_at is None:
            if moment >= stored.expires_at:
                raise Refused(Reason.LINK_EXPIRED)
            return Visit(CardId(stored.card), False, from_microseconds(stored.expires_at))
        token = self._phone_token(phone) if phone else b""
        if not secrets.compare_digest(stored.phone, token):
            raise Refused(Reason.LINK_USED)
        if moment >= stored.until_at:
            raise Refused(Reason.LINK_ENDED)
        return Visit(CardId(stored.card), True, from_microseconds(stored.until_at))

    def _link_token(self, secret: str) -> bytes:
        return self._keys.token("patient-link", secret)

    def _phone_token(self, secret: str) -> bytes:
        return self._keys.token("patient-phone", secret)
