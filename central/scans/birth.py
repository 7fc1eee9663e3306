"""Where and when a record says it was born, checked and put on central's time. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from shared.clock import from_microseconds
from shared.errors import Malformed, Refused
from shared.ids import BoxId, RecordId, record_id
from shared.messages import Origin
from shared.reasons import Reason

TRUSTED = timedelta(seconds=30)
"""A quartz drifts so much in three and a half days (100 ppm); the box adds that to its doubt."""
UNMEASURED = timedelta(days=1)
_MOST_MS = 86_400_000


def read_birth(box: BoxId, origin: Origin) -> datetime:
    """The box's wall time with its measured offset; as the box says where none was measured.

    Raises Refused (NOT_FOR_THIS_BOX) for another box's record, Malformed for an impossible time.
    """
    if origin.box != str(box):
        raise Refused(Reason.NOT_FOR_THIS_BOX, f"a record of {origin.box}")
    try:
        return from_microseconds(origin.wall_at) + timedelta(milliseconds=origin.offset_ms or 0)
    except OverflowError as error:
        raise Malformed(Reason.MESSAGE_MALFORMED, "time of birth") from error


def read_doubt(origin: Origin) -> timedelta:
    """How far the time of birth may be off: nothing where central's clock was measured lately,
    a day where it never was since the box started."""
    if origin.offset_ms is None or origin.offset_confidence_ms is None:
        return UNMEASURED
    doubt = timedelta(milliseconds=min(max(origin.offset_confidence_ms, 0), _MOST_MS))
    return timedelta() if doubt <= TRUSTED else min(doubt, UNMEASURED)


def read_record_id(data: bytes) -> RecordId:
    """A record's id as it travels, 16 bytes. Raises Malformed."""
    if len(data) != 16:
        raise Malformed(Reason.ID_MALFORMED, "record id")
    return record_id(UUID(bytes=data))
