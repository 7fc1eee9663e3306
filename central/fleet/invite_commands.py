"""``onecode-central box invite``, ``invites`` and ``withdraw``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.clock import SystemClock
from shared.exits import Exit

if TYPE_CHECKING:
    from central.fleet.doors import Door
    from central.fleet.invites import IssuedInvite

_DOTS_A_MODULE = 6


def add_invite_commands(box: Any) -> None:
    """Add them below ``box``."""
    invite = box.add_parser("invite", help="a one-time code by which a box joins")
    invite.add_argument("id", metavar="SITE/BOX", nargs="?", help="the box; a known one: replaced")
    invite.add_argument("--site", default="", help="instead of SITE/BOX, with --box or without")
    invite.add_argument("--box", default="", help="default: the site's next free name")
    invite.add_argument("--counter", default="", help="the workplace it will stand at")
    invite.add_argument("--site-name", default="", help="as printed on labels; for a new site")
    invite.add_argument("--serial", default="", help="of the machine that is expected")
    invite.add_argument("--hours", type=int, default=24, help="how long it is good")
    invite.add_argument("--scanner", default="none", help="serial:PATH, hid:PATH or none")
    invite.add_argument(
        "--printer", default="none", help="usb:VENDOR:PRODUCT, simulated:DIR or none"
    )
    invite.add_argument("--png", type=Path, help="write the symbol to this file")
    invite.add_argument("--json", action="store_true", help="for machines")
    invite.set_defaults(run=_invite, usage_error=invite.error)
    listing = box.add_parser("invites", help="every invite and where it stands")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)
    withdraw = box.add_parser("withdraw", help="let an open invite open nothing any more")
    withdraw.add_argument("number", type=int, help="as `box invites` shows it")
    withdraw.set_defaults(run=_withdraw)


def _invite(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.fleet.box import Place
    from central.fleet.doors import read_door
    from shared.ids import parse_box_id
    from shared.qr import Level, render_png, render_terminal

    if bool(arguments.id) == bool(arguments.site) or (arguments.box and not arguments.site):
        arguments.usage_error("name the box: SITE/BOX, or --site SITE [--box BOX]")
    at = SystemClock().now()
    with open_central(arguments.dir) as central:
        door = read_door(central.files, central.config)
        with central.unit():
            invites = central.fleet.invites
            named = arguments.id or (arguments.box and f"{arguments.site}/{arguments.box}")
            place = Place(
                parse_box_id(named) if named else invites.next_box(arguments.site, at),
                arguments.counter,
                arguments.site_name,
                scanner=arguments.scanner,
                printer=arguments.printer,
                machine=arguments.serial,
            )
            issued = invites.issue(place, door, at, command_actor(), hours=arguments.hours)
    if arguments.png is not None:
        arguments.png.touch(mode=0o600)  # private before it holds the secret
        arguments.png.chmod(0o600)
        arguments.png.write_bytes(render_png(issued.text, _DOTS_A_MODULE, Level.M))
    elif not arguments.json:
        print(render_terminal(issued.text, Level.M))
    return _print_issued(issued, door, as_json=arguments.json)


def _print_issued(issued: "IssuedInvite", door: "Door", *, as_json: bool) -> int:
    from central.fleet.doors import format_fingerprint
    from central.tables import print_record

    place = issued.place
    row: dict[str, str | int | bool | None] = {
        "invite": issued.text,
        "number": issued.number,
        "box": str(place.id),
        "site": place.site_name,
        "counter": place.counter,
        "machine": place.machine,
        "scanner": place.scanner,
        "printer": place.printer,
        "replaces": issued.replaces,
        "expires": issued.expires_at.isoformat(timespec="seconds"),
        "address": f"https://{door.host}:{door.port}",
        "ca_fingerprint": format_fingerprint(door.ca_fingerprint),
    }
    print_record(row, as_json=as_json)
    if not as_json:
        print("\n在新盒子上扫描此码，或运行 / Scan this at the new box, or run there:")
        print("  onecode-agent enrol CODE")
    return Exit.HELD


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.fleet.invites import state_of
    from central.tables import Row, print_table

    at = SystemClock().now()
    with open_central(arguments.dir) as central:
        rows: list[Row] = [
            {
                "number": invite.number,
                "box": str(invite.place.id),
                "counter": invite.place.counter,
                "machine": invite.place.machine,
                "state": str(state_of(invite, at)),
                "expires": invite.expires_at.isoformat(timespec="seconds"),
                "made_by": invite.made_by,
            }
            for invite in central.fleet.invites.list_invites()
        ]
    columns = {
        "number": "#",
        "box": "box",
        "counter": "counter",
        "machine": "machine",
        "state": "state",
        "expires": "expires",
        "made_by": "made by",
    }
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD


def _withdraw(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central

    with open_central(arguments.dir) as central, central.unit():
        central.fleet.invites.withdraw(arguments.number, SystemClock().now(), command_actor())
    print(f"✓ invite {arguments.number}")
    return Exit.HELD
