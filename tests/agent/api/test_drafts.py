"""What is typed at a page and not yet sent: kept in the box's memory under the page's own name."""

import pytest

from agent.counter.form_drafts import KEEP_SECONDS, MOST_DRAFTS, FormDrafts
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from shared.badges import badge_digest, new_badge
from shared.desired import OperatorEntry
from tests.agent.api.one_box import OneBox, serving
from tests.fakes import noon_clock, seconds

NAME = "0123456789abcdef" * 2
TYPED = {"document_type": "03", "number": "E1", "name": "虚构", "sex": "2", "phone": "1"}
PATH = f"issue/drafts/{NAME}"
BADGE = new_badge()
CLERK = OperatorEntry("u7", "李护士", "clerk", badge_digest(BADGE), "")


async def test_what_is_typed_is_kept_until_it_is_sent_or_wiped() -> None:
    """Each stroke's form replaces the last; nobody else's name finds it; no state tells it."""
    async with serving(OneBox()) as session:
        await session.post("issue/check", json={**TYPED, "phone": "", "draft": NAME})
        await session.post("issue/check", json={**TYPED, "draft": NAME})
        assert await (await session.get(PATH)).json() == {**TYPED, "draft": NAME}
        assert (await session.get(f"issue/drafts/{'f' * 32}")).status == 404
        state = await (await session.get("state")).text()
        assert TYPED["name"] not in state
        assert (await session.delete(PATH)).status == 200
        assert (await session.get(PATH)).status == 404


@pytest.mark.parametrize("name", ["x", "../../state", NAME.upper(), NAME + "0"])
async def test_a_draft_has_a_random_name(name: str) -> None:
    """A name that could be guessed would show one page's patient to another."""
    async with serving(OneBox()) as session:
        answer = await session.post("issue/check", json={**TYPED, "draft": name})
        assert answer.status == 422


def _drafts() -> tuple[FormDrafts[str], Operators]:
    policy = FixedPolicy("", "", "zh", True, 900, (CLERK,))
    operators = Operators(policy, noon_clock(), lambda _pin, _phc: True)
    return FormDrafts(operators, noon_clock()), operators


async def test_a_draft_ends_ten_minutes_after_the_last_stroke() -> None:
    """By the monotonic clock; of too many the oldest goes."""
    clock = noon_clock()
    drafts: FormDrafts[str] = FormDrafts(_drafts()[1], clock)
    drafts.keep("a", "first")
    clock.advance(seconds(KEEP_SECONDS - 1))
    drafts.keep("a", "second")
    clock.advance(seconds(KEEP_SECONDS - 1))
    assert drafts.find("a") == "second"
    clock.advance(seconds(1))
    assert drafts.find("a") is None
    for number in range(MOST_DRAFTS + 1):
        drafts.keep(str(number), "typed")
    assert drafts.find("0") is None
    assert drafts.find("1") == "typed"


async def test_who_goes_leaves_no_draft() -> None:
    """Signing in keeps what was typed before it, signing out wipes it at the box itself."""
    drafts, operators = _drafts()
    drafts.keep("a", "typed")
    await operators.sign_in("2468", BADGE)
    assert drafts.find("a") == "typed"
    operators.sign_out()
    assert drafts.find("a") is None
