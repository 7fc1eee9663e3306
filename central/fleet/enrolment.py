"""Makes a box's directory: keys, certificate, ``box.toml``. Central keeps only public halves.

The files are those of ``agent/config.py``; a test reads them back with it. The private signing
key and the TLS key leave with the directory and are kept nowhere else.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from central.config import BrokerConfig, CentralFiles
from central.fleet.box import Box, Joining
from central.fleet.broker import build_roles
from central.fleet.certificates import Authority
from central.fleet.service import Fleet
from central.keys.service import Keys
from shared.config import write_secret
from shared.crypto import KEY_BYTES, STD
from shared.errors import Refused, Unavailable
from shared.ids import BoxId
from shared.reasons import Reason

FIRST_KEY_ID = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box will stand, and what is plugged into it (``kind:path``, or ``none``)."""

    id: BoxId
    counter: str
    site_name: str = ""
    scanner: str = "none"
    printer: str = "none"
    api_port: int = 8700


class Enrolment:
    """Adds boxes to the fleet and writes what they need."""

    def __init__(self, fleet: Fleet, keys: Keys, boxes: Authority, broker: BrokerConfig) -> None:
        self._fleet = fleet
        self._keys = keys
        self._boxes = boxes
        self._broker = broker

    def add_box(self, place: Place, out: Path, at: datetime, actor: str) -> Box:
        """Add the box and fill ``out``, inside the caller's unit: both hold or neither.

        Raises Refused (ALREADY_EXISTS) for a known box or a used directory, Malformed,
        Unavailable (disk).
        """
        signing_key = STD.new_signing_key()
        pair_key = os.urandom(KEY_BYTES)
        identity = self._boxes.issue_box(place.id, at)
        joining = Joining(
            id=place.id,
            site_name=place.site_name,
            counter=place.counter,
            pair_key=pair_key,
            key_id=FIRST_KEY_ID,
            suite=STD.id,
            public=signing_key.public_bytes,
            certificate=identity.facts,
        )
        box = self._fleet.add_box(joining, at, actor)
        files = {
            "box.toml": build_box_config(box, place, self._broker, self._keys).encode(),
            "ca.pem": self._boxes.certificate,
            "box.pem": identity.certificate + identity.key,
            "signing.key": signing_key.to_bytes(),
            "pair.key": pair_key,
        }
        _write(out, files)
        return box


def save_roles(files: CentralFiles, fleet: Fleet) -> None:
    """Write the roles the broker starts with, so that it knows its boxes before central comes.

    A running broker keeps its own copy and is told by ``admit_commands``.
    """
    fresh = files.broker_roles.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    write_secret(fresh, build_roles(fleet.boxes()).encode())
    fresh.replace(files.broker_roles)


def build_box_config(box: Box, place: Place, broker: BrokerConfig, keys: Keys) -> str:
    """The text of ``box.toml``."""
    lines = [
        "# Written by onecode-central box add.",
        f"box = {_quote(str(box.id))}",
        f"counter = {_quote(box.counter)}",
        f"site_name = {_quote(box.site_name)}",
        f"central_public = {_quote(keys.central_public.hex())}",
        f"signing_key_id = {FIRST_KEY_ID}",
        f"api_port = {place.api_port}",
        "",
        "[broker]",
        f"host = {_quote(broker.host)}",
        f"port = {broker.box_port}",
        "",
        "[code_keys]",
        *(f"{kid} = {_quote(public.hex())}" for kid, public in keys.code_keys.items()),
    ]
    for name, device in (("scanner", place.scanner), ("printer", place.printer)):
        kind, _, path = device.partition(":")
        lines += ["", f"[{name}]", f"kind = {_quote(kind)}", f"path = {_quote(path)}"]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    # Printable text was asked for, and there JSON's strings are TOML's.
    return json.dumps(text, ensure_ascii=False)


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        if taken := [name for name in files if (out / name).exists()]:
            raise Refused(Reason.ALREADY_EXISTS, str(out / taken[0]))
        for name, content in files.items():
            write_secret(out / name, content)
    except OSError as error:
        raise Unavailable(Reason.STORE_UNAVAILABLE, str(out)) from error
