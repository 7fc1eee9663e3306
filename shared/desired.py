"""What central wants of a box, and what the box says of itself: configuration down, echo up.

``desired`` is signed by central, then sealed with the pair key, and retained on the box's topic;
central composes it from what is set for the site and for the box. ``reported`` is sealed and
retained too. Neither ever touches stored records.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from shared.codec import Codec
from shared.devices import DeviceState
from shared.errors import Malformed, Refused
from shared.lease import LeaseStep
from shared.messages import MedicalStep
from shared.reasons import Reason

Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=60_000)]
Time = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
"""With what is added to it, a database column holds it: a box that says more is not believed."""
Device = Annotated[str, msgspec.Meta(pattern=r"^(none|auto|[a-z][a-z0-9-]*:.{1,200})$")]
"""``kind:path`` as in ``central box invite``: serial:/dev/ttyACM0, usb:0a5f:00d1, auto, none."""
SCANNER_KINDS = ("auto", "serial", "hid", "hid-pos", "none")
PRINTER_KINDS = ("auto", "usb", "simulated", "none")
"""What a box has drivers for."""


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
    label: Literal["50x30", "51x25", "25x279"] | None = None  # media, mm
    scanner: Device | None = None
    printer: Device | None = None
    operators_required: bool | None = None  # issuing and unmasking need a signed-in operator


class BoxKeyEntry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What verifies the temporary codes of a box: its number in them, its key's number, its key."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=1 << 32)]
    kid: Annotated[int, msgspec.Meta(ge=0, lt=1 << 8)]
    public: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]  # Ed25519


class Desired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One state of a box's configuration; a greater ``revision`` replaces a smaller one."""

    box: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    made_at: Time
    settings: BoxSettings
    operators: tuple[OperatorEntry, ...] = ()
    version: Literal[1] = 1
    number: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0  # in the box's temporary codes
    boxes: tuple[BoxKeyEntry, ...] = ()  # of the site, whose temporary codes are good here


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


class RefusedDesired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A configuration that the box did not take; the one before it stays at work."""

    revision: Count  # 0: it could not be read so far
    reason: Reason
    setting: str = ""  # which one; never a value


class LeaseReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a box may still go alone."""

    step: LeaseStep
    reason: Reason | None  # why less than everything is allowed
    seconds_left: Count | None  # until the next step; None: there is none
    revision: Count  # of the lease; 0: none has come
    issued_at: Time | None


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a box says of itself."""

    box: str
    at: Time
    software: str  # the agent's version
    epoch: Count
    created: Count
    acknowledged: Count
    pending: Count
    tombstoned: Count
    oldest_pending_at: Time | None
    scanner: DeviceReport
    printer: DeviceReport
    certificate_until: Time | None
    revision: Count  # of the configuration at work; 0: only box.toml
    refused: RefusedDesired | None = None
    version: Literal[1] = 1
    lease: LeaseReport | None = None
    lost: Count = 0  # rows that went with a damaged file of the queue, of those that were created


class _Version(msgspec.Struct, frozen=True):
    version: int


class _Revision(msgspec.Struct, frozen=True):
    revision: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


reports: Codec[Reported] = Codec(Reported)

_signed: Codec[SignedDesired] = Codec(SignedDesired)
_desired = msgspec.msgpack.Decoder(Desired)
_version = msgspec.msgpack.Decoder(_Version)
_revision = msgspec.msgpack.Decoder(_Revision)
_encode = msgspec.msgpack.Encoder().encode
_UNKNOWN = re.compile(r"unknown field `([^`]{1,64})`")
_PLACE = re.compile(r"at `\$((?:\.\w+|\[[^]]*\])+)`$")
_USB = re.compile(r"[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})?")


def encode_desired(signed: SignedDesired) -> bytes:
    """The plaintext of a message on ``desired``."""
    return _encode(signed)


def decode_signed(plaintext: bytes) -> SignedDesired:
    """The inverse of ``encode_desired``. Raises Malformed (MESSAGE_MALFORMED)."""
    return _signed.decode(plaintext)


def build_body(desired: Desired) -> bytes:
    """The one byte form of a ``Desired``: what is signed."""
    return _encode(desired)


def parse_body(body: bytes) -> Desired:
    """Read what a verified ``SignedDesired`` holds.

    Raises Malformed (SETTING_UNKNOWN, SETTING_IMPOSSIBLE, MESSAGE_MALFORMED), its detail naming
    the setting and never a value; Refused (SCHEMA_UNKNOWN) for a version of the future.
    """
    try:
        desired = _desired.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _is_of_the_future(body):
            raise Refused(Reason.SCHEMA_UNKNOWN) from error
        raise _which(error) from error
    check_settings(desired.settings)
    return desired


def peek_revision(plaintext: bytes) -> int:
    """The revision that an unverified message claims, to name it in a refusal; 0 if none."""
    try:
        return _revision.decode(decode_signed(plaintext).body).revision
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Refused):
        return 0


def parse_settings(values: Mapping[str, Any]) -> BoxSettings:
    """Settings from words and numbers as a person or an API gives them; numbers may be text.

    Raises Malformed (SETTING_UNKNOWN, SETTING_IMPOSSIBLE), its detail naming the setting.
    """
    try:
        settings = msgspec.convert(values, BoxSettings, strict=False)
    except msgspec.ValidationError as error:
        raise _which(error) from error
    check_settings(settings)
    return settings


def check_settings(settings: BoxSettings) -> None:
    """What the types cannot say. Raises Malformed (SETTING_IMPOSSIBLE), naming the setting."""
    for name in ("site_name", "counter"):
        text = getattr(settings, name)
        if text is not None and not (text.strip() and text.isprintable()):
            raise Malformed(Reason.SETTING_IMPOSSIBLE, name)
    if _kind(settings.scanner) not in SCANNER_KINDS:
        raise Malformed(Reason.SETTING_IMPOSSIBLE, "scanner")
    kind, path = _kind(settings.printer), (settings.printer or "").partition(":")[2]
    if kind not in PRINTER_KINDS or (kind == "usb" and not _USB.fullmatch(path)):
        raise Malformed(Reason.SETTING_IMPOSSIBLE, "printer")


def merge_settings(base: BoxSettings, over: BoxSettings) -> BoxSettings:
    """``over`` where it says anything, else ``base``."""
    said = {
        name: value for name, value in msgspec.structs.asdict(over).items() if value is not None
    }
    return msgspec.structs.replace(base, **said)


def _kind(device: str | None) -> str:
    return (device or "none").partition(":")[0]


def _is_of_the_future(body: bytes) -> bool:
    try:
        return bool(_version.decode(body).version > 1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _which(error: Exception) -> Malformed:
    """Which setting an error of msgspec is about; its text may hold the value, so only names."""
    text = str(error)
    if unknown := _UNKNOWN.search(text):
        return Malformed(Reason.SETTING_UNKNOWN, unknown[1])
    if place := _PLACE.search(text):
        return Malformed(Reason.SETTING_IMPOSSIBLE, place[1].removeprefix(".settings").strip("."))
    return Malformed(Reason.MESSAGE_MALFORMED)
