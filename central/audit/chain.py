"""What a seal covers. Pure; the key is the caller's.

A seal is MAC(seal before ‖ position ‖ the row, each part with its length), the first one over 32
zero bytes. The head is a MAC of its own kind over the last position and seal: without the key
nobody makes the head of a shorter chain.
"""

from collections.abc import Callable
from typing import NamedTuple

Mac = Callable[[bytes], bytes]
"""A keyed MAC, 32 bytes."""

GENESIS = bytes(32)


class Act(NamedTuple):
    """One row of the audit; ``at`` is microseconds since 1970 UTC, ``facts`` the stored JSON."""

    seq: int
    at: int
    act: str
    subject: str
    actor: str
    facts: str


def build_seal(mac: Mac, before: bytes, position: int, act: Act) -> bytes:
    """The seal of ``act`` at ``position`` behind the seal ``before``."""
    parts = [act.seq.to_bytes(8, "big"), act.at.to_bytes(8, "big")]
    parts += [text.encode() for text in (act.act, act.subject, act.actor, act.facts)]
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return mac(b"seal\0" + before + position.to_bytes(8, "big") + framed)


def build_head(mac: Mac, position: int, seal: bytes) -> bytes:
    """The MAC of a chain that ends at ``position`` with ``seal``."""
    return mac(b"head\0" + position.to_bytes(8, "big") + seal)
