"""What messages are made of: ids, hashes, times, and what every ask and every reply carries."""

from typing import Annotated, Literal

import msgspec

from shared.ledger import HASH_BYTES

Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, msgspec.Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
Time = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)]
"""Microseconds since 1970 UTC, before the year 10000: whatever decodes is a ``datetime``."""


class AskBase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every ask carries. ``id`` is the record's id, and the nonce central's time echoes."""

    version: Literal[1] = 1
    id: Id
    box: str
    born: Time
    expires_at: Time
    counter: str
    operator: str = ""
    drill: bool = False


class ReplyBase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every reply carries: the ask's ``id`` and central's time when it answered."""

    version: Literal[1] = 1
    id: Id
    central_at: Time
