"""``onecode-central settings``: what is wanted of the boxes of a site, or of one box."""

import argparse
from typing import TYPE_CHECKING, Any

import msgspec

from shared.desired import BoxSettings, parse_settings
from shared.errors import Malformed
from shared.exits import Exit
from shared.reasons import Reason

if TYPE_CHECKING:
    from central.settings.service import Settings


def add_commands(subparsers: Any) -> None:
    """Add ``settings``."""
    settings = subparsers.add_parser("settings", help="what is wanted of boxes")
    leaves = settings.add_subparsers(required=True)
    show = leaves.add_parser("show", help="what is set for a site, or for one box")
    show.add_argument("subject", metavar="SITE[/BOX]")
    show.add_argument("--json", action="store_true", help="for machines")
    show.set_defaults(run=_show)
    set_ = leaves.add_parser("set", help="set some of it; KEY= takes a setting back")
    set_.add_argument("subject", metavar="SITE[/BOX]")
    set_.add_argument(
        "values",
        metavar="KEY=VALUE",
        nargs="+",
        help=", ".join(BoxSettings.__struct_fields__),
    )
    set_.set_defaults(run=_set)


def _show(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import print_record

    with open_central(arguments.dir) as central:
        settings = _read(central.settings, arguments.subject)
    print_record(msgspec.to_builtins(settings), as_json=arguments.json)
    return Exit.HELD


def _set(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from shared.clock import SystemClock
    from shared.ids import parse_box_id

    pairs = dict(_split(text) for text in arguments.values)
    with open_central(arguments.dir) as central, central.unit():
        before = msgspec.to_builtins(_read(central.settings, arguments.subject))
        after = parse_settings({**before, **pairs})
        at, actor = SystemClock().now(), command_actor()
        if "/" in arguments.subject:
            central.settings.set_box(parse_box_id(arguments.subject), after, at, actor)
        else:
            central.settings.set_site(arguments.subject, after, at, actor)
    print(f"✓ {arguments.subject}  {' '.join(arguments.values)}")
    return Exit.HELD


def _read(settings: "Settings", subject: str) -> BoxSettings:
    from shared.ids import parse_box_id

    if "/" in subject:
        return settings.read_box(parse_box_id(subject))
    return settings.read_site(subject)


def _split(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Malformed(Reason.REQUEST_MALFORMED, f"KEY=VALUE is wanted, not {name!r}")
    return name, value or None
