"""A box's pending rows as one sealed, signed file, and central's receipts as another: the wire
where there is no network (docs/adr/0021). Pure but for the open files it is given.

Queue file: magic, header, frames. Each frame is a batch as it would go up, sealed to central under
the file's own key with a counter for nonce; the last one counts the others and is signed by the box
over all bytes before it. So nothing can be left out, added, changed or cut off unnoticed.
Receipt file: magic, the box's name, frames sealed with the pair key as if they had come down.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Literal

import msgspec

from shared.crypto import KEY_BYTES, Aead, SigningKey, Suite, VerifyKey, suite
from shared.errors import Malformed, NotAuthentic, OneCodeError, Refused
from shared.ids import BoxId, parse_box_id
from shared.pairing import Direction, PairKey
from shared.reasons import Reason
from shared.sealing import wrap_file_key
from shared.topics import RECEIPT

QUEUE_MAGIC = b"ONECODE QUEUE 1\n"
RECEIPT_MAGIC = b"ONECODE RECPT 1\n"
_RECEIPT_END = "file/receipts"
"""The kind of a receipt file's last frame: no message of this kind goes over the line."""
_MOST_BYTES = 4 * 1024 * 1024
"""No frame is longer: a batch has one megabyte."""
_BATCH, _END = b"\0", b"\1"


class QueueHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose rows these are, and the file's key, sealed to central."""

    suite: int
    box: str
    key_id: int
    file: bytes  # 16 random bytes
    made_at: int  # microseconds since 1970 UTC
    wrapped: bytes
    version: Literal[1] = 1


class QueueEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came before, counted, and signed by the box."""

    batches: int
    rows: int
    signature: bytes


class ReceiptEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which queue file, and how many receipts came before."""

    file: bytes
    receipts: int


def write_queue_file(  # noqa: PLR0913, PLR0917 - whose, sealed to whom, and what
    out: BinaryIO,
    algorithms: Suite,
    box: BoxId,
    central_public: bytes,
    signing: tuple[int, SigningKey],
    made_at: int,
    batches: Iterable[tuple[int, bytes]],
) -> QueueEnd:
    """Write rows and encoded batch of each of ``batches``; what the last frame says of them."""
    key = os.urandom(KEY_BYTES)
    key_id, signing_key = signing
    wrapped = wrap_file_key(algorithms, central_public, box, key)
    header = msgspec.msgpack.encode(
        QueueHeader(algorithms.id, str(box), key_id, os.urandom(16), made_at, wrapped)
    )
    out.write(QUEUE_MAGIC)
    _write_frame(out, header)
    digest = algorithms.digest(header)
    aead = algorithms.aead(key)
    count = rows = 0
    for rows_here, batch in batches:
        sealed = aead.seal(_nonce(count), _BATCH + batch, digest)
        _write_frame(out, sealed)
        digest = algorithms.digest(digest + sealed)
        count, rows = count + 1, rows + rows_here
    end = QueueEnd(count, rows, signing_key.sign(_signed(digest, count, rows)))
    _write_frame(out, aead.seal(_nonce(count), _END + msgspec.msgpack.encode(end), digest))
    return end


def read_queue_header(file: BinaryIO) -> tuple[BoxId, QueueHeader]:
    """Whose file it is; nothing of it is proved yet. Raises Malformed (QUEUE_FILE_FOREIGN)."""
    if file.read(len(QUEUE_MAGIC)) != QUEUE_MAGIC:
        raise Malformed(Reason.QUEUE_FILE_FOREIGN, "not a queue file")
    try:
        header = msgspec.msgpack.decode(_read_frame(file), type=QueueHeader)
        return parse_box_id(header.box), header
    except (msgspec.DecodeError, UnicodeDecodeError, Malformed) as error:
        raise Malformed(Reason.QUEUE_FILE_BROKEN, "header") from error


