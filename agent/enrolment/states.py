"""The state machine of joining, as one table. Pure: no file, no socket.

    NEW ─invite─▶ INVITED ─centre─▶ CENTRE_KNOWN ─keys─▶ KEYS_MADE
        ─answer─▶ ANSWERED ─install─▶ JOINED

Each step leaves one draft behind, whole or not at all, so the state is what lies there. "Asked" is
no state: the same request goes again until it is answered. Behind ANSWERED no network is needed
and nothing can be refused any more, so whoever comes next finishes it.
"""

from collections.abc import Callable, Collection
from enum import StrEnum


class JoinState(StrEnum):
    """How far a box has come with one invite."""

    NEW = "new"
    INVITED = "invited"
    CENTRE_KNOWN = "centre-known"
    KEYS_MADE = "keys-made"
    ANSWERED = "answered"
    JOINED = "joined"


JOIN_STEPS: dict[JoinState, JoinState] = {
    JoinState.NEW: JoinState.INVITED,
    JoinState.INVITED: JoinState.CENTRE_KNOWN,
    JoinState.CENTRE_KNOWN: JoinState.KEYS_MADE,
    JoinState.KEYS_MADE: JoinState.ANSWERED,
    JoinState.ANSWERED: JoinState.JOINED,
}
"""There is one way, and no way back: another invite begins anew."""

DRAFTS: dict[JoinState, str] = {
    JoinState.INVITED: "invite",
    JoinState.CENTRE_KNOWN: "centre",
    JoinState.KEYS_MADE: "keys",
    JoinState.ANSWERED: "answer",
    JoinState.JOINED: "joined",
}
"""The draft that makes a state true."""


class Edge(StrEnum):
    """Where a box can be cut off while it joins or renews; behind each, something is durable."""

    INVITE_KEPT = "invite-kept"
    CENTRE_KEPT = "centre-kept"
    KEYS_KEPT = "keys-kept"
    ASKED = "asked"
    ANSWER_KEPT = "answer-kept"
    QUEUE_SET_ASIDE = "queue-set-aside"
    CA_INSTALLED = "ca-installed"
    CERTIFICATE_INSTALLED = "certificate-installed"
    SIGNING_KEY_INSTALLED = "signing-key-installed"
    PAIR_KEY_INSTALLED = "pair-key-installed"
    DESIRED_INSTALLED = "desired-installed"
    CONFIG_INSTALLED = "config-installed"
    JOINED_NOTED = "joined-noted"
    RENEWAL_KEY_KEPT = "renewal-key-kept"
    RENEWAL_ASKED = "renewal-asked"
    RENEWAL_INSTALLED = "renewal-installed"


Observe = Callable[[Edge], None]


def ignore(_edge: Edge) -> None:
    """The observer when nobody watches."""


def read_state(drafts: Collection[str]) -> JoinState:
    """The state that these drafts make: the furthest one with all before it, or JOINED alone."""
    if DRAFTS[JoinState.JOINED] in drafts:
        return JoinState.JOINED
    state = JoinState.NEW
    while DRAFTS[following := JOIN_STEPS[state]] in drafts:
        state = following
    return state
