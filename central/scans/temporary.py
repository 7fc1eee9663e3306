"""Temporary registrations: what a box did while it was alone, made good when its record arrives.

The record registers the person as the question would have, opens their card, admits them at the
box's site, and lets the temporary code lead to the card for ever. What contradicts is refused,
which parks the row with its reason for a person to decide: nothing is forced (ADR 0019). Every
method runs inside the caller's unit of work.
"""

from datetime import datetime

from central.cards.card import Card
from central.cards.service import Cards
from central.cards.states import REFUSALS, CardState
from central.fleet.service import Fleet
from central.hospital.service import Hospital
from central.keys.service import Keys
from central.notices.service import Notices
from central.patients.person import Person, Registration
from central.patients.service import Patients
from central.scans import store
from central.scans.birth import read_birth
from central.scans.conflicts import LetThrough, ScanConflicts
from central.scans.doubles import PersonConflicts
from central.scans.registration import build_request_token
from shared.clock import to_microseconds
from shared.ehc import TemporaryCode, parse_code, temporary_serial
from shared.errors import NotAuthentic, Refused
from shared.ids import BoxId, RecordId
from shared.messages import RegistrationOutcome, TemporaryRecord
from shared.notices import Notice, NoticeKind, new_notice
from shared.reasons import Reason


class Temporaries:
    """Takes the records of temporary codes."""

    def __init__(  # noqa: PLR0913 - the features that a registration goes through
        self,
        *,
        keys: Keys,
        fleet: Fleet,
        patients: Patients,
        cards: Cards,
        hospital: Hospital,
        notices: Notices,
        conflicts: PersonConflicts,
        card_conflicts: ScanConflicts,
    ) -> None:
        """``notices`` tells the box that its code is good everywhere now; ``conflicts`` looks at
        who is new, ``card_conflicts`` at cards that were stopped when the code was given."""
        self._card_conflicts = card_conflicts
        self._conflicts = conflicts
        self._notices = notices
        self._keys = keys
        self._fleet = fleet
        self._patients = patients
        self._cards = cards
        self._hospital = hospital

    def record(self, box: BoxId, id: RecordId, record: TemporaryRecord, at: datetime) -> None:
        """Register the resident, or find them; their temporary code resolves from now on.

        Raises NotAuthentic (CODE_FORGED) for a code that is not this record's, Refused
        (NOT_FOR_THIS_BOX, ALREADY_EXISTS, RECORD_POISON: the id was asked for another resident)
        and each reason of ``Patients.register``: the row is parked, and can be replayed.
        """
        born_at = min(read_birth(box, record.origin), at)  # no record is younger than its arrival
        self._check_code(box, id, record.code)
        token = build_request_token(self._keys, record)
        asked = store.find_registered(id.bytes, str(box))
        if asked is not None and asked.request_token != token:
            raise Refused(Reason.RECORD_POISON, "one id for two residents")
        person, found = self._patients.register(_registration(record), at, str(box))
        card = self._open_card(person, at, box)
        self._hospital.admit(person.id, box.site, at)
        if self._cards.keep_temporary(record.code, card, box, id, at):
            self._notices.post(box, _notice(card, id, at))
            self._card_conflicts.look_at_given(LetThrough(box, id, record, born_at), at)
        place = store.Place(
            id.bytes, str(box), record.origin.counter, record.origin.operator, record.origin.drill
        )
        if asked is None:
            registered = store.Registered(token, person.id.bytes, found)
            store.save_registered(place, registered, to_microseconds(at))
        if not found:
            self._conflicts.look_at_new(box, place, person, at)
        report = store.RegistrationReport(
            request_token=token,
            reported_at=to_microseconds(at),
            born_at=to_microseconds(born_at),
            outcome=RegistrationOutcome.TEMPORARY,
            reason=None,
        )
        store.save_registration_report(place, report)
        self._resolve_scans(box, id, record.code, at)

    def _check_code(self, box: BoxId, id: RecordId, text: str) -> None:
        """A code of this box's key with this record's serial: no record claims another's code."""
        code = parse_code(text)
        if not isinstance(code, TemporaryCode):
            raise NotAuthentic(Reason.CODE_FORGED, "no temporary code")
        if self._fleet.check_temporary(code) != box or code.serial != temporary_serial(id):
            raise NotAuthentic(Reason.CODE_FORGED, "not this record's code")

    def _open_card(self, person: Person, at: datetime, box: BoxId) -> Card:
        """The person's card. One that was cancelled stays so: this record is older than it looks,
        and only a registration that central itself answers issues a card again."""
        try:
            card = self._cards.read_of(person.id)
        except Refused:
            return self._cards.open_account(person, at, str(box))
        if card.state is CardState.CANCELLED:
            return card
        return self._cards.open_account(person, at, str(box))

    def _resolve_scans(self, box: BoxId, id: RecordId, text: str, at: datetime) -> None:
        """Other boxes may have seen the code before this record came."""
        judged = self._cards.judge(text, box, id, at, consume=False)
        person = judged.person.bytes if judged.person else None
        store.resolve_scans(self._cards.token_of(text), judged.verdict, judged.reason, person)


def _notice(card: Card, id: RecordId, at: datetime) -> Notice:
    """What the counter is told: which record, and what to do; no person is named."""
    stopped = REFUSALS.get(card.state)
    zh, en = "中心已登记一位领临时码的患者", "Central has registered a person with a temporary code"
    if stopped is None:
        zh += "；再登记一次即可打印正式码"
        en += "; register once more to print the real label"
    else:
        words = stopped.words
        zh, en = f"{zh}；{words.zh}，{words.next_zh}", f"{en}; {words.en}. {words.next_en}"
    kind = NoticeKind.TEMPORARY_RESOLVED
    return new_notice(kind, at, zh=zh, en=en, reason=stopped, record=id.bytes)


def _registration(record: TemporaryRecord) -> Registration:
    return Registration(
        record.document_type, record.document_number, record.name, record.sex, record.phone
    )
