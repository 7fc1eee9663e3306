"""``onecode-central card``: look at a card, move it through its states, issue its codes.

``card code`` stands in for the patient's phone: the text it prints is what a screen would show.
"""

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.exits import Exit

if TYPE_CHECKING:
    from central.app import Central
    from central.cards.card import Card


def add_commands(subparsers: Any) -> None:
    """Add ``card``."""
    card = subparsers.add_parser("card", help="residents' cards").add_subparsers(required=True)
    show = card.add_parser("show", help="where a card stands")
    show.set_defaults(run=_show)
    steps = [
        card.add_parser("suspend", help="refuse its codes until it is resumed"),
        card.add_parser("resume", help="make a suspended card good again"),
        card.add_parser("cancel", help="end it, until its holder registers again"),
    ]
    for step, name in zip(steps, ("suspend", "resume", "cancel"), strict=True):
        step.set_defaults(run=_step, step=name)
    code = card.add_parser("code", help="issue a code and print its text")
    code.add_argument("--static", action="store_true", help="the code of the sticker")
    code.add_argument("--unsigned", action="store_true", help="the bare national form")
    code.add_argument("--ttl", type=int, help="seconds it is good (default: central.toml)")
    code.set_defaults(run=_code)
    link = card.add_parser("link", help="a one-time link to the holder's page on a phone")
    link.add_argument("--minutes", type=int, default=60, help="for how long it may be opened")
    link.set_defaults(run=_link)
    for command in (show, *steps, code, link):
        command.add_argument("card", metavar="CARD", help="the card's or its person's number")
        command.add_argument("--json", action="store_true", help="for machines")


def _show(arguments: argparse.Namespace) -> int:
    from central.app import open_central

    with open_central(arguments.dir) as central:
        _print(_find(central, arguments.card), as_json=arguments.json)
    return Exit.HELD


def _step(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from shared.clock import SystemClock

    with open_central(arguments.dir) as central:
        cards = central.cards
        step = {"suspend": cards.suspend, "resume": cards.resume, "cancel": cards.cancel}
        with central.unit():
            id = _find(central, arguments.card).id
            card = step[arguments.step](id, SystemClock().now(), command_actor())
    _print(card, as_json=arguments.json)
    return Exit.HELD


def _code(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from shared.clock import SystemClock

    at = SystemClock().now()
    with open_central(arguments.dir) as central, central.unit():
        card = _find(central, arguments.card)
        if arguments.static:
            code, expires = central.cards.static_code(card), ""
        else:
            ttl = central.config.dynamic_ttl_seconds if arguments.ttl is None else arguments.ttl
            signed = not arguments.unsigned
            code = central.cards.issue_dynamic(card, at, ttl, signed=signed)
            expires = (at.replace(microsecond=0) + timedelta(seconds=ttl)).isoformat()
    if arguments.json:
        from central.tables import print_record

        print_record({"code": code, "expires_at": expires}, as_json=True)
    else:
        print(code)
    return Exit.HELD


def _link(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.tables import print_record
    from shared.clock import SystemClock

    opens_for = timedelta(minutes=arguments.minutes)
    with open_central(arguments.dir) as central, central.unit():
        card = _find(central, arguments.card)
        link = central.links.make(card.id, SystemClock().now(), command_actor(), opens_for)
        web = central.config.web
    address = f"{web.public_url or f'http://{web.host}:{web.port}'}/me/{link.secret}"
    if arguments.json:
        expires_at = link.expires_at.replace(microsecond=0).isoformat()
        print_record({"link": address, "expires_at": expires_at}, as_json=True)
    else:
        print(address)
    return Exit.HELD


def _find(central: "Central", text: str) -> "Card":
    """By the card's number, or by its person's."""
    from central.cards.card import parse_card_id
    from central.patients.person import PersonId
    from shared.errors import Refused
    from shared.reasons import Reason

    id = parse_card_id(text)
    try:
        return central.cards.read(id)
    except Refused as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
    return central.cards.read_of(PersonId(id))


def _print(card: "Card", *, as_json: bool) -> None:
    from central.tables import Row, print_record

    row: Row = {
        "card": str(card.id),
        "state": str(card.state),
        "person": str(card.person),
        "root_version": card.root_version,
    }
    print_record(row, as_json=as_json)
