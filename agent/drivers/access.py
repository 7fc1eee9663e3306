"""Why a device may not be opened, from the system's error number: one table for every driver."""

import errno

from shared.errors import Unavailable
from shared.reasons import Reason

RULES = "70-onecode.rules"

DENIED = frozenset({Reason.DEVICE_RULE_MISSING, Reason.DEVICE_IN_USE})
"""The device is there, and not ours to open."""

_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_TAKEN = frozenset({errno.EBUSY, errno.EAGAIN})
"""Another program has grabbed it, or holds its lock."""


def explain(number: int | None, what: str, group: str) -> Unavailable:
    """The error for ``what``; ``group`` is whom the rule gives it to. Anything but a right or a
    lock means that the device is gone."""
    if number in _NO_RIGHT:
        detail = f"{what}: udev rule {RULES} and group {group}"
        return Unavailable(Reason.DEVICE_RULE_MISSING, detail)
    if number in _TAKEN:
        return Unavailable(Reason.DEVICE_IN_USE, what)
    name = errno.errorcode.get(number or 0, "gone")
    return Unavailable(Reason.DEVICE_ABSENT, f"{what}: {name}")
