"""``onecode-central box``: let a box join, and list the boxes."""

import argparse
from pathlib import Path
from typing import Any

from central.fleet.invite_commands import add_invite_commands
from central.fleet.revocation_commands import add_revocation_commands
from shared.clock import SystemClock
from shared.exits import Exit


def add_commands(subparsers: Any) -> None:
    """Add ``box``."""
    box = subparsers.add_parser("box", help="the fleet's boxes").add_subparsers(required=True)
    add = box.add_parser("add", help="let a box join and write its directory")
    add.add_argument("id", metavar="SITE/BOX")
    add.add_argument("--counter", required=True, help="the workplace it stands at")
    add.add_argument("--site-name", default="", help="as printed on labels; needed for a new site")
    add.add_argument("--out", type=Path, required=True, help="the directory to write")
    add.add_argument("--scanner", default="none", help="serial:PATH, hid:PATH or none")
    add.add_argument("--printer", default="none", help="usb:VENDOR:PRODUCT, simulated:DIR or none")
    add.add_argument("--api-port", type=int, default=8700, help="the box's local API")
    add.set_defaults(run=_add)
    listing = box.add_parser("list", help="every box and where it stands")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)
    add_invite_commands(box)
    add_revocation_commands(box)


def _add(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from central.fleet.box import Place
    from central.fleet.certificates import read_authority
    from central.fleet.enrolment import Enrolment, save_roles
    from shared.ids import parse_box_id

    place = Place(
        id=parse_box_id(arguments.id),
        counter=arguments.counter,
        site_name=arguments.site_name,
        scanner=arguments.scanner,
        printer=arguments.printer,
    )
    with open_central(arguments.dir) as central:
        files = central.files
        authority = read_authority(files.box_ca, files.box_ca_key)
        enrolment = Enrolment(central.fleet, central.keys, authority, central.config)
        with central.unit():
            box = enrolment.add_box(
                place,
                arguments.out,
                SystemClock().now(),
                command_actor(),
                api_port=arguments.api_port,
            )
            save_roles(files, central.fleet)
    print(f"✓ {box.id}  #{box.number}  {box.site_name} / {box.counter}  →  {arguments.out}")
    return Exit.HELD


def _list(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import Row, print_table

    with open_central(arguments.dir) as central:
        boxes = central.fleet.list_boxes()
    columns = {
        "box": "box",
        "number": "#",
        "site_name": "site",
        "counter": "counter",
        "state": "state",
    }
    rows: list[Row] = [
        {
            "box": str(box.id),
            "number": box.number,
            "site_name": box.site_name,
            "counter": box.counter,
            "state": str(box.state),
        }
        for box in boxes
    ]
    print_table(columns, rows, as_json=arguments.json)
    return Exit.HELD
