"""How a box joins, renews and learns the time: the invite's text and what goes over central's
listener for boxes (HTTPS, 8443). One definition of each; JSON by msgspec, bytes as base64.

An invite names central and the authority to believe, so that nothing before the first answer has
to be trusted (CONTRACTS §3). The keys are made on the box; only their public halves travel, but
for the pair key, which the box seals to central.
"""

import base64
import re
from datetime import datetime
from typing import Annotated

import msgspec

from shared.clock import from_microseconds
from shared.crypto import STD
from shared.desired import SignedDesired
from shared.errors import Malformed
from shared.reasons import Reason

SECRET_BYTES = 16
FINGERPRINT_BYTES = 32
_CHECK_BYTES = 4
_PREFIX = "ONECODE1"
"""Neither the national grammar nor a temporary code's: a scanner may read it at any box."""
_GROUP = 5
_SHAPE = re.compile(r"[A-Z2-7]+")

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Time = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000_000)]


class Invite(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A one-time leave to join, and what is expected of whoever uses it."""

    secret: Annotated[bytes, msgspec.Meta(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]
    ca_fingerprint: Bytes32  # SHA-256 of the boxes' authority, DER
    host: str
    port: int
    expires_at: Time
    box: str  # <site>/<box>
    counter: str
    serial: str = ""  # the machine's serial number; empty: any machine

    @property
    def expires(self) -> datetime:
        """The end of the invite, aware UTC."""
        return from_microseconds(self.expires_at)


def build_invite(invite: Invite) -> str:
    """The text that is shown, scanned or typed: capitals and digits, hyphens between groups.

    A check value at its end tells a typing error from a refused invite.
    """
    body = msgspec.msgpack.encode(invite)
    text = base64.b32encode(body + _check(body)).decode().rstrip("=")
    groups = (text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
    return "-".join((_PREFIX, *groups))


def is_invite(text: str) -> bool:
    """Whether a scanned text claims to be an invite."""
    return text.lstrip().upper().startswith(_PREFIX)


def parse_invite(text: str) -> Invite:
    """Read an invite, however it is spaced or cased. Raises Malformed (INVITE_MALFORMED)."""
    packed = re.sub(r"[\s-]", "", text).upper().removeprefix(_PREFIX)
    if not is_invite(text) or not _SHAPE.fullmatch(packed):
        raise Malformed(Reason.INVITE_MALFORMED)
    try:
        data = base64.b32decode(packed + "=" * (-len(packed) % 8))
        body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
        if check != _check(body):
            raise Malformed(Reason.INVITE_MALFORMED, "check value")
        return msgspec.msgpack.decode(body, type=Invite)
    except (ValueError, msgspec.DecodeError) as error:
        raise Malformed(Reason.INVITE_MALFORMED) from error


def _check(body: bytes) -> bytes:
    return STD.digest(body)[:_CHECK_BYTES]


# --- what goes over the listener -----------------------------------------------------------------
#
#   GET  /box/v1/centre           CentreAnswer     who central is; compared with the invite
#   GET  /box/v1/time?nonce=HEX   TimeAnswer       signed by central; the nonce is the box's
#   POST /box/v1/join             JoinRequest  →   JoinAnswer
#   POST /box/v1/renew            RenewRequest →   RenewAnswer
#
# Refusals are problem+json with our reason, as everywhere.


class CentreAnswer(msgspec.Struct, frozen=True):
    """Who central is: the boxes' authority, and the keys a box believes from now on."""

    ca: str  # PEM; its fingerprint is in the invite
    central_public: Bytes32  # X25519: record bodies and the pair key are sealed to it
    announcements: Bytes32  # Ed25519: signs configuration, lists and the time


class TimeAnswer(msgspec.Struct, frozen=True):
    """Central's time for whoever sent ``nonce`` (16 bytes). ``signature`` by the announcements
    key over ``time_bytes``."""

    nonce: bytes
    central_at: Time
    signature: bytes


def time_bytes(nonce: bytes, central_at: int) -> bytes:
    """What the signature of a ``TimeAnswer`` covers."""
    return b"onecode time\0" + nonce + central_at.to_bytes(8, "big")


class JoinRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Use an invite. The same request again, from the same key, gets the same answer."""

    secret: bytes  # the invite's
    serial: str  # of the machine
    csr: str  # PEM, PKCS #10, P-256; its subject is ignored, the invite names the box
    signing_public: Bytes32  # Ed25519: the box's rows
    pair_key: bytes  # 32 bytes sealed to central: shared.sealing.wrap_pair_key


class JoinAnswer(msgspec.Struct, frozen=True):
    """Everything ``box.toml`` needs that the box did not make itself."""

    box: str
    counter: str
    site_name: str
    certificate: str  # PEM
    broker_host: str
    broker_port: int
    signing_key_id: int
    epoch: int
    code_keys: dict[str, str]  # kid → Ed25519 in hex
    desired: SignedDesired | None  # the first configuration
    central_at: Time
    number: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0  # in the box's temporary codes


class RenewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new certificate by proof of the old key, before its end or after it.

    ``proof`` is ECDSA-SHA256 (DER) with the old certificate's key over ``renew_bytes``.
    """

    box: str
    serial: str  # of the old certificate, hex
    csr: str
    central_at: Time  # central's time as the box last learnt it; at most minutes old
    proof: bytes


def renew_bytes(box: str, serial: str, csr: str, central_at: int) -> bytes:
    """What the proof of a ``RenewRequest`` covers."""
    parts = (b"onecode renew", box.encode(), serial.encode(), csr.encode())
    return b"\0".join(parts) + central_at.to_bytes(8, "big")


class RenewAnswer(msgspec.Struct, frozen=True):
    """The new certificate."""

    certificate: str
    central_at: Time
