"""Lists between the sides: signatures by purpose, tokens, a digest that is of the set alone."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic
from shared.lists import (
    NO_DIGEST,
    START,
    TOKEN_BYTES,
    CodeKey,
    ListHead,
    RevokedPage,
    SignedList,
    card_token,
    check_site,
    element,
    end_of,
    keys_digest,
    open_head,
    open_page,
    set_digest,
    sign_head,
    sign_page,
)
from shared.messages import ListName
from shared.reasons import Reason
from shared.topics import LISTS, build_list_topic, is_list_topic, list_topics

KEY = STD.signing_key(bytes(range(32)))
PUBLIC = STD.verify_key(KEY.public_bytes)
HEAD = ListHead(ListName.REVOKED, "", 7, 0, NO_DIGEST, 1)
PAGE = RevokedPage(head=HEAD, since=START, added=(), removed=())

tokens = st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES)
why = st.sampled_from([Reason.CARD_SUSPENDED, Reason.CARD_CANCELLED])
sets = st.dictionaries(tokens, why, max_size=20)


def digest_of(entries: dict[bytes, Reason]) -> bytes:
    return set_digest(NO_DIGEST, (element(token, reason) for token, reason in entries.items()))


@given(sets, sets, st.randoms())
def test_the_digest_is_of_the_set(
    one: dict[bytes, Reason], other: dict[bytes, Reason], chance: random.Random
) -> None:
    """Whatever came and went in whatever order; sets that differ differ in it."""
    order = list(other.items())
    chance.shuffle(order)
    gone = [element(*entry) for entry in one.items() if entry not in other.items()]
    came = [element(*entry) for entry in order if entry not in one.items()]
    assert set_digest(digest_of(one), came, gone) == digest_of(other)
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_a_signature_is_for_one_purpose() -> None:
    """A head is no page, a page no head, and another key's is neither."""
    payload = sign_head(KEY.sign, HEAD)
    assert open_head(PUBLIC, payload) == HEAD
    signed = sign_page(KEY.sign, PAGE)
    assert open_page(PUBLIC, signed) == PAGE
    with pytest.raises(NotAuthentic):
        open_head(PUBLIC, msgspec.msgpack.encode(signed))
    with pytest.raises(NotAuthentic):
        open_page(PUBLIC, msgspec.msgpack.decode(payload, type=SignedList))
    stranger = STD.new_signing_key()
    with pytest.raises(NotAuthentic):
        open_head(PUBLIC, sign_head(stranger.sign, HEAD))
    for length in range(len(payload)):
        with pytest.raises(Malformed):
            open_head(PUBLIC, payload[:length])


@given(st.binary(max_size=300))
def test_nothing_else_opens(payload: bytes) -> None:
    """Rubbish on the topic is refused, never more."""
    with pytest.raises((Malformed, NotAuthentic)):
        open_head(PUBLIC, payload)


@given(st.text(max_size=80), st.text(max_size=80))
def test_tokens_tell_names_apart(one: str, other: str) -> None:
    """By their key too; each has one length."""
    key, stranger = bytes(32), bytes(31) + b"\1"
    assert len(card_token(key, one)) == TOKEN_BYTES
    assert (card_token(key, one) == card_token(key, other)) == (one == other)
    assert card_token(key, one) != card_token(stranger, one)


def test_a_key_set_is_known_by_all_of_it() -> None:
    """Times and the tokens' key are part of it."""
    keys = (CodeKey(1, bytes(32), 0, None),)
    digest = keys_digest(keys, bytes(32))
    assert digest != keys_digest(keys, bytes(31) + b"\1")
    assert digest != keys_digest((CodeKey(1, bytes(32), 0, 5),), bytes(32))


def test_a_list_is_for_its_site() -> None:
    """Persons are of one site; what all share says none."""
    persons = msgspec.structs.replace(HEAD, what=ListName.PERSONS, site="site1")
    check_site(HEAD, "site1")
    check_site(persons, "site1")
    for head in (persons, msgspec.structs.replace(HEAD, site="site1")):
        with pytest.raises(Malformed):
            check_site(head, "site2")


def test_topics_of_lists() -> None:
    """Below the one root that every box may hear."""
    for topic in (build_list_topic("keys"), build_list_topic("persons", "site1")):
        assert is_list_topic(topic)
        assert topic.startswith(LISTS.removesuffix("#"))
    assert list_topics("site1") == (
        "onecode/v1/lists/keys",
        "onecode/v1/lists/revoked",
        "onecode/v1/lists/persons/site1",
    )
    assert not is_list_topic("onecode/v1/site1/box1/down/reply")
    assert end_of(7).revision == 7
