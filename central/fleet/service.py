"""The fleet: which boxes there are, where they stand, and by which keys they are believed.

Every method runs inside the caller's unit of work. Certificates are made in ``certificates``,
the broker is told in ``broker``; here it is only known what was issued and who may speak.
"""

from datetime import datetime

from central.audit.service import Audit
from central.fleet import store
from central.fleet.box import Box, Joining, PublicKey
from central.fleet.states import BoxState, check_step
from central.keys.service import Keys
from shared.crypto import VerifyKey, suite
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.pairing import PairKey
from shared.reasons import Reason

_PAIR_KEY = "box.pair_key"
_LONGEST_NAME = 64


class Fleet:
    """Adds boxes, moves them through their states, gives their keys."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit
        self._pair_keys: dict[bytes, PairKey] = {}

    def add_box(self, joining: Joining, at: datetime, actor: str) -> Box:
        """Let a box join; its site and counter are made when they are new.

        Raises Refused (ALREADY_EXISTS), Malformed (REQUEST_MALFORMED) for a name that is empty,
        long, unprintable, or not the site's.
        """
        id = joining.id
        self._keep_site(id.site, joining.site_name)
        _check_name(joining.counter)
        counter = store.keep_counter(id.site, joining.counter)
        sealed = self._keys.seal(_PAIR_KEY, joining.pair_key.hex())
        number = store.next_box_number()
        if not store.insert_box(id, number, counter, sealed, at):
            raise Refused(Reason.ALREADY_EXISTS, f"box {id}")
        store.insert_key(id, joining.key_id, PublicKey(joining.suite, joining.public), at)
        store.insert_certificate(id, joining.certificate)
        serial = joining.certificate.serial
        self._audit.write("box.add", str(id), actor, at, number=number, certificate=serial)
        return self.box(id)

    def box(self, id: BoxId) -> Box:
        """A box as it stands. Raises Refused (NOT_ADMITTED) for an unknown one."""
        box = store.find_box(id)
        if box is None:
            raise Refused(Reason.NOT_ADMITTED, f"box {id}")
        return box

    def boxes(self) -> list[BoxId]:
        """The boxes that may speak: all but the retired."""
        return [box.id for box in self.list_boxes() if box.state is not BoxState.RETIRED]

    def list_boxes(self) -> list[Box]:
        """Every box there ever was, by its id."""
        return store.list_boxes()

    def has_site(self, site: str) -> bool:
        """Whether a site of this id is known."""
        return store.find_site_name(site) is not None

    def check_active(self, id: BoxId) -> None:
        """Raises Refused (NOT_ADMITTED) unless the box is active: no other is answered."""
        found = store.find_pair_key(id)
        if found is None or found[0] is not BoxState.ACTIVE:
            raise Refused(Reason.NOT_ADMITTED, f"box {id}")

    def pair_key(self, id: BoxId) -> PairKey:
        """The key that asks, replies and receipts are sealed with.

        A quarantined box has it still: it hears why it is refused, and its rows find custody.
        Raises Refused (NOT_ADMITTED) for an unknown or retired box.
        """
        found = store.find_pair_key(id)
        if found is None or found[0] is BoxState.RETIRED:
            raise Refused(Reason.NOT_ADMITTED, f"box {id}")
        sealed = found[1]
        key = self._pair_keys.get(sealed)
        if key is None:  # opened once: every ask comes here
            key = PairKey(bytes.fromhex(self._keys.open(_PAIR_KEY, sealed)))
            self._pair_keys[sealed] = key
        return key

    def verify_key(self, id: BoxId, key_id: int) -> VerifyKey:
        """A box's signing key, also a former one, whatever the box's state: a quarantined or
        retired box's rows are still its rows. Raises NotAuthentic (KEY_UNKNOWN), Refused (suite).
        """
        key = store.find_key(id, key_id)
        if key is None:
            raise NotAuthentic(Reason.KEY_UNKNOWN, f"box {id} key {key_id}")
        return suite(key.suite).verify_key(key.public)

    def mark_quarantined(self, id: BoxId, why: str, at: datetime) -> None:
        """Stop answering a box whose ledger contradicts itself; nothing more for one not active."""
        if self.box(id).state is BoxState.ACTIVE:
            self._move(id, BoxState.QUARANTINED, why, at, "central")

    def _move(self, id: BoxId, state: BoxState, why: str, at: datetime, actor: str) -> None:
        check_step(self.box(id).state, state)
        store.update_state(id, state, why, at)
        self._audit.write(f"box.{state}", str(id), actor, at, why=why)

    def _keep_site(self, site: str, name: str) -> None:
        known = store.find_site_name(site)
        if known is None:
            _check_name(name)
            store.insert_site(site, name)
        elif name not in {"", known}:
            raise Malformed(Reason.REQUEST_MALFORMED, f"site {site} has another name")


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Malformed(Reason.REQUEST_MALFORMED, f"a name has 1 to {_LONGEST_NAME} characters")
