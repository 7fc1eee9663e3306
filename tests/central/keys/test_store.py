"""The key store's file: sealed by the passphrase alone, private, replaced at once."""

import stat
from pathlib import Path

import msgspec
import pytest

from central.keys.store import (
    create_key_store,
    new_contents,
    open_contents,
    read_key_store,
    renew_key,
    replace_key_store,
    seal_contents,
)
from shared.errors import Damaged, Refused, Unavailable
from shared.reasons import Reason

PASSPHRASE = b"correct horse battery staple"


def test_what_was_sealed_opens_with_its_passphrase_only() -> None:
    """The same contents come back; another passphrase is refused as locked."""
    contents = new_contents(7)
    sealed = seal_contents(contents, PASSPHRASE)
    assert open_contents(sealed, PASSPHRASE) == contents
    for wrong in (b"", PASSPHRASE + b"\n", b"Correct horse battery staple"):
        with pytest.raises(Refused) as caught:
            open_contents(sealed, wrong)
        assert caught.value.reason is Reason.KEYS_LOCKED


def test_a_store_from_before_announcements_opens_with_a_key_for_them() -> None:
    """The key comes out of what the old store has: the same at each opening, and no other's."""
    old = msgspec.structs.replace(new_contents(1), announcements=b"")
    sealed = seal_contents(old, PASSPHRASE)
    first, second = (open_contents(sealed, PASSPHRASE) for _ in range(2))
    assert first == second
    assert len(first.announcements) == 32
    assert first.announcements != first.code_signing
    assert msgspec.structs.replace(first, announcements=b"") == old


def test_no_key_stands_in_the_file_and_no_file_is_like_another() -> None:
    """Salt and nonce are fresh; none of the secrets is readable."""
    contents = new_contents(1)
    first, second = (seal_contents(contents, PASSPHRASE) for _ in range(2))
    assert first[:4] == second[:4]
    assert first[4:] != second[4:]
    for secret in (contents.roots[0].key, contents.columns, contents.tokens, contents.recipient):
        assert secret not in first


def test_scrypt_is_costly() -> None:
    """n is 2^15 at least, or passphrases could be tried too fast."""
    assert seal_contents(new_contents(1), PASSPHRASE)[1] >= 15


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 20, 40, -1])
def test_a_changed_byte_opens_nothing(place: int) -> None:
    """Header, salt, nonce and ciphertext are all authenticated; scrypt's cost is bounded."""
    sealed = bytearray(seal_contents(new_contents(1), PASSPHRASE))
    sealed[place] ^= 0x40
    with pytest.raises((Refused, Damaged)):
        open_contents(bytes(sealed), PASSPHRASE)


@pytest.mark.parametrize("length", [0, 1, 20, 32])
def test_half_a_file_is_damaged(length: int) -> None:
    """A truncated file is no wrong passphrase: a person must look."""
    sealed = seal_contents(new_contents(1), PASSPHRASE)
    with pytest.raises(Damaged):
        open_contents(sealed[:length], PASSPHRASE)


def test_the_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """Mode 0600 at birth; a second creation is refused; a wider mode is not read."""
    path = tmp_path / "keys.sealed"
    create_key_store(path, new_contents(1), PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Refused) as caught:
        create_key_store(path, new_contents(1), PASSPHRASE)
    assert caught.value.reason is Reason.ALREADY_EXISTS
    path.chmod(0o640)
    with pytest.raises(Refused):
        read_key_store(path, PASSPHRASE)
    with pytest.raises(Unavailable):
        read_key_store(tmp_path / "gone", PASSPHRASE)


def test_a_version_is_added_behind_the_others(tmp_path: Path) -> None:
    """Old versions stay: what they made is opened for ever."""
    path = tmp_path / "keys.sealed"
    contents = new_contents(1)
    create_key_store(path, contents, PASSPHRASE)
    newer, version = renew_key(contents, "root")
    assert version == 2
    replace_key_store(path, newer, PASSPHRASE)
    read = read_key_store(path, PASSPHRASE)
    assert read.roots[0] == contents.roots[0]
    assert [version.version for version in read.roots] == [1, 2]
    assert read.roots[1].key != read.roots[0].key
    assert [each.name for each in tmp_path.iterdir()] == ["keys.sealed"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
