"""Who is paired with this box: names, and their tokens as hashes, in one file of mode 0600.

Reading and writing block; the hashes are looked up in memory.
"""

import hashlib
import secrets
from datetime import datetime
from pathlib import Path

import msgspec

from shared.config import read_secret, replace_secret
from shared.errors import Damaged, Refused
from shared.reasons import Reason

MOST_WORKSTATIONS = 16
LONGEST_NAME = 40


class Workstation(msgspec.Struct, frozen=True):
    """One pairing. ``digest`` is the SHA-256 of its token, which nobody here knows."""

    id: str
    name: str
    paired_at: datetime
    digest: bytes

    def __repr__(self) -> str:
        return f"Workstation({self.id})"


class Workstations:
    """All pairings of a box. What is changed is durable before it holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_digest: dict[bytes, Workstation] = {}

    def load(self) -> None:
        """Read the file, if there is one. Raises Damaged; Refused for one that others may read."""
        if not self._path.exists():
            return
        try:
            kept = msgspec.json.decode(read_secret(self._path), type=list[Workstation])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Damaged(Reason.STORE_DAMAGED, str(self._path)) from error
        self._by_digest = {each.digest: each for each in kept}

    def __len__(self) -> int:
        return len(self._by_digest)

    def list(self) -> list[Workstation]:
        """In the order they were paired."""
        return list(self._by_digest.values())

    def find(self, token: str) -> Workstation | None:
        """Whose token this is. Looked up by its hash: the time it takes tells nothing."""
        return self._by_digest.get(_digest(token))

    def check_room(self) -> None:
        """Raises Refused (WORKSTATIONS_FULL)."""
        if len(self) >= MOST_WORKSTATIONS:
            raise Refused(Reason.WORKSTATIONS_FULL)

    def add(self, name: str, at: datetime) -> tuple[Workstation, str]:
        """Pair one more; it and its token, told only now. Raises Refused, Unavailable."""
        self.check_room()
        token = secrets.token_urlsafe(32)
        added = Workstation(secrets.token_hex(8), _clean(name), at, _digest(token))
        self._keep({**self._by_digest, added.digest: added})
        return added, token

    def remove(self, workstation_id: str) -> None:
        """End a pairing. Raises Refused (NOT_FOUND), Unavailable."""
        kept = {
            digest: each for digest, each in self._by_digest.items() if each.id != workstation_id
        }
        if len(kept) == len(self._by_digest):
            raise Refused(Reason.NOT_FOUND, "no such workstation")
        self._keep(kept)

    def _keep(self, wanted: dict[bytes, Workstation]) -> None:
        replace_secret(self._path, msgspec.json.encode(list(wanted.values())))
        self._by_digest = wanted


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def _clean(name: str) -> str:
    """What a stranger calls itself, fit to be read."""
    printable = "".join(each for each in name if each.isprintable()).strip()
    return printable[:LONGEST_NAME] or "?"
