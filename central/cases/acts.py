"""What outcomes do besides being told: each a small act of the feature it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from central.cards.service import Cards
from central.cards.states import CardState
from central.cases.case import Case, Evidence
from central.cases.kinds import Outcome
from central.cases.service import Act
from central.fleet.box import Place
from central.fleet.doors import Door
from central.fleet.service import Fleet
from central.patients.person import PersonId
from shared.errors import Refused
from shared.ids import BoxId
from shared.reasons import Reason

_WHY = "case"


def build_acts(cards: Cards, fleet: Fleet, read_door: Callable[[], Door]) -> Mapping[Outcome, Act]:
    """The acts there are; an outcome without one is told, and no more."""

    def suspend(case: Case, evidence: Sequence[Evidence], at: datetime, actor: str) -> str:
        """The cards of whom the case concerns; one that is stopped already stays so."""
        for person in _persons(evidence):
            card = cards.read_of(person)
            if card.state is CardState.ACTIVE:
                cards.suspend(card.id, at, actor, _why(case))
        return ""

    def restore(case: Case, evidence: Sequence[Evidence], at: datetime, actor: str) -> str:
        """Raises Refused (STATE_STEP) for a cancelled card: that takes a registration."""
        for person in _persons(evidence):
            card = cards.read_of(person)
            if card.state is not CardState.ACTIVE:
                cards.resume(card.id, at, actor, _why(case))
        return ""

    def rejoin(case: Case, _: Sequence[Evidence], at: datetime, actor: str) -> str:
        """The text of a new invite for the same place."""
        return fleet.invites.issue(Place(_box(case), "", ""), read_door(), at, actor).text

    def shut_out(case: Case, _: Sequence[Evidence], at: datetime, actor: str) -> str:
        fleet.revoke(_box(case), _why(case), at, actor)
        return ""

    return {
        Outcome.MISUSE: suspend,
        Outcome.CARD_RESTORED: restore,
        Outcome.REJOIN: rejoin,
        Outcome.SHUT_OUT: shut_out,
    }


def _why(case: Case) -> str:
    return f"{_WHY} {case.number}"


def _persons(evidence: Sequence[Evidence]) -> list[PersonId]:
    return list(dict.fromkeys(each.person for each in evidence if each.person is not None))


def _box(case: Case) -> BoxId:
    if len(case.boxes) != 1:
        raise Refused(Reason.REQUEST_NOT_ALLOWED, "the case is not of one box")
    return case.boxes[0]
