"""``onecode-central user``: who may use central. Administrators are made and changed here alone.

Whoever may run it has the server's keys anyway. Names come as JSON on standard input, passwords
and PINs from there too or freshly drawn and shown once; none is ever an argument.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shared.exits import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from central.app import Central
    from central.tables import Row
    from central.users.service import Users
    from central.users.user import User

_BADGE_DOTS = 8


class AddUser(msgspec.Struct, forbid_unknown_fields=True):
    """What ``user add`` reads. Without a ``password`` one is drawn."""

    login: str
    name: str
    role: str
    site: str | None = None
    language: str = "zh"
    password: str | None = None


class _Work(NamedTuple):
    """An opened centre, the users as the server's own hand changes them, when and who."""

    central: "Central"
    users: "Users"
    at: "datetime"
    actor: str


def add_commands(subparsers: Any) -> None:
    """Add ``user``."""
    user = subparsers.add_parser("user", help="who may use central").add_subparsers(required=True)

    def add(name: str, help: str, run: Callable[[argparse.Namespace], int]) -> Any:
        command = user.add_parser(name, help=help)
        command.add_argument("--json", action="store_true", help="for machines")
        command.set_defaults(run=run)
        return command

    add("bootstrap", "make the three first administrators; passwords are shown once", _bootstrap)
    add(
        "add",
        "make a user; JSON on standard input: login, name, role, and where due site, language, "
        "password",
        _add,
    )
    listing = add("list", "users", _list)
    listing.add_argument("--site", help="of this site alone")
    commands = [
        add("disable", "end all sessions and let the user in no more", _disable),
        add("enable", "let the user in again", _enable),
        add("unlock", "forget the user's failed tries", _unlock),
        add("password", "a password for one sign-in, drawn and shown once", _password),
        add("totp", "take away a lost second factor; administrators set up a new one", _totp),
        add("badge", "a new badge and PIN for an operator of boxes, shown once", _badge),
    ]
    for command in commands:
        command.add_argument("login", metavar="LOGIN", help="the user's sign-in name or id")
    for command in commands[3:]:
        command.add_argument(
            "--stdin", action="store_true", help="read the password or PIN from standard input"
        )
    badge = commands[-1]
    badge.add_argument("--png", type=Path, help="write the badge's symbol to this file")
    badge.add_argument("--take", action="store_true", help="take the badge away, give none")


def _bootstrap(arguments: argparse.Namespace) -> int:
    from central.tables import Row, print_table
    from central.users.roles import Role
    from central.users.user import NewUser
    from shared.errors import Refused
    from shared.reasons import Reason

    first = (
        NewUser("system", "系统管理员", Role.SYSTEM_ADMIN),
        NewUser("security", "安全管理员", Role.SECURITY_ADMIN),
        NewUser("audit", "审计管理员", Role.AUDIT_ADMIN),
    )
    rows: list[Row] = []
    passwords = [_hash_new() for _ in first]
    with _work(arguments) as work:
        if any(work.users.list(role=new.role, limit=1) for new in first):
            raise Refused(Reason.ALREADY_EXISTS, "administrators")
        for new, (password, phc) in zip(first, passwords, strict=True):
            user = work.users.add(new, phc, work.at, work.actor)
            rows.append({"login": user.login, "role": str(user.role), "password": password})
    columns = {"login": "login", "role": "role", "password": "password, once"}
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD


def _add(arguments: argparse.Namespace) -> int:
    from central.users.credentials import check_password
    from central.users.roles import Role
    from central.users.user import NewUser
    from shared.errors import Malformed, Refused
    from shared.passwords import hash_password
    from shared.reasons import Reason

    try:
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=AddUser)
        role = Role(request.role)
    except ValueError as error:  # msgspec's own is one
        raise Malformed(Reason.REQUEST_MALFORMED, "login, name, role of a user") from error
    new = NewUser(request.login, request.name, role, request.site, request.language)
    new.check()
    if request.password is None:
        password, phc = _hash_new()
    else:
        check_password(request.password, request.login, request.name)
        password, phc = "", hash_password(request.password)
    with _work(arguments) as work:
        if request.site is not None and not work.central.fleet.has_site(request.site):
            raise Refused(Reason.NOT_FOUND, f"site {request.site}")
        user = work.users.add(new, phc, work.at, work.actor)
    return _print(user, arguments, password=password)


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import print_table

    rows = []
    with open_central(arguments.dir) as central:
        after = ""
        while page := central.users.list(after, site=arguments.site):
            rows += [_row(user) for user in page]
            after = page[-1].id
    columns = {key: key.replace("_", " ") for key in _COLUMNS}
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD


