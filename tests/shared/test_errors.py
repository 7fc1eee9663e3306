"""The tree of errors: what may be tried again, and what a person reads."""

import pytest

from shared import errors
from shared.backoff import Backoff
from shared.errors import Damaged, Malformed, NotAuthentic, OneCodeError, Refused, Unavailable
from shared.exits import Exit, describe, exit_of
from shared.reasons import Reason

TREE = {
    OneCodeError: Exception,
    Refused: OneCodeError,
    Malformed: Refused,
    NotAuthentic: Refused,
    Unavailable: OneCodeError,
    Damaged: OneCodeError,
}


def test_the_tree_is_the_one_that_is_drawn() -> None:
    """Every class of the file, with its parent, and in the docstring."""
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type)} - {Reason}
    assert classes == set(TREE)
    for kind, parent in TREE.items():
        assert kind.__bases__ == (parent,)
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", TREE)
def test_an_error_carries_its_reason(kind: type[OneCodeError]) -> None:
    """The code a person quotes, and the detail for engineers."""
    error = kind(Reason.CODE_EXPIRED, "by 3 s")
    assert (error.reason, error.detail) == (Reason.CODE_EXPIRED, "by 3 s")
    assert str(error) == "code-expired: by 3 s"
    assert str(kind(Reason.CODE_EXPIRED)) == "code-expired"


@pytest.mark.parametrize("kind", TREE)
def test_only_what_is_unavailable_may_be_tried_again(kind: type[OneCodeError]) -> None:
    """A script sees it in the exit code."""
    expected = Exit.UNAVAILABLE if kind is Unavailable else Exit.CHECK_FAILED
    assert exit_of(kind(Reason.NO_ANSWER)) is expected


def test_a_described_error_says_what_to_do_in_both_languages() -> None:
    """Code, what happened, next step."""
    text = describe(Unavailable(Reason.LINK_DOWN, "port 8883"))
    words = Reason.LINK_DOWN.words
    assert text.startswith("✗ link-down (port 8883)\n")
    assert all(part in text for part in words)


def test_backoff_doubles_to_its_bound_and_starts_again() -> None:
    """Between half the step and the step, whatever the chance."""
    low, high = Backoff(1, 8, lambda: 0.0), Backoff(1, 8, lambda: 0.999)
    assert [low.next_seconds() for _ in range(5)] == [0.5, 1, 2, 4, 4]
    assert all(step / 2 < high.next_seconds() < step for step in (1, 2, 4, 8, 8))
    low.reset()
    assert low.next_seconds() == 0.5
