"""Secrets under the service manager's key: read back with it, of no use without it."""

import os
from pathlib import Path

import pytest

from shared.at_rest import CREDENTIAL, is_sealed
from shared.config import read_secret, replace_secret, write_secret
from shared.errors import Malformed, NotAuthentic, Refused
from shared.reasons import Reason

SECRET = b"a secret that must not lie open"


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service manager's directory of credentials."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    path = directory / CREDENTIAL
    path.write_bytes(os.urandom(32))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return path


def test_a_secret_is_sealed_and_read_back(tmp_path: Path, credential: Path) -> None:
    """The file holds none of it; both doors write so, one of them over an old one."""
    path = tmp_path / "pair.key"
    write_secret(path, SECRET)
    assert is_sealed(path.read_bytes())
    assert SECRET not in path.read_bytes()
    assert read_secret(path) == SECRET
    replace_secret(path, SECRET * 2)
    assert is_sealed(path.read_bytes())
    assert read_secret(path) == SECRET * 2


def test_what_lay_open_before_is_read(
    tmp_path: Path, credential: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box that came to systemd later; and what may lie open is left so."""
    path, token = tmp_path / "pair.key", tmp_path / "api.token"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    write_secret(path, SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credential.parent))
    assert read_secret(path) == SECRET
    write_secret(token, b"token", sealed=False)
    assert token.read_bytes() == b"token"


def test_without_the_key_it_says_so(
    tmp_path: Path, credential: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copied disk, or a command line outside the service: a reason, never garbage."""
    path = tmp_path / "pair.key"
    write_secret(path, SECRET)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(Refused) as refusal:
        read_secret(path)
    assert refusal.value.reason is Reason.KEY_SEALED
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))  # other credentials, not ours
    with pytest.raises(Refused):
        read_secret(path)


def test_another_key_or_file_opens_nothing(tmp_path: Path, credential: Path) -> None:
    """A secret is bound to its file's name, whole, and to one machine's key."""
    path, other = tmp_path / "pair.key", tmp_path / "signing.key"
    write_secret(path, SECRET)
    content = path.read_bytes()
    replace_secret(other, b"x")
    other.write_bytes(content)
    with pytest.raises(NotAuthentic):
        read_secret(other)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(NotAuthentic):
        read_secret(path)
    path.write_bytes(content[:12])
    with pytest.raises(Malformed):
        read_secret(path)
    path.write_bytes(content)
    credential.write_bytes(os.urandom(32))
    with pytest.raises(NotAuthentic):
        read_secret(path)
    credential.write_bytes(b"short")
    with pytest.raises(Malformed):
        read_secret(path)
