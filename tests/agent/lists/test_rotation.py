"""Fault 25: the keys of codes rotate while half the fleet is away."""

from datetime import timedelta
from pathlib import Path

from agent.counter.verdicts import Decision, judge_alone
from central.cards.card import Card
from shared.ehc import Code, ForeignText, parse_code
from shared.messages import Verdict
from shared.reasons import Reason
from tests.agent.lists.box import ListBox, open_list_box
from tests.central.lists.centre import ListCentre
from tests.central.people import SAMPLE

DAY = timedelta(days=1)
SIGNED = (Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED)


def issue(centre: ListCentre, card: Card) -> Code:
    """A code as the patient's phone shows it now."""
    with centre.people.database.unit():
        text = centre.people.cards.issue_dynamic(card, centre.clock.now(), 60)
    code = parse_code(text)
    assert not isinstance(code, ForeignText)
    return code


def judge(box: ListBox, code: Code, later: timedelta = timedelta()) -> Decision:
    """What a box says alone."""
    at = box.centre.clock.now() + later
    return judge_alone(code, None, box.lists.code_keys(), at, timedelta(seconds=1))


def said(decision: Decision) -> tuple[Verdict, Reason | None]:
    return decision.verdict, decision.reason


async def test_half_the_fleet_is_away(centre: ListCentre, tmp_path: Path) -> None:
    """Those who heard verify both keys; those who did not verify the old one to its end, and take
    the new one's patients by hand."""
    _, card = centre.admit(SAMPLE)
    near, far = tmp_path / "near", tmp_path / "far"
    for directory in (near, far):
        directory.mkdir()
    async with open_list_box(near, centre) as here, open_list_box(far, centre) as away:
        centre.compose()
        for box in (here, away):
            await box.hear()
        centre.rotate(7 * DAY)
        centre.people.cards._keys = centre.keys
        await here.catch_up()

        centre.clock.advance(6 * DAY)
        await here.catch_up()
        old = issue(centre, card)
        assert said(judge(here, old)) == said(judge(away, old)) == SIGNED

        centre.clock.advance(DAY - timedelta(seconds=30))
        await here.catch_up()
        last = issue(centre, card)
        centre.clock.advance(timedelta(seconds=40))
        new = issue(centre, card)
        assert said(judge(here, last)) == said(judge(away, last)) == SIGNED
        expired = (Verdict.REFUSED, Reason.CODE_EXPIRED)
        assert said(judge(here, last, timedelta(seconds=30))) == expired
        assert said(judge(here, new)) == SIGNED
        assert said(judge(away, new)) == (Verdict.PROVISIONAL, Reason.CODE_KEY_UNKNOWN)

        await away.catch_up()
        assert said(judge(away, new)) == SIGNED
