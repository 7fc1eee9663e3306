"""What the broker is told: its configuration file, its roles, and changes to them while it runs;
and the one thing that it says itself.

Mosquitto 2.0 with its dynamic-security plugin. Default deny; central and each box have a role of
literal topics. Pure: texts and commands; who writes or sends them is elsewhere.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from central.config import BrokerConfig, CentralFiles
from central.fleet.certificates import CENTRAL_NAME
from shared.errors import Malformed
from shared.ids import BoxId, parse_box_id
from shared.topics import (
    BOX_HEARS,
    BOX_SENDS,
    CENTRAL_HEARS,
    DESIRED,
    LISTS,
    ROOT,
    build_topic,
)

CONTROL = "$CONTROL/dynamic-security/v1"
"""Central publishes ``encode_commands(…)`` here."""
CONTROL_RESPONSE = f"{CONTROL}/response"

NOTICES = "$SYS/broker/log/N"
"""The broker's own notices: who came, who went, and why; never a topic or a payload. Central alone
hears them, each of its processes all of them: a shared subscription is given none."""

Command = dict[str, Any]
"""One command of the plugin, as JSON."""

MOST_PACKET_BYTES = 1280 * 1024
"""A batch of a box is at most 1 MiB of rows, its keys and signature aside; nothing is larger."""

_CUT_OFF = re.compile(
    rb"[0-9]{1,12}: Client ([a-z0-9/-]{3,63}) disconnected due to oversize packet\."
)
"""Mosquitto 2.0. A box's client id is its certificate's name: it cannot say this of another."""

_PLUGIN = "mosquitto_dynamic_security.so"
_LIBRARIES = Path("/usr/lib")
_CENTRAL_SENDS = (f"{ROOT}/+/+/down/#", f"{ROOT}/+/+/{DESIRED}", LISTS)


def build_broker_config(files: CentralFiles, broker: BrokerConfig, bind: str, user: str) -> str:
    """The text of ``mosquitto.conf``: both listeners on address ``bind``, run as ``user``.

    Every limit is one that was measured to work (persistence of acknowledged messages, a bridge's
    inflight window, Nagle off).
    """
    files = CentralFiles(files.directory.resolve())

    def listener(port: int, authority: Path) -> list[str]:
        return [
            f"listener {port} {bind}",
            f"cafile {authority}",
            f"certfile {files.server}",
            f"keyfile {files.server_key}",
            "require_certificate true",
            "use_identity_as_username true",
        ]

    lines = [
        "# Written by onecode-central init.",
        f"user {user}",
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {find_plugin()}",
        f"plugin_opt_config_file {files.broker_roles}",
        "# Central signals this process when the list of revoked certificates is new.",
        f"pid_file {files.broker_pid}",
        "",
        "persistence true",
        f"persistence_location {files.broker_data}/",
        "autosave_interval 1",
        "autosave_on_changes true",
        "",
        "set_tcp_nodelay true",
        "max_inflight_messages 1000",
        "max_queued_messages 0",
        f"max_packet_size {MOST_PACKET_BYTES}",
        "",
        "# Topics and payloads are never logged: that would take log_type debug.",
        "log_dest stderr",
        "# Central audits what was too large for it to see: the notices say whose it was.",
        "log_dest topic",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "",
        "# Boxes and bridges. The certificate's name is the client id, so none takes another's.",
        *listener(broker.box_port, files.box_ca),
        f"crlfile {files.revoked}",
        "use_username_as_clientid true",
        "",
        "# Central's processes: an authority of their own, and a client id each.",
        *listener(broker.central_port, files.central_ca),
    ]
    return "\n".join(lines) + "\n"


def find_plugin() -> Path:
    """Where the distribution keeps the plugin; Debian's place when there is no broker here."""
    found = sorted(_LIBRARIES.glob(f"*/{_PLUGIN}")) + sorted(_LIBRARIES.glob(_PLUGIN))
    return found[0] if found else _LIBRARIES / "x86_64-linux-gnu" / _PLUGIN


def build_roles(boxes: Iterable[BoxId]) -> str:
    """The text of ``dynamic-security.json``: central, and these boxes."""
    boxes = list(boxes)
    deny = ("publishClientSend", "publishClientReceive", "subscribe")
    state = {
        "defaultACLAccess": {**dict.fromkeys(deny, False), "unsubscribe": True},
        "clients": [_central_client(), *(_box_client(box) for box in boxes)],
        "groups": [],
        "roles": [_central_role(), *(_box_role(box) for box in boxes)],
    }
    return json.dumps(state, indent=1)


def admit_commands(box: BoxId) -> list[Command]:
    """Let a box in while the broker runs.

    Harmless for a box that is already in: the plugin answers "already exists" and cuts no session,
    as a modification would. A session from before the box was let in has its topics from then on.
    """
    return [
        {"command": "createRole", **_box_role(box)},
        {"command": "createClient", **_box_client(box)},
    ]


def expel_commands(box: BoxId) -> list[Command]:
    """Cut the session of a box that is in, and leave it no topic.

    The client is deleted, not disabled: a certificate's login never asks whether it is disabled.
    """
    return [
        {"command": "deleteClient", "username": str(box)},
        {"command": "deleteRole", "rolename": _role_name(box)},
    ]


def hear_commands() -> list[Command]:
    """Let central hear the notices, at a broker whose roles are older than they.

    Harmless where it hears them already, as ``admit_commands``; else its session is cut once.
    """
    return [
        {"command": "addRoleACL", "rolename": CENTRAL_NAME, **_allow(kind, NOTICES)}
        for kind in ("publishClientReceive", "subscribeLiteral")
    ]


def parse_cut_off(notice: bytes) -> BoxId | None:
    """The box whose session the broker has ended, for a packet of more than ``MOST_PACKET_BYTES``;
    None for every other notice."""
    found = _CUT_OFF.fullmatch(notice)
    if found is None:
        return None
    try:
        return parse_box_id(found[1].decode("ascii"))
    except Malformed:
        return None


def encode_commands(commands: Iterable[Command]) -> bytes:
    """The payload for ``CONTROL``."""
    return json.dumps({"commands": list(commands)}).encode()


def _central_client() -> Command:
    return {"username": CENTRAL_NAME, "roles": [{"rolename": CENTRAL_NAME}]}


def _central_role() -> Command:
    heard = [topic.removeprefix("$share/central/") for topic in CENTRAL_HEARS]
    own = (CONTROL_RESPONSE, NOTICES)
    return {
        "rolename": CENTRAL_NAME,
        "acls": [
            *(_allow("publishClientSend", topic) for topic in (*_CENTRAL_SENDS, CONTROL)),
            *(_allow("publishClientReceive", topic) for topic in (*heard, *own)),
            *(_allow("subscribeLiteral", topic) for topic in (*CENTRAL_HEARS, *own)),
        ],
    }


def _box_client(box: BoxId) -> Command:
    return {"username": str(box), "roles": [{"rolename": _role_name(box)}]}


def _box_role(box: BoxId) -> Command:
    sends = [build_topic(box, kind) for kind in BOX_SENDS]
    hears = [*(build_topic(box, kind) for kind in BOX_HEARS), LISTS]
    return {
        "rolename": _role_name(box),
        "acls": [
            *(_allow("publishClientSend", topic) for topic in sends),
            *(_allow("publishClientReceive", topic) for topic in hears),
            *(_allow("subscribePattern", topic) for topic in hears),
        ],
    }


def _role_name(box: BoxId) -> str:
    return f"box {box}"


def _allow(kind: str, topic: str) -> Command:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
