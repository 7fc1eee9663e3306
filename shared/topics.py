"""The only place an MQTT topic is built or parsed (SYSTEM.md, Messages).

Root ``onecode/v1/<site>/<box>/…``. The tail of a topic is also the ``kind`` a sealed message is
bound to.
"""

from typing import NamedTuple

from shared.errors import Malformed
from shared.ids import BoxId, parse_box_id
from shared.messages import ListName
from shared.reasons import Reason

ROOT = "onecode/v1"

ASK_SCAN = "ask/scan"
ASK_REGISTER = "ask/register"
ASK_LIST = "ask/list"
ASK_LEASE = "ask/lease"
ASK_NOTICED = "ask/noticed"
UP = "up"
REPLY = "down/reply"
RECEIPT = "down/receipt"
ANCHOR = "down/anchor"
COMMAND = "down/command"
STATUS = "status"
DESIRED = "desired"
REPORTED = "reported"

BOX_SENDS = ("ask/#", UP, STATUS, REPORTED)
"""What a box may publish, below its own root."""
BOX_HEARS = ("down/#", DESIRED)
"""What a box may subscribe to, below its own root."""
_LISTS = f"{ROOT}/lists/"
LISTS = f"{_LISTS}#"
"""What every box may hear."""
CENTRAL_SHARES = (f"$share/central/{ROOT}/+/+/ask/#", f"$share/central/{ROOT}/+/+/{UP}")
"""Central's shared subscriptions: any number of processes, each message to one of them."""
CENTRAL_WATCHES = (f"{ROOT}/+/+/{STATUS}", f"{ROOT}/+/+/{REPORTED}")
"""What every process of central hears: a shared subscription is given nothing retained."""
CENTRAL_HEARS = CENTRAL_SHARES + CENTRAL_WATCHES


class BoxTopic(NamedTuple):
    """A topic below a box's root, such as ``site1/box7`` and ``ask/scan``."""

    box: BoxId
    kind: str


def build_topic(box: BoxId, kind: str) -> str:
    """The full topic of one kind at one box."""
    return f"{ROOT}/{box}/{kind}"


def parse_topic(topic: str) -> BoxTopic:
    """Split a topic below a box's root. Raises Malformed."""
    parts = topic.split("/", 4)
    if len(parts) != 5 or f"{parts[0]}/{parts[1]}" != ROOT or not parts[4]:
        raise Malformed(Reason.MESSAGE_MALFORMED, "topic outside onecode/v1/<site>/<box>")
    return BoxTopic(parse_box_id(f"{parts[2]}/{parts[3]}"), parts[4])


def build_list_topic(what: str, site: str = "") -> str:
    """Where the head of a list stands: one for all sites, or one site's own."""
    return f"{_LISTS}{what}/{site}" if site else f"{_LISTS}{what}"


def list_topics(site: str) -> tuple[str, ...]:
    """The lists that a box of a site hears; not those of all the other sites."""
    shared = [build_list_topic(what) for what in ListName if what is not ListName.PERSONS]
    return (*shared, build_list_topic(ListName.PERSONS, site))


def is_list_topic(topic: str) -> bool:
    """Whether a list's head comes on it: what the head is of, its signed body says."""
    return topic.startswith(_LISTS)
