"""Configuration and secrets from files: TOML into typed structs, secrets only if kept private.

Where the service manager gives a key for it, secrets are sealed at rest (``shared.at_rest``).
Says nothing about what is configured: each side has a ``config.py`` of its own with its structs.
"""

import os
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.at_rest import is_sealed, open_secret, read_credential, seal_secret
from shared.errors import Malformed, Refused, Unavailable
from shared.reasons import Reason

T = TypeVar("T")


def read_config(path: Path, shape: type[T]) -> T:
    """Read a TOML file as ``shape``, strictly: an unknown key is a typing error, not a wish.

    Raises Unavailable when the file is missing, Malformed (naming the key) when it is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(path)) from error
    try:
        return msgspec.convert(tomllib.loads(data.decode()), shape)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Malformed(Reason.CONFIG_MALFORMED, f"{path}: {error}") from error


def read_secret(path: Path) -> bytes:
    """Read a secret file, sealed or not; refused when group or others may read it.

    Raises Unavailable when missing, Refused (CONFIG_MALFORMED) when its mode is too wide,
    Refused (KEY_SEALED) where the key to it is not, NotAuthentic when it is another one.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Refused(Reason.CONFIG_MALFORMED, f"{path} must have mode 0600")
            content = file.read()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(path)) from error
    return open_secret(path.name, content, read_credential()) if is_sealed(content) else content


def write_secret(path: Path, secret: bytes, *, sealed: bool = True) -> None:
    """Write a secret file of mode 0600, durably, never over an existing one.

    It appears whole or not at all: half a key would stay for ever. ``sealed`` False leaves it
    readable without the service manager's key. Raises Refused (ALREADY_EXISTS), or Unavailable
    when it cannot be written.
    """
    content = _at_rest(path, secret) if sealed else secret
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)  # a power cut may have left one
        try:
            _write_private(draft, content)
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)  # the file's name is durable only with its directory
    except FileExistsError as error:
        raise Refused(Reason.ALREADY_EXISTS, str(path)) from error
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, f"{path}: {error.strerror}") from error


def replace_secret(path: Path, secret: bytes) -> None:
    """Write a secret file as ``write_secret`` does, in place of the one there may be.

    Raises Unavailable: then the old one is as it was.
    """
    replace_file(path, _at_rest(path, secret))


def seal_files(paths: Iterable[Path]) -> list[Path]:
    """Seal the secrets that lie open from a time without a key; those that still do, for want of
    one. Raises as ``read_secret`` and ``replace_secret``.
    """
    lying_open = [path for path in paths if not is_sealed(_read(path))]
    if read_credential() is None:
        return lying_open
    for path in lying_open:
        replace_secret(path, read_secret(path))
    return []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(path)) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 durably, in place of the one there may be: by one rename."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)  # a power cut may have left one
        try:
            _write_private(draft, content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, f"{path}: {error.strerror}") from error


def _at_rest(path: Path, secret: bytes) -> bytes:
    key = read_credential()
    return secret if key is None else seal_secret(path.name, secret, key)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
