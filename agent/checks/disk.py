"""Whether the disk has room for records, in bytes and in files, and takes what the agent writes."""

import os

from agent.checks.finding import Box, Finding, failed, held, warn
from agent.offline_queue.database import DISK_TROUBLES
from shared.errors import Unavailable
from shared.reasons import Reason

_TIGHT_BYTES = 500 << 20
_FULL_BYTES = 50 << 20
_TIGHT_FILES, _FULL_FILES = 1000, 50


async def look_at_disk(box: Box) -> list[Finding]:
    """``disk``: what is free where the queue lies; before all else, what a running agent cannot
    write there."""
    if box.silence is not None and box.silence.reason in DISK_TROUBLES:
        return [failed("disk", box.silence)]
    try:
        room = os.statvfs(box.files.directory)
    except OSError as error:
        return [failed("disk", Unavailable(Reason.STORE_UNAVAILABLE, str(error.strerror)))]
    free = room.f_bavail * room.f_frsize
    # Some file systems do not count files; then both are zero.
    files = room.f_favail if room.f_files else _TIGHT_FILES
    fact = f"{free >> 20} MiB, {files} files"
    if room.f_flag & os.ST_RDONLY:
        return [failed("disk", Unavailable(Reason.STORE_UNAVAILABLE, "read-only"))]
    if free < _FULL_BYTES or files < _FULL_FILES:
        return [failed("disk", Unavailable(Reason.DISK_FULL, fact))]
    if free < _TIGHT_BYTES or files < _TIGHT_FILES:
        return [warn("disk", Reason.DISK_TIGHT, fact)]
    return [held("disk", fact)]
