"""The soft key store: one file, sealed with a passphrase. Knows bytes and versions, no use of them.

File: form (1 byte), scrypt's log2 n, r, p (1 each), salt (16), nonce (12), ciphertext with tag.
The passphrase goes through scrypt (RFC 7914), the content is MessagePack under AES-256-GCM, and
the header is authenticated with it.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.config import read_secret, write_secret
from shared.crypto import KEY_BYTES, NONCE_BYTES, STD
from shared.ehc import MAX_EXTENSION_KID
from shared.errors import Damaged, NotAuthentic, Refused
from shared.reasons import Reason

_FORM = 1
_SALT_BYTES = 16
_HEADER_BYTES = 4 + _SALT_BYTES
_LOG2_N, _R, _P = 15, 8, 1
_MOST_LOG2_N = 20  # 1 GiB of memory: more is an attack on the machine that opens the file
_SM4_KEY_BYTES = 16


class VersionedKey(NamedTuple):
    """One version of a key that is replaced from time to time; the last one is active."""

    version: int
    key: bytes


class CodeSigningKey(NamedTuple):
    """A later key of the domain's codes: signs from ``from_at``, microseconds since 1970 UTC."""

    kid: int
    key: bytes
    from_at: int


class KeyContents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every secret of central."""

    roots: tuple[VersionedKey, ...]  # SM4: an ehc_id is for life and per root version
    protects: tuple[VersionedKey, ...]  # SM4: the validity of dynamic codes
    columns: bytes  # sealed columns, through HKDF by name
    tokens: bytes  # keyed tokens, through HKDF by purpose
    recipient: bytes  # X25519: bodies of records
    code_kid: int
    code_signing: bytes  # Ed25519: extensions of dynamic codes
    audit: bytes  # MAC of the audit's chain
    announcements: bytes = b""  # Ed25519: configuration, lists and the time, for boxes
    later_codes: tuple[CodeSigningKey, ...] = ()  # what follows ``code_signing``, by time


def new_contents(code_kid: int) -> KeyContents:
    """Fresh keys for a new centre; ``code_kid`` names its domain in signed codes."""
    return KeyContents(
        roots=(VersionedKey(1, os.urandom(_SM4_KEY_BYTES)),),
        protects=(VersionedKey(1, os.urandom(_SM4_KEY_BYTES)),),
        columns=os.urandom(KEY_BYTES),
        tokens=os.urandom(KEY_BYTES),
        recipient=STD.new_recipient_key().to_bytes(),
        code_kid=code_kid,
        code_signing=STD.new_signing_key().to_bytes(),
        audit=os.urandom(KEY_BYTES),
        announcements=STD.new_signing_key().to_bytes(),
    )


def renew_key(contents: KeyContents, name: str) -> tuple[KeyContents, int]:
    """A fresh active version of ``root`` or ``protect`` behind the former ones; its number."""
    versions = contents.roots if name == "root" else contents.protects
    fresh = VersionedKey(versions[-1].version + 1, os.urandom(_SM4_KEY_BYTES))
    renewed = {"root": "roots", "protect": "protects"}[name]
    return msgspec.structs.replace(contents, **{renewed: (*versions, fresh)}), fresh.version


def renew_code_key(
    contents: KeyContents, from_at: int, kid: int | None = None
) -> tuple[KeyContents, int]:
    """A fresh key for the domain's codes that signs from ``from_at``; its number, the next one
    where none is given. The former ones are kept: what they signed before is good.

    Raises Refused (KEY_TAKEN) for a number that was used, or when another key is still to come.
    """
    used = {contents.code_kid, *(key.kid for key in contents.later_codes)}
    kid = max(used) + 1 if kid is None else kid
    if kid in used or not 0 <= kid <= MAX_EXTENSION_KID:
        raise Refused(Reason.KEY_TAKEN, f"kid {kid}")
    if contents.later_codes and contents.later_codes[-1].from_at > from_at:
        raise Refused(Reason.KEY_TAKEN, f"kid {contents.later_codes[-1].kid} comes later")
    fresh = CodeSigningKey(kid, STD.new_signing_key().to_bytes(), from_at)
    later = (*contents.later_codes, fresh)
    return msgspec.structs.replace(contents, later_codes=later), kid


def seal_contents(contents: KeyContents, passphrase: bytes) -> bytes:
    """The file's bytes."""
    header = bytes([_FORM, _LOG2_N, _R, _P]) + os.urandom(_SALT_BYTES)
    nonce = os.urandom(NONCE_BYTES)
    plaintext = msgspec.msgpack.encode(contents)
    return header + nonce + STD.aead(_stretch(header, passphrase)).seal(nonce, plaintext, header)


def open_contents(sealed: bytes, passphrase: bytes) -> KeyContents:
    """The keys inside. Raises Refused (KEYS_LOCKED), Damaged for what is not a key store."""
    header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
    if len(rest) <= NONCE_BYTES or header[0] != _FORM or not 1 <= header[1] <= _MOST_LOG2_N:
        raise Damaged(Reason.STORE_DAMAGED, "not a key store")
    if header[2:4] != bytes([_R, _P]):
        raise Damaged(Reason.STORE_DAMAGED, "key store with foreign scrypt parameters")
    aead = STD.aead(_stretch(header, passphrase))
    try:
        plaintext = aead.open(rest[:NONCE_BYTES], rest[NONCE_BYTES:], header)
    except NotAuthentic as error:
        raise Refused(Reason.KEYS_LOCKED) from error
    try:
        return _upgrade(msgspec.msgpack.decode(plaintext, type=KeyContents))
    except msgspec.DecodeError as error:
        raise Damaged(Reason.STORE_DAMAGED, "key store of another version") from error


def create_key_store(path: Path, contents: KeyContents, passphrase: bytes) -> None:
    """Write a new key store, mode 0600. Raises Refused (ALREADY_EXISTS)."""
    write_secret(path, seal_contents(contents, passphrase))


def replace_key_store(path: Path, contents: KeyContents, passphrase: bytes) -> None:
    """Put new contents in the place of the old at once; a power cut leaves one of the two."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    write_secret(fresh, seal_contents(contents, passphrase))
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_key_store(path: Path, passphrase: bytes) -> KeyContents:
    """Open the file. Raises Unavailable, Refused (mode, KEYS_LOCKED), Damaged."""
    return open_contents(read_secret(path), passphrase)


def _upgrade(contents: KeyContents) -> KeyContents:
    """What an older store lacks comes out of what it has: every process that opens the file knows
    the same key, and none needs to write it."""
    if contents.announcements:
        return contents
    announcements = STD.derive(contents.code_signing, b"onecode announcements key")
    return msgspec.structs.replace(contents, announcements=announcements)


def _stretch(header: bytes, passphrase: bytes) -> bytes:
    scrypt = Scrypt(header[4:], KEY_BYTES, n=1 << header[1], r=header[2], p=header[3])
    return scrypt.derive(passphrase)
