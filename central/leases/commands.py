"""``onecode-central lease``: how long the boxes of a site may work alone."""

import argparse
from typing import Any

import msgspec

from shared.errors import Malformed
from shared.exits import Exit
from shared.lease import Bound, LeasePolicy
from shared.reasons import Reason

_STEPS = ("verify_only", "identity_only", "stop")
_NAMES = (
    *(f"{step}.{name}" for step in _STEPS for name in Bound.__struct_fields__),
    "boot_seconds",
    "lists_seconds",
)


def add_commands(subparsers: Any) -> None:
    """Add ``lease``."""
    lease = subparsers.add_parser("lease", help="how long the boxes of a site may work alone")
    leaves = lease.add_subparsers(required=True)
    show = leaves.add_parser("show", help="the terms of a site")
    show.add_argument("site", metavar="SITE")
    show.add_argument("--json", action="store_true", help="for machines")
    show.set_defaults(run=_show)
    set_ = leaves.add_parser("set", help="change some of them; boxes have them at their next lease")
    set_.add_argument("site", metavar="SITE")
    set_.add_argument("values", metavar="NAME=NUMBER", nargs="+", help=", ".join(_NAMES))
    set_.set_defaults(run=_set)


def _show(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.tables import print_record

    with open_central(arguments.dir) as central:
        policy = central.leases.read_policy(arguments.site)
    terms = msgspec.to_builtins(policy) if arguments.json else _flatten(policy)
    print_record(terms, as_json=arguments.json)
    return Exit.HELD


def _set(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.app import open_central
    from shared.clock import SystemClock

    with open_central(arguments.dir) as central, central.unit():
        terms = _flatten(central.leases.read_policy(arguments.site))
        for text in arguments.values:
            name, equals, value = text.partition("=")
            if not equals or name not in terms:
                raise Malformed(Reason.REQUEST_MALFORMED, f"NAME=NUMBER is wanted, not {text!r}")
            terms[name] = value
        policy = _build(terms)
        at = SystemClock().now()
        central.leases.set_policy(arguments.site, policy, at, command_actor())
    print(f"✓ {arguments.site}  {' '.join(arguments.values)}")
    return Exit.HELD


def _flatten(policy: LeasePolicy) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(policy).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": number for inner, number in value.items()}
        else:
            flat[name] = value
    return flat


def _build(terms: dict[str, Any]) -> LeasePolicy:
    nested: dict[str, Any] = {}
    for name, value in terms.items():
        step, dot, inner = name.partition(".")
        if dot:
            nested.setdefault(step, {})[inner] = value
        else:
            nested[name] = value
    try:
        return msgspec.convert(nested, LeasePolicy, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(Reason.SETTING_IMPOSSIBLE, str(error)) from error
