"""A box as central knows it, and what is told of it when it joins. Pure values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from central.fleet.certificates import CertificateFacts
from central.fleet.states import BoxState
from shared.ids import BoxId

NO_DEVICE = "none"


@dataclass(frozen=True, slots=True)
class Box:
    """``number`` has 4 bytes and stands in the box's temporary codes.

    ``epoch`` and ``key_id`` are the ledger's and the signing key's of the machine that joined
    last; ``machine`` is its serial number.
    """

    id: BoxId
    number: int
    site_name: str
    counter: str
    state: BoxState
    epoch: int = 1
    key_id: int = 1
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box will stand, which machine it is, and what is plugged into it.

    Empty: a known box's counter, the site's known name, any machine. Devices are ``kind:path``,
    or ``none``.
    """

    id: BoxId
    counter: str = ""
    site_name: str = ""
    scanner: str = NO_DEVICE
    printer: str = NO_DEVICE
    machine: str = ""


@dataclass(frozen=True, slots=True)
class NewKeys:
    """The halves of a joining machine's keys that central keeps."""

    pair_key: bytes = field(repr=False)
    suite: int
    signing_public: bytes
    certificate: CertificateFacts


class Standing(NamedTuple):
    """Whether the broker is to let a box in, and which epoch of it the broker was told last (0:
    of none). A new epoch is another machine: the former one's session must end."""

    id: BoxId
    is_shut_out: bool
    epoch: int
    told_epoch: int


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A box's public signing key, and the suite it belongs to."""

    suite: int
    public: bytes


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate as central keeps it."""

    box: BoxId
    facts: CertificateFacts
    revoked_at: datetime | None
    revoked_why: str