def read_batches(
    file: BinaryIO, header: QueueHeader, key: bytes, verify_key: VerifyKey
) -> Iterator[bytes]:
    """Every batch of a file whose header was read; proved whole only when this comes to its end.

    Raises Malformed, NotAuthentic (QUEUE_FILE_BROKEN) for a file cut off, edited or signed by
    another, Refused (SUITE_UNKNOWN).
    """
    algorithms = suite(header.suite)
    aead = algorithms.aead(key)
    digest = algorithms.digest(msgspec.msgpack.encode(header))
    count = 0
    while True:
        sealed = _read_frame(file)
        content = _open(aead, _nonce(count), sealed, digest)
        if content[:1] == _END:
            break
        digest = algorithms.digest(digest + sealed)
        count += 1
        yield content[1:]
    try:
        end = msgspec.msgpack.decode(content[1:], type=QueueEnd)
        verify_key.verify(end.signature, _signed(digest, end.batches, end.rows))
    except (msgspec.DecodeError, Refused) as error:
        raise NotAuthentic(Reason.QUEUE_FILE_BROKEN, "signature") from error
    if end.batches != count or file.read(1):
        raise Malformed(Reason.QUEUE_FILE_BROKEN, "more or less than was signed")


def write_receipt_file(
    out: BinaryIO, pair_key: PairKey, box: BoxId, file: bytes, receipts: Iterable[bytes]
) -> int:
    """Write encoded receipts, each sealed as it would come down; how many."""
    out.write(RECEIPT_MAGIC)
    _write_frame(out, str(box).encode())
    count = 0
    for receipt in receipts:
        _write_frame(out, pair_key.seal(Direction.DOWN, box, RECEIPT, receipt))
        count += 1
    end = msgspec.msgpack.encode(ReceiptEnd(file, count))
    _write_frame(out, pair_key.seal(Direction.DOWN, box, _RECEIPT_END, end))
    return count


def read_receipts(file: BinaryIO, pair_key: PairKey, box: BoxId) -> Iterator[bytes]:
    """Every sealed receipt, as the line would bring it; proved whole when this comes to its end.

    Raises Malformed (RECEIPT_FILE_FOREIGN) for another box's or another kind of file,
    NotAuthentic and Malformed (RECEIPT_FILE_BROKEN) for one cut off or edited.
    """
    if file.read(len(RECEIPT_MAGIC)) != RECEIPT_MAGIC:
        raise Malformed(Reason.RECEIPT_FILE_FOREIGN, "not a receipt file")
    try:
        named = _read_frame(file)
        if named != str(box).encode():
            raise Malformed(Reason.RECEIPT_FILE_FOREIGN, "another box's")
        count = 0
        while True:
            sealed = _read_frame(file)
            end = _find_end(pair_key, box, sealed)
            if end is not None:
                break
            pair_key.open(Direction.DOWN, box, RECEIPT, sealed)
            count += 1
            yield sealed
        if end.receipts != count or file.read(1):
            raise Malformed(Reason.RECEIPT_FILE_BROKEN, "more or less than was sealed")
    except OneCodeError as error:
        if error.reason is Reason.RECEIPT_FILE_FOREIGN:
            raise
        raise Malformed(Reason.RECEIPT_FILE_BROKEN, error.detail) from error


def check_whole(read: Callable[[], Iterator[bytes]]) -> int:
    """Read a file to its end, so that nothing of a broken one is taken; how many frames it has."""
    return sum(1 for _ in read())


def _find_end(pair_key: PairKey, box: BoxId, sealed: bytes) -> ReceiptEnd | None:
    try:
        plain = pair_key.open(Direction.DOWN, box, _RECEIPT_END, sealed)
        return msgspec.msgpack.decode(plain, type=ReceiptEnd)
    except (NotAuthentic, msgspec.DecodeError):
        return None


def _open(aead: Aead, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return aead.open(nonce, sealed, bound)
    except NotAuthentic as error:
        raise NotAuthentic(Reason.QUEUE_FILE_BROKEN, "a frame does not open") from error


def _signed(digest: bytes, batches: int, rows: int) -> bytes:
    counts = batches.to_bytes(8, "big") + rows.to_bytes(8, "big")
    return b"onecode queue file 1\0" + digest + counts


def _nonce(counter: int) -> bytes:
    return counter.to_bytes(12, "big")


def _write_frame(out: BinaryIO, content: bytes) -> None:
    out.write(len(content).to_bytes(4, "big"))
    out.write(content)


def _read_frame(file: BinaryIO) -> bytes:
    length = int.from_bytes(file.read(4), "big")
    content = file.read(length) if length <= _MOST_BYTES else b""
    if not length or len(content) != length:
        raise Malformed(Reason.QUEUE_FILE_BROKEN, "cut off")
    return content
