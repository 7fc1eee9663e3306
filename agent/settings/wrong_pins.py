"""The file of wrong PINs in a row, by operator's id. Reading and writing block."""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from shared.config import read_secret, replace_secret
from shared.errors import Refused, Unavailable

log = logging.getLogger(__name__)


def load_wrong_pins(path: Path) -> Mapping[str, int]:
    """What was kept; nothing where the file cannot be read, which is said."""
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(read_secret(path), type=dict[str, int])
    except (Refused, Unavailable, msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("wrong PINs of before cannot be read: %s", error)
        return {}


def keep_wrong_pins(path: Path, wrong: Mapping[str, int]) -> None:
    """Keep them, durably. Raises Unavailable."""
    replace_secret(path, msgspec.json.encode(wrong))
