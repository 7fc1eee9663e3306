"""Typed ids and their parsers: records, boxes. Minted or parsed here and nowhere else."""

import os
import re
from datetime import datetime
from typing import NamedTuple, NewType
from uuid import UUID

from shared.errors import Malformed
from shared.reasons import Reason

RecordId = NewType("RecordId", UUID)
"""A UUIDv7 (RFC 9562 §5.7): fixed when a record is born, the same online and offline."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?")
"""At most 31: ``<site>/<box>`` must fit a common name's 64 characters (RFC 5280 A.1)."""
RESERVED_SITES = frozenset({"central", "lists"})
"""Site ids that would collide with central's own topics (CONTRACTS §3)."""


def new_record_id(at: datetime) -> RecordId:
    """Mint a UUIDv7: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562 §5.7)."""
    milliseconds = int(at.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | random & (1 << 80) - 1
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return RecordId(UUID(int=value))


def parse_record_id(text: str) -> RecordId:
    """Read a record id in its usual text form (RFC 9562 §4), no other. Raises Malformed."""
    try:
        value = UUID(text)
    except ValueError as error:
        raise Malformed(Reason.ID_MALFORMED, "record id") from error
    if str(value) != text.lower():
        raise Malformed(Reason.ID_MALFORMED, "record id")
    return record_id(value)


def record_id(value: UUID) -> RecordId:
    """Accept a UUID as a record id if it is version 7. Raises Malformed."""
    if value.version != 7:
        raise Malformed(Reason.ID_MALFORMED, "record id is not a UUIDv7")
    return RecordId(value)


def label_number(id: RecordId) -> str:
    """Four digits that a person can compare: what the label of this id shows, and the question
    whether it came out. From the id's random end; two labels of a day may share one."""
    return f"{id.int % 10_000:04d}"


class BoxId(NamedTuple):
    """A box's name, ``<site>/<box>``: the certificate's common name and part of every topic."""

    site: str
    box: str

    def __str__(self) -> str:
        return f"{self.site}/{self.box}"


def parse_box_id(text: str) -> BoxId:
    """Read ``<site>/<box>``; both are lower-case letters, digits and inner hyphens, 1–31 long.

    Raises Malformed, also for reserved site ids.
    """
    site, slash, box = text.partition("/")
    if not slash or not _LABEL.fullmatch(site) or not _LABEL.fullmatch(box):
        raise Malformed(Reason.ID_MALFORMED, "box id is <site>/<box>")
    if site in RESERVED_SITES:
        raise Malformed(Reason.ID_RESERVED, f"site id {site} is reserved")
    return BoxId(site, box)
