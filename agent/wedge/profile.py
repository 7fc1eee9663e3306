"""With which box this PC is paired: one file in the user's own profile, readable by nobody else."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.errors import Damaged, Refused, Unavailable
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class Profile:
    """A pairing: where the box is, how its certificate is known, and what proves this PC."""

    address: str  # https://host:port
    fingerprint: str  # SHA-256, 64 hex digits
    token: str = field(repr=False)


def find_profile() -> Path:
    """Where the user's profile keeps it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home()))
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return base / "onecode" / "wedge.json"


def read_profile(path: Path) -> Profile:
    """Raises Refused (WORKSTATION_NOT_PAIRED) without one, Damaged for one that is none."""
    try:
        return Profile(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise Refused(Reason.WORKSTATION_NOT_PAIRED, str(path)) from error
    except (ValueError, TypeError) as error:
        raise Damaged(Reason.STORE_DAMAGED, str(path)) from error
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, f"{path}: {error.strerror}") from error


def write_profile(path: Path, profile: Profile) -> None:
    """Written whole or not at all, mode 0600 (on Windows the profile's own rights hold). Raises
    Unavailable."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(profile), file)
        draft.replace(path)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, f"{path}: {error.strerror}") from error
