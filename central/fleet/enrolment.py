"""Makes a box's directory: keys, certificate, ``box.toml``. Central keeps only public halves.

The files are those of ``agent/config.py``; a test reads them back with it. The private signing
key and the TLS key leave with the directory and are kept nowhere else.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from central.config import CentralConfig, CentralFiles
from central.fleet.box import Box, Place
from central.fleet.broker import build_roles
from central.fleet.certificates import Authority, new_key, private_pem
from central.fleet.joining import MachineKeys, Reception
from central.fleet.service import Fleet
from central.keys.service import Keys
from shared.config import replace_file, write_secret
from shared.crypto import KEY_BYTES, STD
from shared.errors import Refused, Unavailable
from shared.reasons import Reason

DEFAULT_API_PORT = 8700


class Enrolment:
    """Adds boxes to the fleet and writes what they need: joining without a network."""

    def __init__(self, fleet: Fleet, keys: Keys, boxes: Authority, config: CentralConfig) -> None:
        self._fleet = fleet
        self._keys = keys
        self._boxes = boxes
        self._config = config

    def add_box(
        self, place: Place, out: Path, at: datetime, actor: str, *, api_port: int = DEFAULT_API_PORT
    ) -> Box:
        """Add the box and fill ``out``, inside the caller's unit: both hold or neither.

        Raises Refused (ALREADY_EXISTS) for a known box or a used directory, Malformed,
        Unavailable (disk).
        """
        if self._fleet.is_known(place.id):
            raise Refused(Reason.ALREADY_EXISTS, f"box {place.id}")
        tls_key, signing_key, pair_key = new_key(), STD.new_signing_key(), os.urandom(KEY_BYTES)
        keys = MachineKeys(tls_key.public_key(), signing_key.public_bytes, pair_key)
        box, certificate = Reception(self._fleet, self._boxes).admit(place, keys, at, actor)
        config = build_box_config(box, place, self._config, self._keys, api_port)
        files = {
            "box.toml": config.encode(),
            "ca.pem": self._boxes.certificate,
            "box.pem": certificate + private_pem(tls_key),
            "signing.key": signing_key.to_bytes(),
            "pair.key": pair_key,
        }
        _write(out, files)
        return box


def save_roles(files: CentralFiles, fleet: Fleet) -> None:
    """Write the roles the broker starts with, so that it knows its boxes before central comes.

    A running broker keeps its own copy and is told by ``admit_commands``. Raises Unavailable.
    """
    replace_file(files.broker_roles, build_roles(fleet.boxes()).encode())


def build_box_config(
    box: Box, place: Place, config: CentralConfig, keys: Keys, api_port: int
) -> str:
    """The text of ``box.toml``."""
    broker = config.broker
    lines = [
        "# Written by onecode-central box add.",
        f"box = {_quote(str(box.id))}",
        f"counter = {_quote(box.counter)}",
        f"site_name = {_quote(box.site_name)}",
        f"central_public = {_quote(keys.central_public.hex())}",
        f"announcements = {_quote(keys.announcements_public.hex())}",
        f"signing_key_id = {box.key_id}",
        f"epoch = {box.epoch}",
        f"number = {box.number}",
        f"api_port = {api_port}",
        "",
        "[broker]",
        f"host = {_quote(broker.host)}",
        f"port = {broker.box_port}",
        "",
        "[central]",
        f"host = {_quote(broker.host)}",
        f"port = {config.web.box_port}",
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
