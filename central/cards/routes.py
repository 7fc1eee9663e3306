"""The API's operations on cards and codes: thin, over the cards' service."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from central.cards.card import Card, CardId
from central.cards.service import Cards
from central.cards.states import CardAct, CardState
from central.hospital.service import Hospital
from central.patients.person import PersonId
from central.users.principal import Principal
from central.users.roles import Permission
from central.web.fields import CardPath, PersonPath
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.ehc import MAX_TTL_SECONDS
from shared.errors import Refused
from shared.reasons import Reason

_STATES = {str(state): state for state in CardState}
_ACT_REASONS = (Reason.NOT_FOUND, Reason.STATE_STEP)


class CardView(msgspec.Struct, frozen=True):
    """A card as the API shows it: never its ehc id, which only a code carries."""

    id: UUID
    person: UUID
    state: CardState


class CardChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a card is changed: one of a closed list, because free words may name somebody."""

    why: Literal["lost", "found", "asked-by-holder", "misuse", "mistake", "died", "other"]


class StaticRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="static"
):
    """The card's static code, the same each time."""


class DynamicRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dynamic"
):
    """A new dynamic code."""

    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=MAX_TTL_SECONDS)] = 60


class IssuedCode(msgspec.Struct, frozen=True):
    """A code's text; a static one has no end."""

    code: str
    expires_at: datetime | None


class CardRoutes:
    """Cards over HTTP."""

    def __init__(self, cards: Cards, hospital: Hospital) -> None:
        self._cards = cards
        self._hospital = hospital

    def operations(self) -> list[AnyOperation]:
        """What can be done with cards."""
        return [
            Operation(
                id="readCard",
                method="GET",
                path="/cards/{card}",
                tag="cards",
                summary_zh="读取一张卡",
                summary_en="Read a card",
                permission=Permission.CARDS_READ,
                work=Work.POINT,
                path_shape=CardPath,
                answer=CardView,
                run=self._read,
                reasons=(Reason.NOT_FOUND,),
            ),
            Operation(
                id="readCardOfPerson",
                method="GET",
                path="/persons/{person}/card",
                tag="cards",
                summary_zh="读取一个人的卡",
                summary_en="Read a person's card",
                permission=Permission.CARDS_READ,
                work=Work.POINT,
                path_shape=PersonPath,
                answer=CardView,
                run=self._read_of_person,
                reasons=(Reason.NOT_FOUND,),
            ),
            self._act(CardAct.SUSPEND, "停用一张卡", "Suspend a card"),
            self._act(CardAct.RESUME, "恢复一张卡", "Resume a card"),
            self._act(CardAct.CANCEL, "注销一张卡", "Cancel a card"),
            Operation(
                id="issueCode",
                method="POST",
                path="/cards/{card}/codes",
                tag="codes",
                summary_zh="签发一个码",
                summary_en="Issue a code",
                permission=Permission.CODES_ISSUE,
                work=Work.WRITE,
                path_shape=CardPath,
                body_shape=StaticRequest | DynamicRequest,
                answer=IssuedCode,
                created=True,
                run=self._issue,
                reasons=(
                    Reason.NOT_FOUND,
                    Reason.CARD_SUSPENDED,
                    Reason.CARD_CANCELLED,
                    Reason.REQUEST_NOT_ALLOWED,
                ),
            ),
        ]

    def _act(self, act: CardAct, summary_zh: str, summary_en: str) -> AnyOperation:
        acts = {
            CardAct.SUSPEND: self._cards.suspend,
            CardAct.RESUME: self._cards.resume,
            CardAct.CANCEL: self._cards.cancel,
        }

        def run(call: Call[CardPath, Nothing, CardChange]) -> CardView:
            card = CardId(self._read(call).id)
            return view_card(acts[act](card, call.at, call.principal.actor, call.body.why))

        return Operation(
            id=f"{act}Card",
            method="POST",
            path=f"/cards/{{card}}/{act}",
            tag="cards",
            summary_zh=summary_zh,
            summary_en=summary_en,
            permission=Permission.CARDS_WRITE,
            work=Work.WRITE,
            path_shape=CardPath,
            body_shape=CardChange,
            answer=CardView,
            run=run,
            current=self._read,
            reasons=_ACT_REASONS,
        )

    def _read(self, call: Call[CardPath, Nothing, Any]) -> CardView:
        id, person, state = self._cards.read_facts(CardId(call.path.card))
        self._check_seen(PersonId(person), call.principal)
        return CardView(id, person, _STATES[state])

    def _check_seen(self, person: PersonId, principal: Principal) -> None:
        """Raises Refused (NOT_FOUND) for the card of one whom the principal's site never saw."""
        site = principal.site
        if site is not None and self._hospital.identify(person, site) is None:
            raise Refused(Reason.NOT_FOUND, "card")

    def _read_of_person(self, call: Call[PersonPath, Nothing, Any]) -> CardView:
        person = PersonId(call.path.person)
        self._check_seen(person, call.principal)
        return view_card(self._cards.read_of(person))

    def _issue(self, call: Call[CardPath, Nothing, StaticRequest | DynamicRequest]) -> IssuedCode:
        card = self._cards.read(CardId(self._read(call).id))
        if isinstance(call.body, StaticRequest):
            text, expires_at = self._cards.static_code(card), None
        else:
            ttl = call.body.ttl_seconds
            text = self._cards.issue_dynamic(card, call.at, ttl)
            expires_at = call.at.replace(microsecond=0) + timedelta(seconds=ttl)
        kind = "static" if isinstance(call.body, StaticRequest) else "dynamic"
        self._cards.note_issued(card, kind, call.at, call.principal.actor)
        return IssuedCode(text, expires_at)


def view_card(card: Card) -> CardView:
    """A card as the API shows it."""
    return CardView(card.id, card.person, card.state)
