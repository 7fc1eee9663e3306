"""``onecode-central ehc derive``: the national formula by itself, without any store or key of ours.

JSON lines in, JSON lines out, in step: ``{"id_type", "id_number", "name", "root_key"}`` becomes
``{"mindex_id", "factor", "ehc_id"}``, or ``{"line", "error", "message"}`` for a line that cannot
be derived. What is written never repeats what identifies a person.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from shared.exits import Exit

_CHUNK_BYTES = 1 << 20


def add_commands(subparsers: Any) -> None:
    """Add ``ehc``."""
    ehc = subparsers.add_parser("ehc", help="the national formula").add_subparsers(required=True)
    derive = ehc.add_parser("derive", help="derive JSON lines from standard input")
    derive.add_argument(
        "--vectors",
        action="store_true",
        required=True,
        help="each line brings its own root key; central's keys are not touched",
    )
    derive.set_defaults(run=_derive)


def _derive(arguments: argparse.Namespace) -> int:
    del arguments
    held = True
    for answers, good in derive_chunks(_read_chunks(sys.stdin.buffer)):
        sys.stdout.buffer.write(answers)
        sys.stdout.buffer.flush()
        held = held and good
    return Exit.HELD if held else Exit.CHECK_FAILED


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
