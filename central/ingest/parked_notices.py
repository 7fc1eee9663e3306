"""What a box is told of its rows that central keeps and cannot read yet, and of those it read at
last: once a day for each cause, however many they are. Nothing is for the counter to do.
"""

from datetime import datetime

import msgspec

from central.notices.service import Notices
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.ids import BoxId
from shared.notices import NoticeKind, new_notice
from shared.reasons import Reason

_DAY = 86_400_000_000
_MILLISECOND = 1000


class ParkedNotices:
    """Posts them, in the unit of work that parks or replays a row."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def parked(self, box: BoxId, id: bytes, reason: Reason, at: datetime) -> None:
        """A row is in custody, and waits for somebody at central."""
        words = reason.words
        zh = f"有记录已安全存在中心，还没能处理：{words.zh}。窗口不用做什么，中心会处理"
        en = f"Records are safe at central and not used yet: {words.en}. Central sees to it"
        self._post(NoticeKind.ROW_PARKED, box, id, at, (zh, en), reason)

    def replayed(self, box: BoxId, id: bytes, at: datetime) -> None:
        """A row that waited was read."""
        told = ("先前没能处理的记录，中心已经处理", "Records that waited at central have been used")
        self._post(NoticeKind.ROW_REPLAYED, box, id, at, told, None)

    def _post(  # noqa: PLR0913, PLR0917 - what is told, of what
        self,
        kind: NoticeKind,
        box: BoxId,
        id: bytes,
        at: datetime,
        told: tuple[str, str],
        reason: Reason | None,
    ) -> None:
        notice = new_notice(kind, at, zh=told[0], en=told[1], reason=reason, record=id)
        same = _id_of_the_day(f"{kind} {reason} {box}", at)
        self._notices.post(box, msgspec.structs.replace(notice, id=same))


def _id_of_the_day(what: str, at: datetime) -> bytes:
    """A UUIDv7 (RFC 9562 §5.7) of the day's first millisecond, the same for the same words."""
    milliseconds = to_microseconds(at) // _DAY * _DAY // _MILLISECOND
    id = bytearray(milliseconds.to_bytes(6) + STD.digest(what.encode())[:10])
    id[6] = id[6] & 0x0F | 0x70
    id[8] = id[8] & 0x3F | 0x80
    return bytes(id)
