"""What a box keeps while it joins: one file for each state, below ``enrolment/`` (0700).

Each appears whole or not at all, sealed at rest like every secret. When a box has joined, only
``joined`` is left: the same invite again then gets the same answer.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.enrolment.states import DRAFTS, JoinState, read_state
from shared.clock import from_microseconds
from shared.config import read_secret, replace_secret
from shared.crypto import STD
from shared.errors import Malformed, Unavailable
from shared.joining import CentreAnswer, Invite, JoinAnswer, JoinRequest, Time
from shared.reasons import Reason

T = TypeVar("T")


class NewKeys(msgspec.Struct, frozen=True):
    """What was made here, and the one request that asks for it: asked again, it is the same."""

    tls_key: bytes  # PEM
    signing_key: bytes
    pair_key: bytes
    request: JoinRequest


class Answered(msgspec.Struct, frozen=True):
    """Central's answer, and how far the box's clock was ahead of central's then."""

    answer: JoinAnswer
    clock_ahead_ms: int


class Joined(msgspec.Struct, frozen=True):
    """As what a box has joined."""

    invite: bytes  # digest of its secret
    box: str
    site_name: str
    counter: str
    joined_at: Time  # central's time
    certificate_until: Time
    clock_ahead_ms: int  # how far the box's clock was ahead of central's

    @property
    def until(self) -> datetime:
        """The end of the certificate, aware UTC."""
        return from_microseconds(self.certificate_until)

    @property
    def clock_ahead(self) -> timedelta:
        """How far the box's clock was ahead of central's."""
        return timedelta(milliseconds=self.clock_ahead_ms)


class Drafts:
    """The drafts of one box. All raise Unavailable (disk) and Refused (KEY_SEALED, mode)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def state(self) -> JoinState:
        """How far it has come."""
        try:
            return read_state([path.name for path in self._directory.iterdir()])
        except FileNotFoundError:
            return JoinState.NEW
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(self._directory)) from error

    def keep(self, state: JoinState, draft: msgspec.Struct) -> None:
        """Reach a state: durable when this returns."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(self._directory)) from error
        replace_secret(self._path(state), msgspec.msgpack.encode(draft))

    def invite(self) -> Invite | None:
        """The invite that is being used; None when there is none."""
        return self._read(JoinState.INVITED, Invite) if self._has(JoinState.INVITED) else None

    def centre(self) -> CentreAnswer:
        """Who central is, as it was verified."""
        return self._read(JoinState.CENTRE_KNOWN, CentreAnswer)

    def keys(self) -> NewKeys:
        """The keys that were made."""
        return self._read(JoinState.KEYS_MADE, NewKeys)

    def answered(self) -> Answered:
        """Central's answer."""
        return self._read(JoinState.ANSWERED, Answered)

    def joined(self) -> Joined | None:
        """As what the box has joined; None when it has not, by an invite."""
        return self._read(JoinState.JOINED, Joined) if self._has(JoinState.JOINED) else None

    def clear(self, *, keep: JoinState | None = None) -> None:
        """Forget everything, or everything but one draft; the furthest goes first, so that what
        is left is always a state."""
        try:
            for state in reversed(DRAFTS):
                if state is not keep:
                    self._path(state).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(Reason.STORE_UNAVAILABLE, str(self._directory)) from error

    def _path(self, state: JoinState) -> Path:
        return self._directory / DRAFTS[state]

    def _has(self, state: JoinState) -> bool:
        return self._path(state).exists()

    def _read(self, state: JoinState, shape: type[T]) -> T:
        path = self._path(state)
        try:
            return msgspec.msgpack.decode(read_secret(path), type=shape)
        except msgspec.DecodeError as error:
            raise Malformed(Reason.CONFIG_MALFORMED, str(path)) from error


def invite_digest(invite: Invite) -> bytes:
    """What is remembered of a used invite."""
    return STD.digest(b"onecode invite\0" + invite.secret)