def _disable(arguments: argparse.Namespace) -> int:
    from central.users.user import UserState

    with _work(arguments) as work:
        id = _find(work.users, arguments.login).id
        user = work.users.set_state(id, UserState.DISABLED, work.at, work.actor)
    return _print(user, arguments)


def _enable(arguments: argparse.Namespace) -> int:
    from central.users.user import UserState

    with _work(arguments) as work:
        id = _find(work.users, arguments.login).id
        user = work.users.set_state(id, UserState.ACTIVE, work.at, work.actor)
    return _print(user, arguments)


def _unlock(arguments: argparse.Namespace) -> int:
    with _work(arguments) as work:
        user = work.users.unlock(_find(work.users, arguments.login).id, work.at, work.actor)
    return _print(user, arguments)


def _password(arguments: argparse.Namespace) -> int:
    from central.users.credentials import check_password, new_password
    from shared.passwords import hash_password

    given = _read_line() if arguments.stdin else None
    with _work(arguments) as work:
        user = _find(work.users, arguments.login)
        if given is not None:
            check_password(given, user.login, user.name)
        password = new_password() if given is None else given
        phc = hash_password(password)
        user = work.users.reset_password(user.id, phc, work.at, work.actor)
    return _print(user, arguments, password="" if given is not None else password)


def _totp(arguments: argparse.Namespace) -> int:
    with _work(arguments) as work:
        id = _find(work.users, arguments.login).id
        user = work.users.reset_second_factor(id, work.at, work.actor)
    return _print(user, arguments)


def _badge(arguments: argparse.Namespace) -> int:
    from central.users.credentials import check_pin, new_pin
    from shared.passwords import hash_password
    from shared.qr import Level, render_png, render_terminal

    if arguments.take:
        with _work(arguments) as work:
            id = _find(work.users, arguments.login).id
            user = work.users.take_badge(id, work.at, work.actor)
        return _print(user, arguments)
    pin = _read_line() if arguments.stdin else new_pin()
    check_pin(pin)
    phc = hash_password(pin)
    with _work(arguments) as work:
        id = _find(work.users, arguments.login).id
        badge = work.users.give_badge(id, work.at, work.actor)
        work.users.set_pin(id, phc, work.at, work.actor)
        user = work.users.read(id)
    if arguments.png is not None:
        arguments.png.write_bytes(render_png(badge, _BADGE_DOTS, Level.M))
        arguments.png.chmod(0o600)
    elif not arguments.json:
        print(render_terminal(badge, Level.M))
    shown = {"badge_text": badge, "pin": "" if arguments.stdin else pin}
    return _print(user, arguments, **shown)


_COLUMNS = ("login", "id", "name", "role", "site", "state", "second_factor", "badge")


def _row(user: "User") -> "Row":
    return {
        "login": user.login,
        "id": user.id,
        "name": user.name,
        "role": str(user.role),
        "site": user.site,
        "state": str(user.state),
        "second_factor": user.second_factor,
        "badge": user.badge,
    }


def _print(user: "User", arguments: argparse.Namespace, **shown: str) -> int:
    """The user, and what is shown this once."""
    from central.tables import print_record

    row = {**_row(user), **{name: value for name, value in shown.items() if value}}
    print_record(row, as_json=arguments.json)
    return Exit.HELD


@contextmanager
def _work(arguments: argparse.Namespace) -> "Iterator[_Work]":
    """One unit of work in the opened centre."""
    from central.actors import command_actor
    from central.app import open_central
    from central.users.service import Users
    from shared.clock import SystemClock

    with open_central(arguments.dir) as central, central.unit():
        users = Users(central.keys, central.audit, central.config.users, at_server=True)
        yield _Work(central, users, SystemClock().now(), command_actor())


def _find(users: "Users", text: str) -> "User":
    """The user an argument names. Raises Malformed, Refused (NOT_FOUND)."""
    return users.find(text) or users.read(text)


def _hash_new() -> tuple[str, str]:
    from central.users.credentials import new_password
    from shared.passwords import hash_password

    password = new_password()
    return password, hash_password(password)


def _read_line() -> str:
    return sys.stdin.readline().rstrip("\r\n")
