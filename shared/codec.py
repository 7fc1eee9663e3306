"""Bytes to messages and back: MessagePack, strict in, stable out.

Stable: the same message always encodes to the same bytes (fields in the order of their
definition). Strict: unknown fields, missing fields and wrong types are refused, and a kind or
version from the future is told apart from rubbish, so that central can park it.
"""

from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from shared.errors import Malformed, Refused
from shared.messages import Anchor, Ask, Batch, Receipt, Record, Reply, Status
from shared.reasons import Reason

M = TypeVar("M")

_encode = msgspec.msgpack.Encoder().encode


class _Header(msgspec.Struct, frozen=True):
    version: int
    kind: str = ""


_header = msgspec.msgpack.Decoder(_Header)
_NOT_OURS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Codec(Generic[M]):
    """Encodes and decodes one family of messages."""

    def __init__(self, family: Any) -> None:
        members = get_args(family) or (family,)
        self._decoder = msgspec.msgpack.Decoder(family)
        self._kinds = {member.__struct_config__.tag or "" for member in members}

    def encode(self, message: M) -> bytes:
        """The message's one byte form."""
        return _encode(message)

    def decode(self, data: bytes) -> M:
        """Read a message. Raises Malformed, or Refused (SCHEMA_UNKNOWN) for one of the future."""
        try:
            return cast(M, self._decoder.decode(data))
        except _NOT_OURS as error:
            if self._is_of_the_future(data):
                raise Refused(Reason.SCHEMA_UNKNOWN) from error
            raise Malformed(Reason.MESSAGE_MALFORMED) from error

    def _is_of_the_future(self, data: bytes) -> bool:
        try:
            header = _header.decode(data)
        except _NOT_OURS:
            return False
        return header.version > 1 or header.kind not in self._kinds


records: Codec[Record] = Codec(Record)
batches: Codec[Batch] = Codec(Batch)
receipts: Codec[Receipt] = Codec(Receipt)
anchors: Codec[Anchor] = Codec(Anchor)
asks: Codec[Ask] = Codec(Ask)
replies: Codec[Reply] = Codec(Reply)
statuses: Codec[Status] = Codec(Status)
