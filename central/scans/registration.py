"""Registrations at a counter: a resident in, a static code and the site's numbers out; and labels.

Idempotent by (box, id) like scans. Every method runs inside the caller's unit of work.
"""

from datetime import datetime
from uuid import UUID

from central.cards.service import Cards
from central.hospital.service import Hospital
from central.keys.service import Keys
from central.patients.person import Person, PersonId, Registration
from central.patients.service import Patients
from central.scans import store
from central.scans.birth import read_birth, read_record_id
from central.scans.doubles import PersonConflicts
from central.scans.identity import build_identity
from shared.clock import to_microseconds
from shared.errors import Malformed, Refused
from shared.ids import BoxId, RecordId
from shared.messages import (
    PrintRecord,
    RegisterAsk,
    RegisterReply,
    RegistrationRecord,
    Reply,
    TemporaryRecord,
)
from shared.reasons import Reason

_MOST_COPIES = 1_000_000


class Registrations:
    """Answers registrations and takes the records of them and of their labels."""

    def __init__(
        self,
        keys: Keys,
        patients: Patients,
        cards: Cards,
        hospital: Hospital,
        conflicts: PersonConflicts | None = None,
    ) -> None:
        """``conflicts`` looks at who is new, and at who was refused for another's document."""
        self._keys = keys
        self._patients = patients
        self._cards = cards
        self._hospital = hospital
        self._conflicts = conflicts

    def answer_register(self, box: BoxId, ask: RegisterAsk, at: datetime) -> Reply:
        """Find the resident or register them, open their card, admit them at the box's site.

        Raises Refused, so that nothing of a refused act is kept: NOT_FOR_THIS_BOX, ASK_EXPIRED,
        REQUEST_MALFORMED (the id was used for another resident), each reason of
        ``Patients.register`` and ``Cards.static_code``; Malformed for an id that is none.
        """
        id = read_record_id(ask.id)
        if ask.box != str(box):
            raise Refused(Reason.NOT_FOR_THIS_BOX, f"an ask of {ask.box}")
        request_token = build_request_token(self._keys, ask)
        known = store.find_registered(id.bytes, str(box))
        if known is not None:
            if known.request_token != request_token:
                raise Refused(Reason.REQUEST_MALFORMED, "one id for two residents")
            person = self._patients.read(PersonId(UUID(bytes=known.person)))
            return self._reply(box, ask, person, known.found, at)
        if to_microseconds(at) >= ask.expires_at:
            raise Refused(Reason.ASK_EXPIRED)
        registration = Registration(
            ask.document_type, ask.document_number, ask.name, ask.sex, ask.phone
        )
        person, found = self._patients.register(registration, at, str(box))
        self._cards.open_account(person, at, str(box))
        reply = self._reply(box, ask, person, found, at)
        place = store.Place(id.bytes, str(box), ask.counter, ask.operator, ask.drill)
        registered = store.Registered(request_token, person.id.bytes, found)
        store.save_registered(place, registered, to_microseconds(at))
        if self._conflicts is not None and not found:
            self._conflicts.look_at_new(box, place, person, at)
        return reply

    def record_registration(
        self, box: BoxId, id: RecordId, record: RegistrationRecord, at: datetime
    ) -> None:
        """Keep what the box says came of a registration. Registers nobody.

        Raises Refused (NOT_FOR_THIS_BOX).
        """
        origin = record.origin
        born_at = read_birth(box, origin)
        report = store.RegistrationReport(
            request_token=build_request_token(self._keys, record),
            reported_at=to_microseconds(at),
            born_at=to_microseconds(born_at),
            outcome=record.outcome,
            reason=record.reason,
        )
        place = store.Place(id.bytes, str(box), origin.counter, origin.operator, origin.drill)
        store.save_registration_report(place, report)
        if self._conflicts is not None and record.reason is Reason.PERSON_MISMATCH:
            self._conflicts.look_at_refused(box, id, record, at)

    def record_print(self, box: BoxId, id: RecordId, record: PrintRecord, at: datetime) -> None:
        """Keep one state of one label; a later state is a record, and a row, of its own.

        Raises Refused (NOT_FOR_THIS_BOX), Malformed.
        """
        if not 0 < record.copy <= _MOST_COPIES:
            raise Malformed(Reason.MESSAGE_MALFORMED, "copy")
        state = store.LabelState(
            id=id.bytes,
            box=str(box),
            label=read_record_id(record.label).bytes,
            registration=read_record_id(record.registration).bytes,
            state=record.state,
            reason=record.reason,
            conditions=",".join(record.conditions),
            copy=record.copy,
            reprint_reason=record.reprint_reason,
            born_at=to_microseconds(read_birth(box, record.origin)),
            reported_at=to_microseconds(at),
        )
        store.insert_label_state(state)

    def _reply(
        self, box: BoxId, ask: RegisterAsk, person: Person, found: bool, at: datetime
    ) -> RegisterReply:
        card = self._cards.read_of(person.id)
        code = self._cards.static_code(card)
        patient = self._hospital.admit(person.id, box.site, at)
        return RegisterReply(
            id=ask.id,
            central_at=to_microseconds(at),
            found=found,
            code=code,
            identity=build_identity(person, patient),
        )


def build_request_token(
    keys: Keys, request: RegisterAsk | RegistrationRecord | TemporaryRecord
) -> bytes:
    """Who was to be registered, so that one id cannot stand for two residents."""
    # Lengths before the texts: no two requests are written alike.
    parts = (request.document_type, request.document_number, request.name)
    return keys.token("registration", "".join(f"{len(part)}:{part}" for part in parts))
