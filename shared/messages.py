"""ONE definition of every message: records in rows, batches, receipts, asks and replies.

msgspec structs, frozen and strict; ``shared.codec`` turns them into bytes and back. Times are
microseconds since 1970 UTC, ids 16 bytes, hashes 32. docs/messages.md is checked against this
file.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from shared.crypto import SuiteId
from shared.devices import PrinterCondition, PrintState
from shared.lease import LeaseAsk, LeaseReply
from shared.ledger import Head, Lane, Row
from shared.message_bases import AskBase, Hash, Id, ReplyBase, Time
from shared.reasons import Reason
from shared.residents import MAX_NAME_CHARACTERS, MAX_NUMBER_BYTES
from shared.sealing import Encapsulation

Epoch = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Verdict(StrEnum):
    """The three honest answers to a scan."""

    ACCEPTED = "accepted"
    PROVISIONAL = "provisional"  # good as far as this box can know; central decides on return
    REFUSED = "refused"


class DecidedBy(StrEnum):
    """Who gave a verdict."""

    CENTRAL = "central"
    BOX = "box"


class CodeClass(StrEnum):
    """What kind of text was scanned."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    EXTENDED = "extended"
    TEMPORARY = "temporary"
    MALFORMED = "malformed"


class MedicalStep(StrEnum):
    """诊疗环节, the national table (ehc-standard §4)."""

    OTHER = "000000"
    REGISTER = "010101"
    DIAGNOSE = "010102"
    DISPENSE = "010103"
    EXAMINE = "010104"
    PAY = "010105"
    PRESCRIBE = "010106"
    SURGERY = "010107"
    INPATIENT = "010109"


class RecordNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number a hospital knows a person by; ``type`` is outpatient, inpatient or archive."""

    type: str
    number: str


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counter is told about a person: masked, enough to greet and to compare."""

    name: str  # masked: 张*三
    document: str  # masked: 110***********006X
    sex: str  # GB/T 2261.1: 0, 1, 2, 9
    birth_date: str  # YYYY-MM-DD, empty when unknown
    patient_id: str  # this site's patient id (EMPI)
    record_numbers: tuple[RecordNumber, ...]


# --- records: what a box reports; the plaintext of a row's body --------------------------------


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and when a record was born (CONTRACTS §1)."""

    box: str
    counter: str
    boot_id: Id
    wall_at: Time
    monotonic_ns: int
    offset_ms: int | None = None  # central's clock minus ours, None before it was measured
    offset_confidence_ms: int | None = None
    operator: str = ""
    drill: bool = False


class RecordBase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every record carries; ``kind`` is the struct's tag."""

    version: Literal[1] = 1
    suite: int = SuiteId.STD
    lane: Lane
    origin: Origin


class ScanRecord(RecordBase, frozen=True, kw_only=True, tag="scan"):
    """A code was shown and judged. ``code`` is the scanned text."""

    code_class: CodeClass
    code: str
    medical_step: MedicalStep
    verdict: Verdict
    reason: Reason | None
    decided_by: DecidedBy
    asked: bool  # whether the question left the box, so that central may know the id already


class RepeatRecord(RecordBase, frozen=True, kw_only=True, tag="scan-again"):
    """The same text at the same counter again within seconds; nothing is consumed."""

    first: Id
    verdict: Verdict


class LateAnswerRecord(RecordBase, frozen=True, kw_only=True, tag="scan-answered-late"):
    """Central's answer to ``first`` came after the box had judged alone."""

    first: Id
    verdict: Verdict
    reason: Reason | None


class RegistrationOutcome(StrEnum):
    """What came of a registration."""

    NEW = "new"
    FOUND = "found"
    REFUSED = "refused"
    UNANSWERED = "unanswered"  # central may have registered; asking again finds the person
    TEMPORARY = "temporary"  # the box gave a code of its own; its record registers the person


class RegistrationRecord(RecordBase, frozen=True, kw_only=True, tag="registration"):
    """A clerk asked central for a resident's code; ``outcome`` says what came of it."""

    document_type: str
    document_number: str
    name: str
    outcome: RegistrationOutcome
    reason: Reason | None
    patient_id: str = ""


class TemporaryRecord(RecordBase, frozen=True, kw_only=True, tag="temporary"):
    """A box that was alone gave this resident a temporary code; central registers them by this.

    The code's serial is that of the record's id (``shared.ehc.temporary``), so that no other
    record can claim it. ``asked``: the question left the box under the same id, unanswered.
    """

    document_type: Annotated[str, msgspec.Meta(max_length=2)]
    document_number: Annotated[str, msgspec.Meta(max_length=MAX_NUMBER_BYTES)]
    name: Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARACTERS)]
    sex: Annotated[str, msgspec.Meta(max_length=1)]  # GB/T 2261.1: 0, 1, 2, 9
    phone: Annotated[str, msgspec.Meta(max_length=64)]
    code: Annotated[str, msgspec.Meta(min_length=122, max_length=122)]
    asked: bool


