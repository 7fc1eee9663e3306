"""Configuration and secrets: strict, named, private, durable."""

import resource
from pathlib import Path

import msgspec
import pytest

from shared.config import read_config, read_secret, write_secret
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table in the file."""

    host: str
    port: int


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    name: str
    broker: Inner
    drill: bool = False


GOOD = 'name = "门诊楼"\n[broker]\nhost = "localhost"\nport = 8883\n'


def test_a_good_file(tmp_path: Path) -> None:
    """Typed, with its defaults, in UTF-8."""
    path = tmp_path / "box.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_config(path, Outer) == Outer("门诊楼", Inner("localhost", 8883))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (GOOD + 'colour = "red"\n', "colour"),
        ('name = "x"\ndril = true\n' + GOOD[GOOD.index("[") :], "dril"),
        (GOOD.replace("8883", '"8883"'), "port"),
        (GOOD.replace("8883", "88.5"), "port"),
        (GOOD.replace("port = 8883\n", ""), "port"),
        ("name = \n", "line 1"),
        ("", "name"),
    ],
    ids=["unknown", "mistyped", "text", "fraction", "missing", "syntax", "empty"],
)
def test_a_wrong_file_names_the_place(tmp_path: Path, text: str, names: str) -> None:
    """A key that nobody reads is a typing error, not a wish."""
    path = tmp_path / "box.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Malformed) as refusal:
        read_config(path, Outer)
    assert refusal.value.reason is Reason.CONFIG_MALFORMED
    assert names in refusal.value.detail
    assert str(path) in refusal.value.detail


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    """As an old editor saves it."""
    path = tmp_path / "box.toml"
    path.write_bytes(GOOD.encode("gbk"))
    with pytest.raises(Malformed) as refusal:
        read_config(path, Outer)
    assert refusal.value.reason is Reason.CONFIG_MALFORMED


def test_a_missing_file_may_come(tmp_path: Path) -> None:
    """Unavailable, with its name."""
    for read in (lambda path: read_config(path, Outer), read_secret):
        with pytest.raises(Unavailable) as refusal:
            read(tmp_path / "box.toml")
        assert refusal.value.reason is Reason.CONFIG_MISSING
        assert "box.toml" in refusal.value.detail


def test_a_secret_is_private_from_its_first_moment(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask allows, and it reads back."""
    path = tmp_path / "pair.key"
    write_secret(path, b"\0secret\xff")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path) == b"\0secret\xff"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Group or world, read or write or run."""
    path = tmp_path / "pair.key"
    write_secret(path, b"secret")
    path.chmod(mode)
    with pytest.raises(Refused) as refusal:
        read_secret(path)
    assert refusal.value.reason is Reason.CONFIG_MALFORMED
    assert "0600" in refusal.value.detail


def test_a_secret_is_never_written_over(tmp_path: Path) -> None:
    """The key of yesterday's records stays."""
    path = tmp_path / "pair.key"
    write_secret(path, b"first")
    with pytest.raises(Refused) as refusal:
        write_secret(path, b"second")
    assert refusal.value.reason is Reason.ALREADY_EXISTS
    assert read_secret(path) == b"first"


def test_a_secret_without_a_directory(tmp_path: Path) -> None:
    """A place that is not there is Unavailable, not a crash."""
    with pytest.raises(Unavailable) as refusal:
        write_secret(tmp_path / "missing" / "pair.key", b"secret")
    assert refusal.value.reason is Reason.STORE_UNAVAILABLE


def test_a_secret_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A full disk leaves no half key behind that would be taken for the key ever after."""
    path = tmp_path / "api.token"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, hard))
    try:
        with pytest.raises(Unavailable) as refusal:
            write_secret(path, b"secret")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.reason is Reason.STORE_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []
    write_secret(path, b"secret")
    assert read_secret(path) == b"secret"


def test_what_a_power_cut_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """A draft that was never finished is begun again."""
    (tmp_path / ".api.token.draft").write_bytes(b"sec")
    write_secret(tmp_path / "api.token", b"secret")
    assert [path.name for path in tmp_path.iterdir()] == ["api.token"]
