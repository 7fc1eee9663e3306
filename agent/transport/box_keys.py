"""Who the box is to central: its name and the keys that prove it."""

from typing import NamedTuple

from shared.crypto import SigningKey, VerifyKey
from shared.ids import BoxId
from shared.pairing import PairKey


class BoxKeys(NamedTuple):
    """A box's name, the pair key for what is sealed, the signing key for its rows."""

    box: BoxId
    pair_key: PairKey
    signing_key: SigningKey
    signing_key_id: int
    announcements: VerifyKey | None = None  # central's; None: nothing it signed is believed
