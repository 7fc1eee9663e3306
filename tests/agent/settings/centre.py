"""What central sends a box on ``desired``, signed by a key of the tests' own."""

from agent.config import BoxConfig, BrokerAddress
from shared.crypto import STD, SigningKey
from shared.desired import (
    BoxSettings,
    Desired,
    OperatorEntry,
    SignedDesired,
    build_body,
    desired_bytes,
    encode_desired,
)

KEY = STD.signing_key(bytes(range(1, 33)))
BOX = "site1/box1"
CONFIG = BoxConfig(
    box=BOX,
    counter="挂号1",
    site_name="示范医院",
    broker=BrokerAddress("localhost", 8883),
    central_public="00" * 32,
    code_keys={},
    announcements=KEY.public_bytes.hex(),
)
CLERK = OperatorEntry("u1", "王芳", "clerk", bytes(32), "$argon2id$")


def sign_body(body: bytes, key: SigningKey = KEY) -> bytes:
    """Any body, signed, as it comes opened from the line."""
    return encode_desired(SignedDesired(body, key.sign(desired_bytes(body))))


def announce(
    revision: int,
    settings: BoxSettings | None = None,
    *,
    box: str = BOX,
    operators: tuple[OperatorEntry, ...] = (),
    key: SigningKey = KEY,
) -> bytes:
    """A configuration as it comes opened from the line."""
    desired = Desired(box, revision, 1, settings or BoxSettings(), operators)
    return sign_body(build_body(desired), key)
