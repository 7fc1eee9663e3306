"""The account of each person: opened, suspended, resumed, cancelled, and giving out its codes.

What a shown code is worth is ``central.cards.judging``. Every method runs inside the caller's
unit of work; ehc ids and codes reach the store only as tokens and sealed values.
"""

from datetime import datetime, timedelta

from central.audit.service import Audit
from central.cards import store
from central.cards.card import Card, CardId, Judgement
from central.cards.judging import CheckTemporary, CodeJudge, know_no_box
from central.cards.states import REFUSALS, CardAct, CardState, next_state
from central.cards.tokens import code_token, ehc_token, tail_token
from central.cards.tracing import CodeTrace, trace_code
from central.keys.service import Keys
from central.patients.person import Person, PersonId
from shared.clock import to_microseconds
from shared.ehc import MAX_TTL_SECONDS, DynamicCode, StaticCode, build_code
from shared.errors import Malformed, Refused
from shared.ids import BoxId, RecordId, new_record_id
from shared.reasons import Reason

_EHC_ID = "card_ehc_id.ehc_id"
_TEMPORARY = "temporary_code.text"


class Cards:
    """Opens cards, moves them through their states, issues their codes."""

    def __init__(
        self, keys: Keys, audit: Audit, check_temporary: CheckTemporary = know_no_box
    ) -> None:
        """``check_temporary`` knows the boxes' keys."""
        self._keys = keys
        self._audit = audit
        self._judge = CodeJudge(keys, check_temporary)

    def open_account(self, person: Person, at: datetime, actor: str) -> Card:
        """The person's card: opened if there is none, issued again if it was cancelled.

        For whoever has the holder's document at hand. A suspended card stays suspended.
        """
        stored = store.find_card_of(person.id)
        if stored is None:
            id = CardId(new_record_id(at))
            store.insert_card(id, person.id, CardState.ACTIVE, to_microseconds(at))
            self._audit.write("card.open", str(id), actor, at)
            self._give_ehc_id(id, person, at)
            return self.read(id)
        if stored.state == CardState.CANCELLED:
            self._act(CardId(stored.id), CardAct.REISSUE, at, actor)
        return self.renew_ehc_id(person, at)

    def renew_ehc_id(self, person: Person, at: datetime) -> Card:
        """Give the card the ehc id of the person's current name; former ones still lead to it.

        Raises Refused (NOT_FOUND).
        """
        card = self.read_of(person.id)
        self._give_ehc_id(card.id, person, at)
        return self.read(card.id)

    def read(self, id: CardId) -> Card:
        """The card with this number. Raises Refused (NOT_FOUND)."""
        stored = store.find_card(id)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, f"card {id}")
        return self._card(stored)

    def read_facts(self, id: CardId) -> store.CardFacts:
        """Whose card this is and where it stands, without opening what is sealed.

        Raises Refused (NOT_FOUND).
        """
        facts = store.find_facts(id)
        if facts is None:
            raise Refused(Reason.NOT_FOUND, f"card {id}")
        return facts

    def read_of(self, person: PersonId) -> Card:
        """The person's card. Raises Refused (NOT_FOUND)."""
        stored = store.find_card_of(person)
        if stored is None:
            raise Refused(Reason.NOT_FOUND, f"card of person {person}")
        return self._card(stored)

    def list_names(self, id: CardId) -> list[str]:
        """Everything by which a code leads to a card: ehc ids, texts of temporary codes."""
        ehc_ids = [self._keys.open(_EHC_ID, sealed) for sealed in store.list_ehc_ids(id)]
        texts = [self._keys.open(_TEMPORARY, sealed) for sealed in store.list_temporary(id)]
        return ehc_ids + texts

    def list_names_of(self, person: PersonId) -> list[str]:
        """Everything by which a code leads to a person; none where there is no card yet."""
        stored = store.find_card_of(person)
        return [] if stored is None else self.list_names(CardId(stored.id))

    def static_code(self, card: Card) -> str:
        """The card's static code, the same each time.

        Raises Refused (CARD_SUSPENDED, CARD_CANCELLED).
        """
        _check_usable(card)
        return build_code(StaticCode(card.ehc_id))

    def issue_dynamic(
        self, card: Card, at: datetime, ttl_seconds: int = 60, *, signed: bool = True
    ) -> str:
        """A new dynamic code, entered in the ledger: no two that are issued are the same text.

        It is good from the second of ``at`` for ``ttl_seconds`` (1–255). Unsigned ones are the
        bare national form, for readers that know no more; a box alone cannot check them.
        Raises Refused (CARD_SUSPENDED, CARD_CANCELLED), Malformed (REQUEST_MALFORMED).
        """
        _check_usable(card)
        if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
            raise Malformed(Reason.REQUEST_MALFORMED, f"a code lives 1–{MAX_TTL_SECONDS} seconds")
        issued_at = at.replace(microsecond=0)
        expires_at = issued_at + timedelta(seconds=ttl_seconds)
        # The national form has no nonce, so its next code in one second takes the next second.
        for offset in range(ttl_seconds):
            validity = self._keys.build_validity(issued_at + timedelta(seconds=offset))
            code = DynamicCode(card.ehc_id, validity)
            if signed:
                code = self._keys.sign_extension(code, issued_at, ttl_seconds)
            text = build_code(code)
            if store.insert_issued(
                code_token(self._keys, text),
                tail_token(self._keys, text),
                card.id,
                to_microseconds(issued_at),
                to_microseconds(expires_at),
            ):
                return text
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "too many codes of one card in one second")

    def keep_temporary(
        self, text: str, card: Card, box: BoxId, record: RecordId, at: datetime
    ) -> bool:
        """Let the temporary code that ``record`` reports lead to this card for ever; False when it
        does already.

        Raises Refused (ALREADY_EXISTS) for a code that another record reported.
        """
        token, sealed = code_token(self._keys, text), self._keys.seal(_TEMPORARY, text)
        row = store.Temporary(
            token, card.id.bytes, sealed, str(box), record.bytes, to_microseconds(at)
        )
        if store.insert_temporary(row):
            self._audit.write("code.temporary", str(card.id), str(box), at, record=record.hex)
            return True
        if store.find_giver(token) != (str(box), record.bytes):
            raise Refused(Reason.ALREADY_EXISTS, "one temporary code of two records")
        return False

    def note_issued(self, card: Card, kind: str, at: datetime, actor: str) -> None:
        """Enter in the audit that someone was given a code of this card."""
        self._audit.write("code.issue", str(card.id), actor, at, kind=kind)

    def judge(  # noqa: PLR0913 - a code, by whom it is used, and how it is to be judged
        self,
        text: str,
        box: BoxId,
        record_id: RecordId,
        at: datetime,
        *,
        consume: bool = True,
        late: bool = False,
    ) -> Judgement:
        """What ``text`` is worth at ``at``; a good dynamic code is used up for (box, record).

        Without ``consume`` nothing changes: what would have been said. ``late``: ``at`` is past,
        and the card counts as it stood then.
        """
        return self._judge.judge(text, box, record_id, at, consume=consume, late=late)

    def trace(self, text: str, at: datetime) -> CodeTrace | None:
        """Whose code this is, how the card stood at ``at``, and who used the code up."""
        return trace_code(self._keys, text, at)

    def token_of(self, text: str) -> bytes:
        """The keyed token that stands for a scanned text wherever it must be known again."""
        return code_token(self._keys, text)

    def report_use(self, text: str, box: BoxId, record_id: RecordId, at: datetime) -> bool:
        """The record that used up a dynamic code has arrived.

        False when the use has moved on to another record of the box, and this one has none.
        """
        token = code_token(self._keys, text)
        return store.report_use(token, str(box), record_id.bytes, to_microseconds(at))

    def suspend(self, id: CardId, at: datetime, actor: str, why: str = "") -> Card:
        """Refuse the card's codes until it is resumed. Raises Refused (NOT_FOUND, STATE_STEP)."""
        return self._act(id, CardAct.SUSPEND, at, actor, why)

    def resume(self, id: CardId, at: datetime, actor: str, why: str = "") -> Card:
        """Make a suspended card good again. Raises Refused (NOT_FOUND, STATE_STEP)."""
        return self._act(id, CardAct.RESUME, at, actor, why)

    def cancel(self, id: CardId, at: datetime, actor: str, why: str = "") -> Card:
        """End the card until the holder registers again. Raises Refused (NOT_FOUND, STATE_STEP)."""
        return self._act(id, CardAct.CANCEL, at, actor, why)

    def _act(self, id: CardId, act: CardAct, at: datetime, actor: str, why: str = "") -> Card:
        before = self.read(id).state
        after = next_state(before, act)
        if not store.update_state(id, before, after, to_microseconds(at)):
            raise Refused(Reason.STATE_STEP, "the card was changed meanwhile")
        reason = {"why": why} if why else {}
        self._audit.write(f"card.{act}", str(id), actor, at, before=before, **reason)
        return self.read(id)

    def _give_ehc_id(self, id: CardId, person: Person, at: datetime) -> None:
        derived = self._keys.derive(person.document.type, person.document.number, person.name)
        stored = store.find_card(id)
        if stored and self._keys.open(_EHC_ID, stored.ehc_id) == derived.ehc_id:
            return
        token, moment = ehc_token(self._keys, derived.ehc_id), to_microseconds(at)
        if not store.renew_ehc_id(token, id, moment):
            sealed = self._keys.seal(_EHC_ID, derived.ehc_id)
            store.insert_ehc_id(token, id, sealed, derived.root_version, moment)

    def _card(self, stored: store.StoredCard) -> Card:
        return Card(
            CardId(stored.id),
            PersonId(stored.person),
            CardState(stored.state),
            self._keys.open(_EHC_ID, stored.ehc_id),
            stored.root_version,
        )


def _check_usable(card: Card) -> None:
    if refusal := REFUSALS.get(card.state):
        raise Refused(refusal, f"card {card.id}")
