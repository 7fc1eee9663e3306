"""The fleet: which boxes there are, where they stand, and by which keys they are believed.

Every method runs inside the caller's unit of work. Certificates are made in ``certificates``,
the broker is told in ``broker``; here it is only known what was issued and who may speak.
"""

from contextlib import suppress
from datetime import datetime

from central.audit.service import Audit
from central.fleet import certificate_store, store
from central.fleet.box import Box, Certified, NewKeys, Place, PublicKey, Standing
from central.fleet.invites import Invites
from central.fleet.places import complete_place, keep_place
from central.fleet.states import SHUT_OUT, BoxState, check_step
from central.keys.service import Keys
from shared.crypto import STD, VerifyKey, suite
from shared.ehc import TemporaryCode, temporary_kid, verify_temporary
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.ledger import EPOCHS_A_MACHINE
from shared.pairing import PairKey
from shared.reasons import Reason

_PAIR_KEY = "box.pair_key"
_LONGEST_WHY = 200


class Fleet:
    """Adds boxes, moves them through their states, gives their keys."""

    def __init__(self, keys: Keys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit
        self._pair_keys: dict[bytes, PairKey] = {}
        self.invites = Invites(keys, audit)
        self.changes = 0
        """Counts what may concern the broker: a process does not see its own commits otherwise."""

    def add_box(self, place: Place, keys: NewKeys, at: datetime, actor: str) -> Box:
        """Let a box join; its site and counter are made when they are new.

        Raises Refused (ALREADY_EXISTS), Malformed (REQUEST_MALFORMED) as ``complete_place``.
        """
        place = complete_place(place)
        number = store.next_box_number()
        sealed = self._keys.seal(_PAIR_KEY, keys.pair_key.hex())
        if not store.insert_box(place, number, keep_place(place), sealed, at):
            raise Refused(Reason.ALREADY_EXISTS, f"box {place.id}")
        return self._keep_keys("box.add", place, keys, at, actor)

    def replace_machine(self, place: Place, keys: NewKeys, at: datetime, actor: str) -> Box:
        """Let another machine join under a known box's name and number.

        A new epoch begins, former signing keys stay, former certificates are revoked.
        Raises Refused (NOT_ADMITTED, STATE_STEP), Malformed as ``complete_place``.
        """
        state = self.box(place.id).state
        if state is not BoxState.ACTIVE:
            self._move(place.id, BoxState.ACTIVE, "joined again", at, actor)
        place = complete_place(place)
        sealed = self._keys.seal(_PAIR_KEY, keys.pair_key.hex())
        store.replace_machine(place, keep_place(place), sealed)
        self._revoke_certificates(place.id, "another machine joined", at)
        return self._keep_keys("box.replace", place, keys, at, actor)

    def revoke(self, id: BoxId, why: str, at: datetime, actor: str) -> None:
        """Shut a box out with all its certificates; it may come back by a new invite.

        The broker hears of it within seconds (``central.ingest.admission``). Raises Refused
        (NOT_ADMITTED, STATE_STEP), Malformed for an empty or long ``why``.
        """
        if not why.strip() or len(why) > _LONGEST_WHY or not why.isprintable():
            raise Malformed(Reason.REQUEST_MALFORMED, f"why has 1 to {_LONGEST_WHY} characters")
        self._move(id, BoxState.REVOKED, why, at, actor)
        self._revoke_certificates(id, why, at)

    def list_certificates(self, id: BoxId) -> list[Certified]:
        """A box's certificates, the newest first. Raises Refused (NOT_ADMITTED)."""
        self.box(id)
        return certificate_store.list_certificates(id)

    def box(self, id: BoxId) -> Box:
        """A box as it stands. Raises Refused (NOT_ADMITTED) for an unknown one."""
        box = store.find_box(id)
        if box is None:
            raise Refused(Reason.NOT_ADMITTED, f"box {id}")
        return box

    def is_known(self, id: BoxId) -> bool:
        """Whether there ever was a box of this name."""
        return store.find_box(id) is not None

    def boxes(self) -> list[BoxId]:
        """The boxes that may speak: all but the revoked and the retired."""
        return [box.id for box in self.list_boxes() if box.state not in SHUT_OUT]

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
        Raises Refused (NOT_ADMITTED) for an unknown, revoked or retired box.
        """
        found = store.find_pair_key(id)
        if found is None or found[0] in SHUT_OUT:
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

    def check_temporary(self, code: TemporaryCode) -> BoxId:
        """Which box gave a temporary code, by any key it ever had and whatever its state.

        Raises NotAuthentic (CODE_FORGED), also for a number that no box has.
        """
        for box, key_id, key in store.list_keys_of_number(code.box_number):
            if temporary_kid(key_id) == code.kid:
                with suppress(NotAuthentic):
                    verify_temporary(suite(key.suite).verify_key(key.public), code)
                    return box
        raise NotAuthentic(Reason.CODE_FORGED, f"box number {code.box_number}")

    def check_epoch(self, id: BoxId, key_id: int, epoch: int) -> None:
        """That an epoch is one of this key's machine, or of one before it.

        A machine begins epochs of its own after its queue was damaged, up to the number that
        central would give the next machine. Raises NotAuthentic (EPOCH_FOREIGN).
        """
        box = self.box(id)
        end = box.epoch + EPOCHS_A_MACHINE if key_id == box.key_id else box.epoch
        if not 0 <= epoch < end:
            raise NotAuthentic(Reason.EPOCH_FOREIGN, f"box {id} key {key_id} epoch {epoch}")

    def list_site_keys(self, site: str) -> list[tuple[int, int, bytes]]:
        """What verifies the temporary codes of a site's boxes: number, kid, public key. A box that
        is shut out vouches for nothing any more."""
        return [
            (number, temporary_kid(key_id), key.public)
            for number, state, key_id, key in store.list_keys_of_site(site)
            if state not in SHUT_OUT and key.suite == STD.id
        ]

    def list_standings(self) -> list[Standing]:
        """Every box, and what the broker was last told of it."""
        return store.list_standings()

    def note_told(self, standing: Standing) -> None:
        """The broker knows the box as it stands."""
        store.save_told(standing.id, standing.epoch)

    def mark_quarantined(self, id: BoxId, why: str, at: datetime) -> None:
        """Stop answering a box whose ledger contradicts itself; nothing more for one not active."""
        if self.box(id).state is BoxState.ACTIVE:
            self._move(id, BoxState.QUARANTINED, why, at, "central")

    def _move(self, id: BoxId, state: BoxState, why: str, at: datetime, actor: str) -> None:
        check_step(self.box(id).state, state)
        store.update_state(id, state, why, at)
        self.changes += 1
        self._audit.write(f"box.{state}", str(id), actor, at, why=why)

    def _keep_keys(self, act: str, place: Place, keys: NewKeys, at: datetime, actor: str) -> Box:
        box = self.box(place.id)
        key_id = store.next_key_id(box.id)
        store.insert_key(box.id, key_id, PublicKey(keys.suite, keys.signing_public), at)
        certificate_store.insert_certificate(box.id, keys.certificate)
        self.changes += 1
        self._audit.write(
            act,
            str(box.id),
            actor,
            at,
            number=box.number,
            epoch=box.epoch,
            machine=place.machine,
            certificate=keys.certificate.serial,
        )
        return self.box(box.id)

    def _revoke_certificates(self, id: BoxId, why: str, at: datetime) -> None:
        for certified in certificate_store.list_certificates(id):
            certificate_store.revoke_certificate(certified.facts.serial, why, at)