class PrintRecord(RecordBase, frozen=True, kw_only=True, tag="print"):
    """One state of one label; a later state is a new record with the same ``label``."""

    label: Id
    registration: Id
    state: PrintState
    reason: Reason | None = None
    conditions: tuple[PrinterCondition, ...] = ()
    copy: int = 1
    reprint_reason: str = ""


class Tombstone(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One row given up: its place, its identity, and why."""

    epoch: int
    seq: int
    id: Id
    hash: Hash
    reason: Reason


class TombstoneRecord(RecordBase, frozen=True, kw_only=True, tag="tombstone"):
    """Rows given up, many at once, or giving up rows would free no space (CONTRACTS §2)."""

    rows: tuple[Tombstone, ...]


class LostRows(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Sequences of one epoch, both included, whose rows the box has no more."""

    epoch: Epoch
    first: Seq
    last: Seq


class EndedEpoch(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An epoch that went with a damaged file. ``seq`` is the last row that is known of it: what
    came behind, if anything did, is lost too."""

    epoch: Epoch
    seq: Seq


class DamageRecord(RecordBase, frozen=True, kw_only=True, tag="damage"):
    """The box's queue file was damaged and set aside; a new epoch began (docs/adr/0020).

    ``saved`` rows of the ended epochs are in the new file as they were. One damage may take several
    records, all with its ``damage`` id, for a body is bounded.
    """

    damage: Id
    found_at: Time
    saved: Seq
    ended: Annotated[tuple[EndedEpoch, ...], msgspec.Meta(max_length=1000)]
    lost: Annotated[tuple[LostRows, ...], msgspec.Meta(max_length=1000)]


Record = (
    ScanRecord
    | RepeatRecord
    | LateAnswerRecord
    | RegistrationRecord
    | TemporaryRecord
    | PrintRecord
    | TombstoneRecord
    | DamageRecord
)


# --- custody: rows go up, receipts come down -----------------------------------------------------


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any rows of one box and epoch, in any order, under the box's signed head."""

    suite: int
    box: str
    key_id: int
    head: Head
    encapsulations: tuple[Encapsulation, ...]
    rows: tuple[Row, ...]
    signature: bytes
    version: Literal[1] = 1


class Settled(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One row in central's custody."""

    seq: int
    hash: Hash


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Central's word, after its commit, that these rows are in its custody. Nothing more."""

    box: str
    epoch: int
    rows: tuple[Settled, ...]
    version: Literal[1] = 1


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A head that central countersigned: every row up to it is in its custody, without a gap.

    ``signature`` by the announcements key over ``shared.ledger.anchor_bytes``: whoever holds that
    key's public half can check it, central or not.
    """

    suite: int
    box: str
    head: Head
    signature: bytes
    version: Literal[1] = 1


# --- asks and replies: sealed with the pair key --------------------------------------------------


class ScanAsk(AskBase, frozen=True, kw_only=True, tag="scan"):
    """Who is this, and is the code good? A dynamic code is consumed for (box, id)."""

    code: str
    medical_step: MedicalStep = MedicalStep.OTHER


class RegisterAsk(AskBase, frozen=True, kw_only=True, tag="register"):
    """Register this resident, or find them, and give the static code for a label."""

    document_type: str
    document_number: str
    name: str
    sex: str = "0"
    phone: str = ""


class ListName(StrEnum):
    """The lists that central signs for boxes (``shared.lists``)."""

    KEYS = "keys"  # what signs dynamic codes
    REVOKED = "revoked"  # cards that identify nobody
    PERSONS = "persons"  # of the box's site


class ListAsk(AskBase, frozen=True, kw_only=True, tag="list"):
    """The next page of a list, behind what the box has: ``revision`` and ``after`` in it."""

    list: ListName
    revision: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)] = 0
    after: Annotated[bytes, msgspec.Meta(max_length=32)] = b""


Ask = ScanAsk | RegisterAsk | ListAsk | LeaseAsk


class ScanReply(ReplyBase, frozen=True, kw_only=True, tag="scan"):
    """Central's verdict; ``identity`` only where the person may be shown."""

    verdict: Verdict
    reason: Reason | None
    identity: Identity | None


class RegisterReply(ReplyBase, frozen=True, kw_only=True, tag="register"):
    """The resident's static code and what the label and the counter need."""

    found: bool
    code: str
    identity: Identity


class ListReply(ReplyBase, frozen=True, kw_only=True, tag="list"):
    """One page, as central signed it: a ``SignedList``."""

    body: bytes
    signature: bytes


class RefusalReply(ReplyBase, frozen=True, kw_only=True, tag="refusal"):
    """Central will not do it, and why."""

    reason: Reason


Reply = ScanReply | RegisterReply | ListReply | LeaseReply | RefusalReply


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box's retained presence; the will says offline."""

    online: bool
    since: Time
    version: Literal[1] = 1
