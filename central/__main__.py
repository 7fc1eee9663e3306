"""``onecode-central``: argument parsing and exit codes only. Each feature brings its commands.

Only the module of the command that is asked for is imported: deriving a code starts in the time
that takes, not in the whole server's.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from shared.errors import OneCodeError
from shared.exits import Exit, describe, exit_of

DIRECTORY_VARIABLE = "ONECODE_CENTRAL_DIR"

COMMANDS = {
    "init": "central.commands",
    "serve": "central.commands",
    "ehc": "central.keys.commands",
    "keys": "central.keys.commands",
    "person": "central.patients.commands",
    "card": "central.cards.commands",
    "box": "central.fleet.commands",
    "broker": "central.fleet.broker_commands",
    "settings": "central.settings.commands",
    "lease": "central.leases.commands",
    "user": "central.users.commands",
    "token": "central.users.token_commands",
    "cases": "central.cases.commands",
    "ledger": "central.ingest.commands",
    "queue": "central.ingest.queue_commands",
    "lists": "central.lists.commands",
    "audit": "central.audit.commands",
}


def build_parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The command line, with the ``wanted`` command alone where it is one of ours."""
    parser = argparse.ArgumentParser(
        prog="onecode-central", description="The centre of One Code.", parents=[_directory_option()]
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    modules = [COMMANDS[wanted]] if wanted in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in modules:
        import_module(module).add_commands(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is one of ``shared.exits.Exit``."""
    # The directory may be named before or behind the command.
    found, rest = _directory_option().parse_known_args(argv)
    arguments = build_parser(rest[0] if rest else None).parse_args(rest)
    arguments.dir = found.dir
    try:
        return int(arguments.run(arguments))
    except OneCodeError as error:
        print(describe(error), file=sys.stderr)
        return exit_of(error)
    except BrokenPipeError:
        # Whoever read our output has enough (``| head``); nothing is left to flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.UNAVAILABLE


def _directory_option() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path(os.environ.get(DIRECTORY_VARIABLE, "onecode-central")),
        help=f"central's directory (default: ${DIRECTORY_VARIABLE} or ./onecode-central)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
