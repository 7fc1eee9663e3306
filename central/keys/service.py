"""Central's keys in use: tokens, sealed columns, the national derivation, signatures of codes.

The only place that derives or opens. It holds the keys in memory and shows none of them; what a
value means is the business of the feature that calls. Safe to use from several threads.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from central.keys.selftest import GOLDEN, GoldenVector, self_test
from central.keys.store import CodeSigningKey, KeyContents, VersionedKey, read_key_store
from shared.clock import to_microseconds
from shared.crypto import NONCE_BYTES, STD, Aead, SigningKey
from shared.ehc import (
    DynamicCode,
    Extension,
    ProtectKey,
    RootKey,
    sign_extension,
    verify_extension,
)
from shared.errors import Damaged, NotAuthentic
from shared.ids import BoxId
from shared.lists import CodeKey
from shared.reasons import Reason
from shared.sealing import unwrap_body_key, unwrap_file_key, unwrap_pair_key

_NONCE_BYTES = 4  # of a code's extension


class Derived(NamedTuple):
    """A person's national quantities; ``ehc_id`` belongs to ``root_version``."""

    mindex_id: str
    ehc_id: str
    root_version: int


class CheckValue(NamedTuple):
    """A key named without being shown: the start of a MAC under it."""

    name: str
    version: int
    check: str
    active: bool


