"""``onecode-central keys``: versions and check values; ``ehc derive``: the formula by itself.

``derive`` touches no store and no key of ours: JSON lines in, JSON lines out, in step:
``{"id_type", "id_number", "name", "root_key"}`` becomes ``{"mindex_id", "factor", "ehc_id"}``, or
``{"line", "error", "message"}`` for a line that cannot be derived. What is written never repeats
what identifies a person.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, BinaryIO

from shared.exits import Exit

_CHUNK_BYTES = 1 << 20


def add_commands(subparsers: Any) -> None:
    """Add ``ehc`` and ``keys``."""
    ehc = subparsers.add_parser("ehc", help="the national formula").add_subparsers(required=True)
    derive = ehc.add_parser("derive", help="derive JSON lines from standard input")
    derive.add_argument(
        "--vectors",
        action="store_true",
        required=True,
        help="each line brings its own root key; central's keys are not touched",
    )
    derive.set_defaults(run=_derive)

    keys = subparsers.add_parser("keys", help="central's keys").add_subparsers(required=True)
    listing = keys.add_parser("list", help="versions and check values")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)
    renew = keys.add_parser("renew", help="add a version that becomes active; restart the server")
    renew.add_argument("key", choices=("root", "protect", "code"))
    renew.add_argument(
        "--ahead-days",
        type=float,
        help="code: how long boxes may fetch the key before it signs; 0 if the old one was stolen",
    )
    renew.add_argument("--kid", type=int, help="code: the key's number; otherwise the next one")
    renew.set_defaults(run=_renew)


def _derive(arguments: argparse.Namespace) -> int:
    del arguments
    held = True
    for answers, good in derive_chunks(_read_chunks(sys.stdin.buffer)):
        sys.stdout.buffer.write(answers)
        sys.stdout.buffer.flush()
        held = held and good
    return Exit.HELD if held else Exit.CHECK_FAILED


def _list(arguments: argparse.Namespace) -> int:
    from central.config import CentralFiles, read_passphrase
    from central.keys.service import open_keys
    from central.tables import Row, print_table
    from shared.clock import SystemClock

    files = CentralFiles(arguments.dir)
    columns = {"key": "key", "version": "version", "check": "check value", "active": "active"}
    rows: list[Row] = [
        {"key": key.name, "version": key.version, "check": key.check, "active": key.active}
        for key in open_keys(files.keys, read_passphrase(files)).check_values(SystemClock().now())
    ]
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD


def _renew(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.config import read_passphrase
    from central.keys.store import (
        read_key_store,
        renew_code_key,
        renew_key,
        replace_key_store,
    )
    from shared.clock import SystemClock, to_microseconds
    from shared.lists import KEY_AHEAD

    at, days = SystemClock().now(), arguments.ahead_days
    # Codes are issued in whole seconds: the new key signs all of this one.
    from_at = (at + (KEY_AHEAD if days is None else timedelta(days=days))).replace(microsecond=0)
    with open_central(arguments.dir) as central, central.unit():
        passphrase = read_passphrase(central.files)
        before = read_key_store(central.files.keys, passphrase)
        if arguments.key == "code":
            contents, version = renew_code_key(before, to_microseconds(from_at), arguments.kid)
        else:
            contents, version = renew_key(before, arguments.key)
        central.audit.write("keys.renew", arguments.key, command_actor(), at, version=version)
        replace_key_store(central.files.keys, contents, passphrase)
    signs = ""
    if arguments.key == "code":
        signs = f", signs from {from_at:%Y-%m-%d %H:%M} UTC; boxes hear of it from a new server"
    print(f"✓ {arguments.key} version {version}{signs}")
    return Exit.HELD


def derive_chunks(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The answers to the whole lines of each chunk, and whether all of them are good."""
    from central.keys.vectors import VectorReader

    reader = VectorReader()
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield reader.answer(lines)
    if rest:
        yield reader.answer([rest])


def _read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """What is there now, at once: a peer that waits for its answer gets it."""
    while chunk := stream.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
        yield chunk
