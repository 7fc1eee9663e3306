"""Topics: built and parsed in one place, with one reading."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import topics
from shared.errors import Malformed
from shared.ids import BoxId
from shared.topics import BoxTopic, build_topic, parse_topic
from tests.shared.strategies import refusal_of

BOX = BoxId("site1", "box7")
KINDS = (
    topics.ASK_SCAN,
    topics.ASK_REGISTER,
    topics.UP,
    topics.REPLY,
    topics.RECEIPT,
    topics.COMMAND,
    topics.STATUS,
    topics.DESIRED,
    topics.REPORTED,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_topic_reads_back(kind: str) -> None:
    """Root, site, box, and the tail that is also the kind a message is sealed for."""
    topic = build_topic(BOX, kind)
    assert topic == f"onecode/v1/site1/box7/{kind}"
    assert parse_topic(topic) == BoxTopic(BOX, kind)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "onecode/v1/site1/box7",
        "onecode/v1/site1/box7/",
        "onecode/v2/site1/box7/up",
        "other/v1/site1/box7/up",
        "/onecode/v1/site1/box7/up",
        "onecode/v1/+/box7/up",
        "onecode/v1/central/box7/up",
        "onecode/v1/lists/keys/up",
        "onecode/v1/Site1/box7/up",
        "$share/central/onecode/v1/site1/box7/up",
    ],
)
def test_what_is_no_box_topic(topic: str) -> None:
    """Another root, another version, no kind, a wildcard, a reserved site."""
    with pytest.raises(Malformed):
        parse_topic(topic)


@given(st.text(max_size=60))
def test_any_text_gives_a_topic_or_a_refusal(text: str) -> None:
    """And what was read is written the same."""
    for candidate in (text, f"onecode/v1/{text}", f"onecode/v1/site1/box7/{text}"):
        if refusal_of(partial(parse_topic, candidate)) is None:
            assert build_topic(*parse_topic(candidate)) == candidate


def _matches(pattern: str, kind: str) -> bool:
    return kind == pattern or (pattern.endswith("/#") and kind.startswith(pattern[:-1]))


def test_a_box_sends_and_hears_what_it_should_and_nothing_twice() -> None:
    """Each kind goes one way only: no box can hear what it may say, or say what it hears."""
    for kind in KINDS:
        sends = any(_matches(pattern, kind) for pattern in topics.BOX_SENDS)
        hears = any(_matches(pattern, kind) for pattern in topics.BOX_HEARS)
        assert sends is not hears


def test_centrals_subscriptions_are_shared() -> None:
    """So that any number of processes get each message once between them."""
    shared = "$share/central/onecode/v1/+/+/"
    assert all(topic.startswith(shared) for topic in topics.CENTRAL_SHARES)
    assert all(topic.startswith("onecode/v1/+/+/") for topic in topics.CENTRAL_WATCHES)
