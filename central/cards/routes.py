"""The API's operations on cards: thin, over the cards' service."""

from typing import Any
from uuid import UUID

import msgspec

from central.cards.card import Card, CardId
from central.cards.service import Cards
from central.cards.states import CardState
from central.users.roles import Permission
from central.web.fields import CardPath, Id
from central.web.operations import AnyOperation, Call, Nothing, Operation, Work
from shared.reasons import Reason


class CardView(msgspec.Struct, frozen=True):
    """A card as the API shows it: never its ehc id, which only a code carries."""

    id: Id
    person: Id
    state: CardState
    root_version: int


class CardRoutes:
    """Cards over HTTP."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

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
        ]

    def _read(self, call: Call[CardPath, Nothing, Any]) -> CardView:
        return view_card(self._cards.read(CardId(UUID(call.path.card))))


def view_card(card: Card) -> CardView:
    """A card as the API shows it."""
    return CardView(str(card.id), str(card.person), card.state, card.root_version)
