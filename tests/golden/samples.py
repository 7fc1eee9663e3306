"""One fixed message of every kind; their bytes lie beside, in ``messages/<name>.hex``.

The bytes are what boxes in the field already store and send. A change here that changes a file
there needs a new version of the message.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

from shared.codec import Codec, anchors, asks, batches, receipts, records, replies, statuses
from shared.crypto import STD
from shared.devices import PrinterCondition, PrintState
from shared.ehc import build_code, sign_temporary, temporary_serial
from shared.ids import BoxId
from shared.lease import (
    DEFAULT_POLICY,
    Lease,
    LeaseAsk,
    LeaseReply,
    SignedLease,
    build_body,
    lease_bytes,
)
from shared.ledger import Head, Lane, append, genesis_head, sign_batch
from shared.lists import (
    START,
    CodeKey,
    KeysPage,
    ListedPerson,
    ListHead,
    PersonsPage,
    Position,
    RevokedCard,
    RevokedPage,
    end_of,
    list_heads,
    list_pages,
)
from shared.messages import (
    Anchor,
    Batch,
    CodeClass,
    DamageRecord,
    DecidedBy,
    EndedEpoch,
    Identity,
    LateAnswerRecord,
    ListAsk,
    ListName,
    ListReply,
    LostRows,
    MedicalStep,
    Origin,
    PrintRecord,
    Receipt,
    RecordNumber,
    RefusalReply,
    RegisterAsk,
    RegisterReply,
    RegistrationOutcome,
    RegistrationRecord,
    RepeatRecord,
    ScanAsk,
    ScanRecord,
    ScanReply,
    Settled,
    Status,
    TemporaryRecord,
    Tombstone,
    TombstoneRecord,
    Verdict,
)
from shared.notices import Command, Notice, Noticed, NoticeKind, acknowledgements, commands
from shared.reasons import Reason
from shared.sealing import Encapsulation
from tests.shared.ehc.test_derivation import EHC_ID

MESSAGES = Path(__file__).parent / "messages"

BOX = BoxId("site1", "box1")
KEY = STD.signing_key(bytes(range(32)))
ID = bytes.fromhex("017f22e279b07cc398c4dc0c0c07398f")
OTHER_ID = bytes.fromhex("017f22e279b17cc398c4dc0c0c073990")
HASH = bytes(range(32))
AT = 1_772_000_000_123_456
CODE = f"{EHC_ID}:1"
ORIGIN = Origin(
    box=str(BOX),
    counter="c1",
    boot_id=bytes(range(16)),
    wall_at=AT,
    monotonic_ns=123_456_789_012,
    offset_ms=-250,
    offset_confidence_ms=12,
    operator="w17",
    drill=False,
)
IDENTITY = Identity(
    name="电***卡",
    document="110***********006X",
    sex="2",
    birth_date="2017-12-25",
    patient_id="P00000001",
    record_numbers=(RecordNumber("outpatient", "M0001"), RecordNumber("archive", "A-7")),
)


LIST_HEAD = ListHead(ListName.REVOKED, "", 1_772_000_000, 3, HASH, AT)
LEASE = build_body(Lease(box=str(BOX), revision=7, issued_at=AT, nonce=ID, policy=DEFAULT_POLICY))


def _batch() -> Batch:
    head = genesis_head(STD, BOX, 1)
    first, _, head = append(STD, head, ID, Lane.USE, AT, b"sealed body")
    second, _, head = append(STD, head, OTHER_ID, Lane.IDENTITY, AT + 1, b"another")
    rows = (second, first)
    return Batch(
        suite=1,
        box=str(BOX),
        key_id=1,
        head=head,
        encapsulations=(Encapsulation(bytes(range(16)), b"wrapped"),),
        rows=rows,
        signature=sign_batch(STD, KEY, BOX, 1, head, rows),
    )


SAMPLES: dict[str, tuple[Codec[Any], Any]] = {
    "record-scan": (
        records,
        ScanRecord(
            lane=Lane.USE,
            origin=ORIGIN,
            code_class=CodeClass.STATIC,
            code=CODE,
            medical_step=MedicalStep.REGISTER,
            verdict=Verdict.PROVISIONAL,
            reason=Reason.OFFLINE_KNOWN,
            decided_by=DecidedBy.BOX,
            asked=True,
        ),
    ),
    "record-scan-again": (
        records,
        RepeatRecord(lane=Lane.USE, origin=ORIGIN, first=ID, verdict=Verdict.ACCEPTED),
    ),
    "record-scan-answered-late": (
        records,
        LateAnswerRecord(
            lane=Lane.USE,
            origin=ORIGIN,
            first=ID,
            verdict=Verdict.REFUSED,
            reason=Reason.CODE_USED,
        ),
    ),
    "record-registration": (
        records,
        RegistrationRecord(
            lane=Lane.IDENTITY,
            origin=ORIGIN,
            document_type="01",
            document_number="11010020171225006X",
            name="电子健康卡",
            outcome=RegistrationOutcome.NEW,
            reason=None,
            patient_id="P00000001",
        ),
    ),
    "record-temporary": (
        records,
        TemporaryRecord(
            lane=Lane.IDENTITY,
            origin=ORIGIN,
            document_type="01",
            document_number="11010020171225006X",
            name="电子健康卡",
            sex="2",
            phone="13800000000",
            code=build_code(sign_temporary(KEY, 7, 1, temporary_serial(UUID(bytes=ID)))),
            asked=True,
        ),
    ),
    "record-print": (
        records,
        PrintRecord(
            lane=Lane.PRINT,
            origin=ORIGIN,
            label=ID,
            registration=OTHER_ID,
            state=PrintState.UNKNOWN,
            reason=Reason.PRINT_CUT,
            conditions=(PrinterCondition.NO_PAPER, PrinterCondition.HEAD_OPEN),
            copy=2,
            reprint_reason="torn",
        ),
    ),
    "record-damage": (
        records,
        DamageRecord(
            lane=Lane.IDENTITY,
            origin=ORIGIN,
            damage=ID,
            found_at=AT,
            saved=1200,
            ended=(EndedEpoch(1, 1203), EndedEpoch(2, 0)),
            lost=(LostRows(1, 7, 8), LostRows(1, 1203, 1203)),
        ),
    ),
    "record-tombstone": (
        records,
        TombstoneRecord(
            lane=Lane.IDENTITY,
            origin=ORIGIN,
            rows=(
                Tombstone(epoch=1, seq=7, id=ID, hash=HASH, reason=Reason.STORE_UNAVAILABLE),
                Tombstone(epoch=1, seq=9, id=OTHER_ID, hash=HASH, reason=Reason.STORE_DAMAGED),
            ),
        ),
    ),
    "batch": (batches, _batch()),
    "receipt": (
        receipts,
        Receipt(box=str(BOX), epoch=1, rows=(Settled(1, HASH), Settled(300, HASH))),
    ),
    "anchor": (
        anchors,
        Anchor(suite=1, box=str(BOX), head=Head(1, 300, HASH), signature=bytes(range(64))),
    ),
    "ask-scan": (
        asks,
        ScanAsk(
            id=ID,
            box=str(BOX),
            born=AT,
            expires_at=AT + 800_000,
            counter="c1",
            operator="w17",
            code=CODE,
            medical_step=MedicalStep.PAY,
        ),
    ),
    "ask-register": (
        asks,
        RegisterAsk(
            id=ID,
            box=str(BOX),
            born=AT,
            expires_at=AT + 5_000_000,
            counter="c1",
            drill=True,
            document_type="01",
            document_number="11010020171225006X",
            name="电子健康卡",
            sex="2",
            phone="",
        ),
    ),
    "reply-scan": (
        replies,
        ScanReply(id=ID, central_at=AT, verdict=Verdict.ACCEPTED, reason=None, identity=IDENTITY),
    ),
    "reply-register": (
        replies,
        RegisterReply(id=ID, central_at=AT, found=True, code=CODE, identity=IDENTITY),
    ),
    "ask-list": (
        asks,
        ListAsk(
            id=ID,
            box=str(BOX),
            born=AT,
            expires_at=AT + 20_000_000,
            counter="",
            list=ListName.REVOKED,
            revision=1_772_000_000,
            after=b"\xff" * 32,
        ),
    ),
    "reply-list": (
        replies,
        ListReply(id=ID, central_at=AT, body=b"signed body", signature=bytes(range(64))),
    ),
    "list-head": (list_heads, LIST_HEAD),
    "list-page-keys": (
        list_pages,
        KeysPage(
            head=LIST_HEAD,
            since=START,
            keys=(CodeKey(1, HASH, 0, AT), CodeKey(2, HASH, AT, None)),
            token_key=HASH,
        ),
    ),
    "list-page-revoked": (
        list_pages,
        RevokedPage(
            head=LIST_HEAD,
            since=START,
            next=Position(7, bytes(range(16))),
            added=(RevokedCard(bytes(range(16)), Reason.CARD_CANCELLED),),
            removed=(bytes(range(1, 17)),),
        ),
    ),
    "list-page-persons": (
        list_pages,
        PersonsPage(
            head=LIST_HEAD,
            since=end_of(7),
            persons=(
                ListedPerson((bytes(range(16)),), IDENTITY),
                ListedPerson((bytes(range(1, 17)),), None),
            ),
        ),
    ),
    "ask-lease": (
        asks,
        LeaseAsk(
            id=ID,
            box=str(BOX),
            born=AT,
            expires_at=AT + 10_000_000,
            counter="c1",
            revision=6,
        ),
    ),
    "reply-lease": (
        replies,
        LeaseReply(id=ID, central_at=AT, lease=SignedLease(LEASE, KEY.sign(lease_bytes(LEASE)))),
    ),
    "reply-refusal": (
        replies,
        RefusalReply(id=ID, central_at=AT, reason=Reason.DOCUMENT_CHECK_CHARACTER),
    ),
    "command": (
        commands,
        Command(
            box=str(BOX),
            notices=(
                Notice(
                    id=ID,
                    at=AT,
                    kind=NoticeKind.CASE_DECIDED,
                    zh="结案：两次均有效",
                    en="Decided: both visits stand",
                    reason=Reason.CODE_USED,
                    record=OTHER_ID,
                    case=ID,
                ),
            ),
        ),
    ),
    "noticed": (acknowledgements, Noticed(box=str(BOX), ids=(ID, OTHER_ID))),
    "status": (statuses, Status(online=True, since=AT)),
}


def read_golden(name: str) -> bytes:
    """The bytes of one kind, kept as lines of hex."""
    return bytes.fromhex((MESSAGES / f"{name}.hex").read_text())
