"""``onecode-central init`` and ``serve``."""

import argparse
import asyncio
import logging
from typing import Any

from shared.clock import SystemClock
from shared.exits import Exit

_log = logging.getLogger(__name__)


def add_commands(subparsers: Any) -> None:
    """Add ``init`` and ``serve``."""
    init = subparsers.add_parser("init", help="make a new centre: keys, certificates, broker files")
    init.add_argument("--host", default="127.0.0.1", help="what boxes call the broker")
    init.add_argument("--bind", default="127.0.0.1", help="address the broker listens on")
    init.add_argument("--box-port", type=int, default=8883, help="the boxes' listener")
    init.add_argument("--central-port", type=int, default=8884, help="central's own listener")
    init.add_argument("--web-port", type=int, default=8080, help="API and console; 0: any free one")
    init.add_argument("--join-port", type=int, default=8443, help="where boxes join and renew")
    init.add_argument("--kid", type=int, default=1, help="the domain's number in signed codes")
    init.add_argument("--dynamic-ttl", type=int, default=60, help="seconds a dynamic code is good")
    init.set_defaults(run=_init)

    serve = subparsers.add_parser("serve", help="answer boxes until stopped")
    serve.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING"))
    serve.set_defaults(run=_serve)


def _init(arguments: argparse.Namespace) -> int:
    from central.actors import command_actor
    from central.config import BrokerConfig, WebConfig
    from central.foundation import Foundation, found_central

    broker = BrokerConfig(arguments.host, arguments.box_port, arguments.central_port)
    web = WebConfig(port=arguments.web_port, box_host=arguments.bind, box_port=arguments.join_port)
    foundation = Foundation(broker, arguments.bind, arguments.kid, arguments.dynamic_ttl, web)
    for path in found_central(arguments.dir, foundation, SystemClock().now(), command_actor()):
        print(f"✓ {path}")
    return Exit.HELD


def _serve(arguments: argparse.Namespace) -> int:
    from central.app import open_central
    from central.config import CentralFiles, seal_secrets
    from central.serving import serve
    from shared.systemd import set_up_logging

    set_up_logging(arguments.log_level, "onecode-central")
    # peewee would log every statement's parameters at DEBUG.
    logging.getLogger("peewee").setLevel(logging.INFO)
    if lying_open := seal_secrets(CentralFiles(arguments.dir)):
        names = ", ".join(path.name for path in lying_open)
        _log.warning("secrets lie open, readable by this user alone: %s", names)
    with open_central(arguments.dir) as central:
        asyncio.run(serve(central))
    return Exit.HELD
