"""A box on paper: keys, a ledger in memory, and batches as honest or crooked as a test wants."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from central.fleet.box import NewKeys, Place
from central.fleet.certificates import CertificateFacts
from shared.clock import to_microseconds
from shared.codec import asks, batches, records
from shared.crypto import STD, SigningKey
from shared.ids import BoxId, new_record_id
from shared.ledger import Head, Lane, Row, append, genesis_head, sign_batch
from shared.messages import (
    Batch,
    CodeClass,
    DecidedBy,
    MedicalStep,
    Origin,
    Record,
    ScanAsk,
    ScanRecord,
    Tombstone,
    TombstoneRecord,
    Verdict,
)
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.sealing import BodySealer
from shared.topics import ASK_SCAN
from tests.central.ingest.centre import AT, Centre

BOX = BoxId("site1", "box1")
OTHER = BoxId("site1", "box2")
KEY_ID = 1


@dataclass
class PaperBox:
    """Appends to its ledger and signs batches."""

    id: BoxId
    pair_key: PairKey
    signing_key: SigningKey
    sealer: BodySealer
    head: Head
    rows: list[Row] = field(default_factory=list)

    def scan(self, lane: Lane = Lane.USE, box: BoxId | None = None) -> Row:
        """Append a scan's record."""
        return self.append(scan_record(box or self.id, lane), lane)

    def append(self, record: Record, lane: Lane) -> Row:
        """Append a record."""
        return self.append_plaintext(records.encode(record), lane)

    def append_plaintext(self, plaintext: bytes, lane: Lane = Lane.USE) -> Row:
        """Append what only claims to be a record, properly sealed."""
        id = new_record_id(AT).bytes
        born = to_microseconds(AT)
        return self.append_body(self.sealer.seal(plaintext, id, lane, born), id, lane)

    def append_body(self, body: bytes, id: bytes = b"", lane: Lane = Lane.USE) -> Row:
        """Append any body."""
        row, _, self.head = append(
            STD, self.head, id or new_record_id(AT).bytes, lane, to_microseconds(AT), body
        )
        self.rows.append(row)
        return row

    def bury(self, rows: Sequence[Row], hashes: Sequence[bytes]) -> Row:
        """Append a tombstone record for earlier rows."""
        given_up = tuple(
            Tombstone(self.head.epoch, row.seq, row.id, hash, Reason.STORE_UNAVAILABLE)
            for row, hash in zip(rows, hashes, strict=True)
        )
        record = TombstoneRecord(lane=Lane.IDENTITY, origin=origin(self.id), rows=given_up)
        return self.append(record, Lane.IDENTITY)

    def batch(self, rows: Sequence[Row] | None = None, *, sealed: bool = True) -> Batch:
        """A signed batch of ``rows``, by default all, under the present head."""
        carried = tuple(self.rows if rows is None else rows)
        return self.sign(self.head, carried, sealed=sealed)

    def sign(self, head: Head, rows: tuple[Row, ...], *, sealed: bool = True) -> Batch:
        """A batch under any head; without its encapsulation when not ``sealed``."""
        return Batch(
            suite=STD.id,
            box=str(self.id),
            key_id=KEY_ID,
            head=head,
            encapsulations=(self.sealer.encapsulation,) if sealed else (),
            rows=rows,
            signature=sign_batch(STD, self.signing_key, self.id, KEY_ID, head, rows),
        )

    def encode(self, rows: Sequence[Row] | None = None) -> bytes:
        """A batch's bytes."""
        return batches.encode(self.batch(rows))

    def seal_ask(self, ask: ScanAsk) -> bytes:
        """An ask as it leaves the box."""
        return self.pair_key.seal(Direction.UP, self.id, ASK_SCAN, asks.encode(ask))

    def ask(self, born_at: datetime = AT, expires_at: datetime | None = None) -> ScanAsk:
        """An ask about a code that is nobody's."""
        return ScanAsk(
            id=new_record_id(born_at).bytes,
            box=str(self.id),
            born=to_microseconds(born_at),
            expires_at=to_microseconds(expires_at or born_at) + (0 if expires_at else 800_000),
            counter="挂号1",
            code="x",
        )


def add_box(centre: Centre, id: BoxId = BOX) -> PaperBox:
    """A box that has joined the centre's fleet, by its keys alone."""
    secret, signing_key = os.urandom(32), STD.new_signing_key()
    certificate = CertificateFacts(os.urandom(8).hex(), os.urandom(32), AT, AT)
    place = Place(id, counter=f"counter {id.box}", site_name="市人民医院")
    keys = NewKeys(secret, STD.id, signing_key.public_bytes, certificate)
    with centre.database.unit():
        centre.fleet.add_box(place, keys, AT, "test")
    return PaperBox(
        id=id,
        pair_key=PairKey(secret),
        signing_key=signing_key,
        sealer=BodySealer(STD, centre.keys.central_public, id),
        head=genesis_head(STD, id, 1),
    )


def origin(box: BoxId) -> Origin:
    """Where and when a record was born."""
    return Origin(str(box), "挂号1", bytes(16), to_microseconds(AT), 1)


def scan_record(box: BoxId, lane: Lane = Lane.USE) -> ScanRecord:
    """A scan judged by the box."""
    return ScanRecord(
        lane=lane,
        origin=origin(box),
        code_class=CodeClass.STATIC,
        code="x",
        medical_step=MedicalStep.OTHER,
        verdict=Verdict.PROVISIONAL,
        reason=Reason.OFFLINE_UNKNOWN,
        decided_by=DecidedBy.BOX,
        asked=False,
    )


def future_record(box: BoxId) -> bytes:
    """A record of a kind that central does not know yet."""
    return msgspec.msgpack.encode({"version": 2, "kind": "teleport", "origin": str(box)})
