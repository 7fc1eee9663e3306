"""``onecode-central token``: machines' tokens, shown once when they are made."""

import argparse
from typing import TYPE_CHECKING, Any

from shared.exits import Exit

if TYPE_CHECKING:
    from central.tables import Row
    from central.users.tokens import MachineToken


def add_commands(subparsers: Any) -> None:
    """Add ``token``."""
    token = subparsers.add_parser("token", help="machines' tokens").add_subparsers(required=True)
    add = token.add_parser("add", help="a token for a machine; its text is shown once")
    add.add_argument("name", metavar="NAME", help="which machine it is for")
    add.add_argument("--role", default="integration", help="what it may do at most")
    add.add_argument("--site", help="this site's data alone")
    add.add_argument("--scopes", default="", help="permissions with commas between; default: all")
    add.add_argument("--days", type=int, default=90, help="how long it is good, at most 366")
    add.set_defaults(run=_add)
    listing = token.add_parser("list", help="every token, never its text")
    listing.set_defaults(run=_list)
    revoke = token.add_parser("revoke", help="take a token back")
    revoke.add_argument("id", metavar="ID")
    revoke.set_defaults(run=_revoke)
    for command in (add, listing, revoke):
        command.add_argument("--json", action="store_true", help="for machines")


def _add(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.tables import print_record
    from central.users.roles import Permission, Role
    from central.users.tokens import NewToken
    from shared.clock import SystemClock
    from shared.errors import Malformed
    from shared.reasons import Reason

    try:
        scopes = frozenset(Permission(text) for text in arguments.scopes.split(",") if text)
        role = Role(arguments.role)
    except ValueError as error:
        raise Malformed(Reason.REQUEST_MALFORMED, str(error)) from error
    new = NewToken(arguments.name, role, arguments.site, scopes, arguments.days)
    with open_central(arguments.dir) as central, central.unit():
        token, text = central.users.tokens.issue(new, SystemClock().now(), command_actor())
    print_record({**_row(token), "token": text}, as_json=arguments.json)
    return Exit.HELD


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import print_table

    rows = []
    with open_central(arguments.dir) as central:
        after = ""
        while page := central.users.tokens.list(after):
            rows += [_row(token) for token in page]
            after = page[-1].id
    columns = ("id", "name", "role", "site", "scopes", "ends_at", "used_at", "revoked")
    print_table({key: key.replace("_", " ") for key in columns}, rows, as_json=arguments.json)
    return Exit.HELD


def _revoke(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.tables import print_record
    from shared.clock import SystemClock

    with open_central(arguments.dir) as central, central.unit():
        token = central.users.tokens.revoke(arguments.id, SystemClock().now(), command_actor())
    print_record(_row(token), as_json=arguments.json)
    return Exit.HELD


def _row(token: "MachineToken") -> "Row":
    return {
        "id": token.id,
        "name": token.name,
        "role": str(token.role),
        "site": token.site,
        "scopes": " ".join(sorted(token.scopes)),
        "ends_at": token.ends_at.isoformat(),
        "used_at": token.used_at.isoformat() if token.used_at else None,
        "revoked": token.revoked_at is not None,
    }
