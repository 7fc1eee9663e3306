"""Lists for boxes: composed from cards, patients and hospitals as these change, signed, in pages.

Composing takes some of what is due at a time; a head's ``at`` is when nothing was left. Every
method runs inside the caller's unit of work.
"""

import logging
from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from central.cards.card import CardId
from central.cards.service import Cards
from central.cards.states import REFUSALS, CardState
from central.hospital.service import Hospital
from central.keys.service import Keys
from central.lists import store
from central.lists.store import Standing
from central.patients.person import PersonId
from central.patients.service import Patients
from central.scans.identity import build_identity
from shared.clock import to_microseconds
from shared.errors import Damaged, Refused
from shared.lists import (
    NO_DIGEST,
    ListedPerson,
    ListHead,
    card_token,
    element,
    keys_digest,
    set_digest,
)
from shared.messages import Identity, ListName
from shared.reasons import Reason

_log = logging.getLogger(__name__)

ENTRY = "list_person.entry"
_CARDS_AT_ONCE = 50
_PERSONS_AT_ONCE = 16
"""What one unit of work composes: some five milliseconds."""
_FRESH = timedelta(minutes=5)
"""How often a head that has not changed says that it still holds."""
_SECOND = 1_000_000

_NOTHING = Standing(0, 0, NO_DIGEST, 0)


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a person: tokens in hex, identity or None."""

    tokens: list[str]
    identity: Identity | None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


class Lists:
    """Composes the lists and says how far they are."""

    def __init__(self, keys: Keys, cards: Cards, patients: Patients, hospital: Hospital) -> None:
        self._keys = keys
        self._cards = cards
        self._patients = patients
        self._hospital = hospital

    def compose(self, at: datetime) -> bool:
        """Take up some of what has changed; whether more is due."""
        cards = store.list_due_cards(_CARDS_AT_ONCE)
        persons = store.list_due_persons(_PERSONS_AT_ONCE)
        changed = {(ListName.REVOKED, "")} if self._compose_revoked(cards, at) else set()
        changed |= {(ListName.PERSONS, site) for site in self._compose_persons(persons, at)}
        self._compose_keys(at)
        unfinished = set()
        if len(cards) == _CARDS_AT_ONCE:
            unfinished.add(ListName.REVOKED)
        if len(persons) == _PERSONS_AT_ONCE:
            unfinished.add(ListName.PERSONS)
        for what, site, standing in _standings():
            old = abs(to_microseconds(at) - standing.as_of) >= _FRESH // timedelta(microseconds=1)
            if what not in unfinished and (old or (what, site) in changed):
                store.save_standing(what, site, standing._replace(as_of=to_microseconds(at)))
        return bool(unfinished)

    def read_head(self, what: ListName, site: str) -> ListHead:
        """How far a list has come, for every site or one."""
        standing = store.find_standing(what, site) or _NOTHING
        return ListHead(what, site, *standing)

    def list_heads(self) -> list[ListHead]:
        """How far each list has come."""
        return [ListHead(what, site, *standing) for what, site, standing in _standings()]

    def count_due(self) -> tuple[int, int]:
        """How many cards and persons wait to be taken up."""
        return store.count_due()

    def go_beyond(self, what: ListName, site: str, revision: int, at: datetime) -> None:
        """A box has what this centre does not know of: it was put back from a backup. Its list
        goes beyond that, so that the box hears it again.

        Raises Refused (LIST_OLDER) for a revision that no centre can have given by now.
        """
        if revision > (to_microseconds(at) // _SECOND) + 86_400:
            raise Refused(Reason.LIST_OLDER, f"revision {revision}")
        standing = store.find_standing(what, site) or _NOTHING
        beyond = _next_revision(max(standing.revision, revision), at)
        store.save_standing(what, site, standing._replace(revision=beyond))

    def _compose_revoked(self, cards: list[UUID], at: datetime) -> bool:
        """Whether the set has changed, or is there for the first time."""
        known = store.find_standing(ListName.REVOKED, "")
        before = known or _NOTHING
        revision, count, added, removed = _next_revision(before.revision, at), before.size, [], []
        for card in map(CardId, cards):
            reason = REFUSALS.get(CardState(self._cards.read_facts(card).state))
            for token in self._tokens(card):
                former = store.find_revoked(token)
                if former == reason:
                    continue
                if former is not None:
                    removed.append(element(token, Reason(former)))
                if reason is not None:
                    added.append(element(token, reason))
                count += (reason is not None) - (former is not None)
                store.save_revoked(token, card, reason, revision)
            store.drop_due_card(card)
        changed = known is None or bool(added or removed)
        if changed:
            digest = set_digest(before.digest, added, removed)
            standing = Standing(revision, count, digest, before.as_of)
            store.save_standing(ListName.REVOKED, "", standing)
        return changed

    def _compose_persons(self, persons: list[UUID], at: datetime) -> Set[str]:
        """The sites whose persons have changed."""
        standings: dict[str, Standing] = {}
        for person in map(PersonId, persons):
            for site, entry in self._read_entries(person):
                if site not in standings:
                    known = store.find_standing(ListName.PERSONS, site) or _NOTHING
                    revision = _next_revision(known.revision, at)
                    standings[site] = known._replace(revision=revision)
                standing = standings[site]
                sealed = self._keys.seal(ENTRY, _encode(entry).decode())
                new = store.save_person(
                    site, person, sealed, standing.revision, to_microseconds(at)
                )
                standings[site] = standing._replace(size=standing.size + new)
            store.drop_due_person(person)
        for site, standing in standings.items():
            store.save_standing(ListName.PERSONS, site, standing)
        return standings.keys()

    def _tokens(self, card: CardId) -> list[bytes]:
        """By which a card is listed; none where what is stored of it cannot be read, which a
        person must look at and which keeps nobody else from being listed."""
        try:
            names = self._cards.list_names(card)
        except Damaged as error:
            _log.error("card %s cannot be listed: %s", card, error)
            return []
        return [card_token(self._keys.list_key, name) for name in names]

    def _read_entries(self, person: PersonId) -> list[tuple[str, Entry]]:
        try:
            return list(self._entries(person))
        except Damaged as error:
            _log.error("person %s cannot be listed: %s", person, error)
            return []

    def _entries(self, person: PersonId) -> Iterator[tuple[str, Entry]]:
        """What the boxes of each site are told of a person."""
        names = self._cards.list_names_of(person)
        tokens = [card_token(self._keys.list_key, name).hex() for name in names]
        patients = {patient.site: patient for patient in self._hospital.list_sites(person)}
        for site in dict.fromkeys((*patients, *store.list_listed_sites(person))):
            patient = patients.get(site)
            known = build_identity(self._patients.read(person), patient) if patient else None
            yield site, Entry(tokens, known)

    def _compose_keys(self, at: datetime) -> None:
        keys = self._keys.list_code_keys()
        digest = keys_digest(keys, self._keys.list_key)
        before = store.find_standing(ListName.KEYS, "") or _NOTHING
        if before.digest != digest:
            revision = _next_revision(before.revision, at)
            store.save_standing(ListName.KEYS, "", Standing(revision, len(keys), digest, 0))


def open_entry(opened: str) -> ListedPerson:
    """A person's entry out of its sealed column."""
    entry = _decode(opened)
    return ListedPerson(tuple(bytes.fromhex(token) for token in entry.tokens), entry.identity)


def _standings() -> list[tuple[ListName, str, Standing]]:
    return [(ListName(what), site, standing) for what, site, standing in store.list_standings()]


def _next_revision(before: int, at: datetime) -> int:
    return max(before + 1, to_microseconds(at) // _SECOND)