class Keys:
    """Every use of central's keys. Made by ``open_keys``."""

    def __init__(self, contents: KeyContents) -> None:
        self._contents = contents
        self._recipient = STD.recipient_key(contents.recipient)
        first = CodeSigningKey(contents.code_kid, contents.code_signing, 0)
        self._code_signing = [
            (key.kid, STD.signing_key(key.key), key.from_at)
            for key in (first, *contents.later_codes)
        ]
        self._announcements = STD.signing_key(contents.announcements)
        self._derived: dict[tuple[str, str], bytes] = {}
        self._columns: dict[str, Aead] = {}

    # --- tokens and sealed columns ---------------------------------------------------------------

    def token(self, purpose: str, value: str) -> bytes:
        """32 bytes by which ``value`` is found again; each purpose is a domain of its own."""
        return STD.mac(self._subkey("token", purpose), value.encode())

    def seal(self, column: str, value: str) -> bytes:
        """``value`` sealed for one column: suite (1), nonce (12), ciphertext with tag.

        The nonce is random: 2^32 values a column are below the bound of SP 800-38D §8.3.
        """
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._column(column).seal(nonce, value.encode(), column.encode())
        return bytes([STD.id]) + nonce + sealed

    def open(self, column: str, sealed: bytes) -> str:
        """The value in a sealed column. Raises Damaged (SEAL_BROKEN)."""
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] != bytes([STD.id]):
            raise Damaged(Reason.SEAL_BROKEN, column)
        try:
            return self._column(column).open(nonce, ciphertext, column.encode()).decode()
        except NotAuthentic as error:
            raise Damaged(Reason.SEAL_BROKEN, column) from error

    # --- the national code -----------------------------------------------------------------------

    def derive(self, document_type: str, number: str, name: str) -> Derived:
        """The national quantities under the active root key. Raises Malformed."""
        root = self._contents.roots[-1]
        found = RootKey(root.key).derive(document_type, number, name)
        return Derived(found.mindex_id, found.ehc_id, root.version)

    def build_validity(self, at: datetime) -> str:
        """The validity of a dynamic code issued ``at``, under the active protection key."""
        return ProtectKey(self._contents.protects[-1].key).build_validity(at)

    def open_validity(self, validity: str) -> datetime | None:
        """The time inside a validity of any of our versions; None when it is not ours."""
        for protect in reversed(self._contents.protects):
            if at := ProtectKey(protect.key).open_validity(validity):
                return at
        return None

    # --- signed codes ----------------------------------------------------------------------------

    @property
    def code_keys(self) -> dict[int, bytes]:
        """Public code keys by kid, former ones and such that are still to come: what a box needs
        to judge alone."""
        return {kid: key.public_bytes for kid, key, _ in self._code_signing}

    def list_code_keys(self) -> tuple[CodeKey, ...]:
        """The same with the time in which each signs: from one key's start to the next one's."""
        ends = [start for _, _, start in self._code_signing[1:]]
        return tuple(
            CodeKey(kid, key.public_bytes, start, end)
            for (kid, key, start), end in zip(self._code_signing, [*ends, None], strict=True)
        )

    def code_kid(self, at: datetime) -> int:
        """The number of the key that signs our domain's codes at a time."""
        return self._code_key(at)[0]

    def sign_extension(self, code: DynamicCode, at: datetime, ttl_seconds: int) -> DynamicCode:
        """The code with our signed extension for it. Raises Malformed."""
        kid, key = self._code_key(at)
        return sign_extension(
            key,
            code,
            kid=kid,
            nonce=os.urandom(_NONCE_BYTES),
            issued_at=at,
            ttl_seconds=ttl_seconds,
        )

    def _code_key(self, at: datetime) -> tuple[int, SigningKey]:
        moment = to_microseconds(at)
        kid, key, _ = next(
            each for each in reversed(self._code_signing) if each[2] <= moment or each[2] == 0
        )
        return kid, key

    def verify_extension(self, code: DynamicCode) -> bool:
        """Whether the code's extension was signed here for this very code."""
        extension = code.extension
        public = self.code_keys.get(extension.kid) if isinstance(extension, Extension) else None
        if public is None:
            return False
        try:
            verify_extension(STD.verify_key(public), code)
        except NotAuthentic:
            return False
        return True

    # --- lists for boxes --------------------------------------------------------------------------

    @property
    def list_key(self) -> bytes:
        """What boxes make the tokens of listed cards with; of no use for any token of ours."""
        return self._subkey("list", "cards")

    # --- boxes ------------------------------------------------------------------------------------

    @property
    def announcements_public(self) -> bytes:
        """The Ed25519 key by which boxes believe configuration, lists and the time."""
        return self._announcements.public_bytes

    def sign_announcement(self, data: bytes) -> bytes:
        """Sign what boxes believe of central. ``data`` begins with its purpose and a zero byte."""
        return self._announcements.sign(data)

    def pair_key(self, signing_public: bytes, wrapped: bytes) -> bytes:
        """The pair key that a joining box sealed to central, 32 bytes.

        Raises NotAuthentic, also for another box's signing key; Malformed.
        """
        return unwrap_pair_key(self._recipient, signing_public, wrapped)

    # --- records, audit --------------------------------------------------------------------------

    @property
    def central_public(self) -> bytes:
        """The public key that record bodies are sealed to (X25519)."""
        return self._recipient.public_bytes

    def body_key(self, box: BoxId, wrapped: bytes) -> bytes:
        """The body key inside a box's encapsulation. Raises NotAuthentic."""
        return unwrap_body_key(self._recipient, box, wrapped)

    def queue_file_key(self, box: BoxId, wrapped: bytes) -> bytes:
        """The key inside a box's queue file. Raises NotAuthentic."""
        return unwrap_file_key(self._recipient, box, wrapped)

    def audit_mac(self, data: bytes) -> bytes:
        """The MAC that chains the audit, 32 bytes."""
        return STD.mac(self._contents.audit, data)

    def check_values(self, at: datetime) -> list[CheckValue]:
        """All keys with their versions, each named by a value that tells nothing of it; which of
        each is at work at a time."""
        contents = self._contents
        secrets = {
            "root": contents.roots,
            "protect": contents.protects,
            "columns": (VersionedKey(1, contents.columns),),
            "tokens": (VersionedKey(1, contents.tokens),),
            "recipient": (VersionedKey(1, contents.recipient),),
            "code": (
                VersionedKey(contents.code_kid, contents.code_signing),
                *(VersionedKey(key.kid, key.key) for key in contents.later_codes),
            ),
            "audit": (VersionedKey(1, contents.audit),),
            "announcements": (VersionedKey(1, contents.announcements),),
        }
        code = self.code_kid(at)
        return [
            CheckValue(
                name,
                key.version,
                _check(key.key),
                key.version == code if name == "code" else key == versions[-1],
            )
            for name, versions in secrets.items()
            for key in versions
        ]

    def _column(self, column: str) -> Aead:
        aead = self._columns.get(column)
        if aead is None:
            aead = self._columns[column] = STD.aead(self._subkey("column", column))
        return aead

    def _subkey(self, family: str, name: str) -> bytes:
        key = self._derived.get((family, name))
        if key is None:
            secret = self._contents.columns if family == "column" else self._contents.tokens
            key = STD.derive(secret, f"onecode {family} {name}".encode())
            self._derived[family, name] = key
        return key


def open_keys(path: Path, passphrase: bytes, golden: GoldenVector = GOLDEN) -> Keys:
    """Open the key store and prove the algorithms before any use.

    Raises Unavailable, Refused (KEYS_LOCKED, mode), Damaged (also KEYS_SELF_TEST).
    """
    self_test(golden)
    return Keys(read_key_store(path, passphrase))


def _check(key: bytes) -> str:
    return STD.mac(key, b"onecode check value")[:4].hex().upper()
