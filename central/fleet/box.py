"""A box as central knows it, and what is told of it when it joins. Pure values."""

from dataclasses import dataclass, field

from central.fleet.certificates import CertificateFacts
from central.fleet.states import BoxState
from shared.ids import BoxId


@dataclass(frozen=True, slots=True)
class Box:
    """``number`` has 4 bytes and stands in the box's temporary codes."""

    id: BoxId
    number: int
    site_name: str
    counter: str
    state: BoxState


@dataclass(frozen=True, slots=True)
class Joining:
    """A new box: where it stands, and the halves of its keys that central keeps."""

    id: BoxId
    site_name: str  # empty: the site's known name
    counter: str
    pair_key: bytes = field(repr=False)
    key_id: int
    suite: int
    public: bytes
    certificate: CertificateFacts


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A box's public signing key, and the suite it belongs to."""

    suite: int
    public: bytes
