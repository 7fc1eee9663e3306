"""What central wants of a box, and what the box says of itself: configuration down, echo up.

``desired`` is signed by central, then sealed with the pair key, and retained on the box's topic;
central composes it from what is set for the site and for the box. ``reported`` is sealed and
retained too. Neither ever touches stored records.
"""

from typing import Annotated, Literal

import msgspec

from shared.devices import DeviceState
from shared.messages import MedicalStep
from shared.reasons import Reason

Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=60_000)]
Time = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)]
Device = Annotated[str, msgspec.Meta(pattern=r"^(none|[a-z][a-z0-9-]*:.{1,200})$")]
"""``kind:path`` as in ``central box invite``: serial:/dev/ttyACM0, usb:0a5f:00d1, none."""


class OperatorEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may sign in at the boxes of a site, with no network either."""

    id: str  # goes into records
    name: str  # as the page greets
    role: str  # central.users' word: clerk, technician, site-operator
    badge: bytes  # SHA-256 of the badge's text, whose 100 random bits need no salt
    pin: str  # Argon2id, PHC text
    language: Literal["zh", "en"] = "zh"


class BoxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that may be changed from afar; ``None`` leaves what ``box.toml`` says."""

    site_name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    counter: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    language: Literal["zh", "en"] | None = None  # the page's first language
    ask_deadline_ms: Milliseconds | None = None
    register_deadline_ms: Milliseconds | None = None
    again_seconds: Annotated[int, msgspec.Meta(ge=0, le=600)] | None = None
    idle_seconds: Annotated[int, msgspec.Meta(ge=30, le=86_400)] | None = None  # operator's sign-in
    medical_step: MedicalStep | None = None
    label: Literal["50x30"] | None = None
    scanner: Device | None = None
    printer: Device | None = None
    operators_required: bool | None = None  # issuing and unmasking need a signed-in operator


class Desired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One state of a box's configuration; a greater ``revision`` replaces a smaller one."""

    box: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    made_at: Time
    settings: BoxSettings
    operators: tuple[OperatorEntry, ...] = ()
    version: Literal[1] = 1


class SignedDesired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``body`` is a ``Desired`` as msgpack; ``signature`` by central's announcements key over
    ``desired_bytes``."""

    body: bytes
    signature: bytes


def desired_bytes(body: bytes) -> bytes:
    """What the signature of a ``SignedDesired`` covers."""
    return b"onecode desired\0" + body


class DeviceReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device by name and state."""

    name: str
    state: DeviceState
    conditions: tuple[str, ...] = ()


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a box says of itself."""

    box: str
    at: Time
    software: str  # the agent's version
    epoch: int
    created: int
    acknowledged: int
    pending: int
    tombstoned: int
    oldest_pending_at: Time | None
    scanner: DeviceReport
    printer: DeviceReport
    certificate_until: Time | None
    revision: int  # of the configuration at work; 0: only box.toml
    refused_revision: int | None = None
    refused_reason: Reason | None = None
    refused_detail: str = ""  # which setting; never a value
    version: Literal[1] = 1
