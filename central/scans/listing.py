"""Scans as they are looked at: lists, newest first, and one by its id. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from central.scans import listing_store as store
from central.scans.listing_store import KeptScan
from shared.clock import to_microseconds
from shared.errors import Refused
from shared.ids import BoxId, RecordId
from shared.messages import Verdict
from shared.reasons import Reason

_MILLISECOND = 1000
_LARGEST_MILLISECONDS = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which scans: at a site, at a box, of a verdict, born from ``since`` on and before ``until``
    as the box's clock had it when the scan got its id."""

    site: str | None = None
    box: str | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    until: datetime | None = None


class ScanList:
    """Reads scans."""

    def list(self, wanted: ScanFilter, before: bytes | None, limit: int) -> Sequence[KeptScan]:
        """The newest that are ``wanted``; ``before`` is the ``key`` of the last one of the page
        before."""
        selection = store.Selection(
            wanted.site,
            wanted.box,
            wanted.verdict,
            None if wanted.since is None else _first_id(wanted.since),
            None if wanted.until is None else _first_id(wanted.until),
        )
        return store.list_scans(selection, before, limit)

    def read(self, box: BoxId, id: RecordId) -> KeptScan:
        """One scan. Raises Refused (NOT_FOUND)."""
        found = store.find_scan(id.bytes, str(box))
        if found is None:
            raise Refused(Reason.NOT_FOUND, "scan")
        return found


def _first_id(at: datetime) -> bytes:
    """Where the UUIDv7s of a time begin (RFC 9562 §5.7: 48 bits of milliseconds first)."""
    milliseconds = min(max(to_microseconds(at) // _MILLISECOND, 0), _LARGEST_MILLISECONDS)
    return milliseconds.to_bytes(6, "big") + bytes(10)
