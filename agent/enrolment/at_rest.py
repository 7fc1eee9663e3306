"""How the box's secrets lie on its disk: sealed under the service manager's key, or open.

Sealed files are of no use without the machine (or its TPM) that holds the key. The local API's
token stays open: what it opens is there only while the box runs, and command lines read it.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from agent.config import BoxFiles
from shared.at_rest import is_sealed, read_credential
from shared.config import read_secret, replace_secret
from shared.errors import Unavailable
from shared.reasons import Reason

log = logging.getLogger(__name__)


class AtRest(NamedTuple):
    """File names, by how they lie there; ``can_seal`` is whether a key is given to this process."""

    sealed: tuple[str, ...]
    open: tuple[str, ...]
    can_seal: bool


def secrets_at_rest(files: BoxFiles) -> AtRest:
    """How each secret that is there lies there. Raises Unavailable, Malformed (the credential)."""
    there = [path for path in _secrets(files) if path.exists()]
    sealed = tuple(path.name for path in there if _is_sealed(path))
    opened = tuple(path.name for path in there if path.name not in sealed)
    return AtRest(sealed, opened, read_credential() is not None)


def seal_secrets(files: BoxFiles) -> None:
    """Seal what lies open from a time without a key; without one now, say so.

    Raises Unavailable, Refused, Malformed, NotAuthentic for files that cannot be read or written.
    """
    standing = secrets_at_rest(files)
    if not standing.can_seal:
        if standing.open:
            log.warning("secrets lie open, readable by this user alone: no credential is given")
        return
    for path in _secrets(files):
        if path.name in standing.open:
            replace_secret(path, read_secret(path))
            log.info("%s is sealed at rest", path.name)


def _secrets(files: BoxFiles) -> tuple[Path, ...]:
    keys = (files.certificate, files.signing_key, files.pair_key, files.cache_key)
    return (*keys, files.desired)  # which holds how operators prove themselves


def _is_sealed(path: Path) -> bool:
    try:
        return is_sealed(path.read_bytes())
    except OSError as error:
        raise Unavailable(Reason.CONFIG_MISSING, str(path)) from error
