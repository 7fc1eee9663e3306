"""A card and a judgement on a code, as the rest of central knows them."""

from dataclasses import dataclass, field
from typing import NewType, Self
from uuid import UUID

from central.cards.states import CardState
from central.patients.person import PersonId
from shared.errors import Malformed
from shared.messages import Verdict
from shared.reasons import Reason

CardId = NewType("CardId", UUID)
"""A UUIDv7: the card's public number, which says nothing about its person."""


@dataclass(frozen=True, slots=True)
class Card:
    """A person's virtual account."""

    id: CardId
    person: PersonId
    state: CardState
    ehc_id: str = field(repr=False)  # the newest
    root_version: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What central says of a code. ``person`` only where the code is good.

    ``consumed``: the code was used up by the record it was judged for.
    """

    verdict: Verdict
    reason: Reason | None
    person: PersonId | None
    consumed: bool = False

    @classmethod
    def accepted(cls, person: PersonId, *, consumed: bool) -> Self:
        """Good, and whose."""
        return cls(Verdict.ACCEPTED, None, person, consumed)

    @classmethod
    def provisional(cls, reason: Reason) -> Self:
        """Genuine, and whose is not known yet."""
        return cls(Verdict.PROVISIONAL, reason, None)

    @classmethod
    def uncertain(cls, judged: "Judgement") -> Self:
        """What was judged depends on a time that cannot be trusted: a person decides."""
        reason = Reason.BIRTH_UNCERTAIN
        return cls(Verdict.PROVISIONAL, reason, judged.person, judged.consumed)

    @classmethod
    def refused(cls, reason: Reason) -> Self:
        """Not good, and why."""
        return cls(Verdict.REFUSED, reason, None)


def parse_card_id(text: str) -> CardId:
    """Read a card's number. Raises Malformed."""
    try:
        return CardId(UUID(text))
    except ValueError as error:
        raise Malformed(Reason.ID_MALFORMED, "card number") from error
