"""Fault 13: what is wrong with a code that is shown at a box alone has a reason of its own.

For static and for dynamic codes, whatever they hold: spliced, foreign, from the future, over by a
second, signed by a key that is unknown or over, of a card that is revoked.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.counter.verdicts import Decision, judge_alone, latest_word
from agent.listed import CodeKeys, KnownKey, Listed
from agent.ports import CachedAnswer
from shared.crypto import STD
from shared.ehc import (
    Code,
    DynamicCode,
    Extension,
    ForeignExtension,
    StaticCode,
    build_code,
    parse_code,
    sign_extension,
)
from shared.errors import Malformed
from shared.messages import Verdict
from shared.reasons import Reason
from tests.factories import DOMAIN_KEY, DOMAIN_KID, IDENTITY
from tests.fakes import NOON, seconds

KNOWN = KnownKey(STD.verify_key(DOMAIN_KEY.public_bytes))
COMPLETE = CodeKeys({DOMAIN_KID: KNOWN}, complete=True)
STALE = CodeKeys({DOMAIN_KID: KNOWN})
DOUBT = seconds(1)
REVOCATIONS = [Reason.CARD_SUSPENDED, Reason.CARD_CANCELLED]

ehc_ids = st.integers(0, (1 << 256) - 1).map(lambda number: f"{number:064X}")
validities = st.integers(0, (1 << 128) - 1).map(lambda number: f"{number:032X}")
lifetimes = st.integers(1, 255)
nonces = st.binary(min_size=4, max_size=4)
other_kids = st.integers(0, 207).filter(lambda kid: kid != DOMAIN_KID)


@st.composite
def signed(draw: st.DrawFn, kids: st.SearchStrategy[int] | None = None) -> DynamicCode:
    """A dynamic code of anybody, signed at noon for some seconds."""
    return sign_extension(
        DOMAIN_KEY,
        DynamicCode(draw(ehc_ids), draw(validities)),
        kid=draw(kids) if kids is not None else DOMAIN_KID,
        nonce=draw(nonces),
        issued_at=NOON,
        ttl_seconds=draw(lifetimes),
    )


def alone(
    code: Code,
    at: datetime = NOON,
    *,
    keys: CodeKeys = COMPLETE,
    cached: CachedAnswer | None = None,
    listed: Listed | None = None,
) -> Decision:
    """What a box says that has read this text."""
    read = parse_code(build_code(code))
    assert read == code
    return judge_alone(code, latest_word(cached, listed or Listed()), keys, at, DOUBT)


def refusal(code: Code, at: datetime = NOON, *, keys: CodeKeys = COMPLETE) -> Reason | None:
    """Why a code is refused, whoever is said to be behind it."""
    known = Listed(None, NOON, IDENTITY, NOON)
    decision = alone(code, at, keys=keys, listed=known)
    assert decision == alone(code, at, keys=keys) or decision.verdict is not Verdict.REFUSED
    return decision.reason if decision.verdict is Verdict.REFUSED else None


def ttl(code: DynamicCode) -> timedelta:
    assert isinstance(code.extension, Extension)
    return timedelta(seconds=code.extension.ttl_seconds)


@given(signed(), signed())
def test_a_spliced_tail(one: DynamicCode, other: DynamicCode) -> None:
    """The tail of one code behind the id of another: a signature that is not of this code."""
    if one.ehc_id != other.ehc_id:
        assert refusal(replace(one, ehc_id=other.ehc_id)) is Reason.CODE_FORGED
    if one.validity != other.validity:
        assert refusal(replace(one, validity=other.validity)) is Reason.CODE_FORGED
    assert refusal(replace(one, payment="1")) is Reason.CODE_FORGED


@given(ehc_ids, signed())
def test_a_static_code_with_a_tail(ehc_id: str, other: DynamicCode) -> None:
    """It is no static code of ours: refused by its text."""
    tail = build_code(other).split(":", 2)[2]
    with pytest.raises(Malformed) as caught:
        parse_code(f"{ehc_id}:1:{tail}")
    assert caught.value.reason is Reason.CODE_STATIC_TAIL


@given(ehc_ids, validities, st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_another_issuers_extension(ehc_id: str, validity: str, digits: str) -> None:
    """Eleven digits: a code of another domain, whatever keys are known."""
    code = DynamicCode(ehc_id, validity, None, ForeignExtension(digits))
    for keys in (COMPLETE, STALE):
        assert refusal(code, keys=keys) is Reason.CODE_OTHER_DOMAIN


@given(signed(other_kids))
def test_a_key_that_is_not_of_ours(code: DynamicCode) -> None:
    """A box that knows every key in use refuses what another has signed."""
    assert refusal(code) is Reason.CODE_KEY_UNKNOWN


@given(signed(other_kids))
def test_a_key_that_may_have_been_added(code: DynamicCode) -> None:
    """With an old key set it may be genuine: by hand, and nobody is shown for it."""
    decision = alone(code, keys=STALE, listed=Listed(None, NOON, IDENTITY, NOON))
    assert decision.verdict is Verdict.PROVISIONAL
    assert decision.reason is Reason.CODE_KEY_UNKNOWN
    assert decision.identity is None


@given(signed())
def test_over_by_a_second(code: DynamicCode) -> None:
    """Good to its last second, and our own doubt; then expired."""
    end = NOON + ttl(code) + DOUBT
    assert refusal(code, end) is None
    assert refusal(code, end + seconds(1)) is Reason.CODE_EXPIRED


@given(signed())
def test_from_the_future(code: DynamicCode) -> None:
    """Issued later than any clock here may say."""
    assert refusal(code, NOON - seconds(6)) is None
    assert refusal(code, NOON - seconds(7)) is Reason.CODE_FUTURE


@given(signed(), st.sampled_from(REVOCATIONS))
def test_a_revoked_card_by_a_dynamic_code(code: DynamicCode, why: Reason) -> None:
    """In the list: refused with its reason, though this box has seen the card accepted before."""
    before = CachedAnswer(IDENTITY, None, NOON - timedelta(hours=1))
    listed = Listed(why, NOON, IDENTITY, NOON)
    for cached in (None, before):
        decision = alone(code, listed=listed, cached=cached)
        assert (decision.verdict, decision.reason) == (Verdict.REFUSED, why)
        assert decision.identity is None


@given(ehc_ids, st.sampled_from(REVOCATIONS))
def test_a_revoked_card_by_a_static_code(ehc_id: str, why: Reason) -> None:
    """The same for a sticker; and what is wrong with the code itself comes first."""
    listed = Listed(why, NOON, IDENTITY, NOON)
    decision = alone(StaticCode(ehc_id), listed=listed)
    assert (decision.verdict, decision.reason) == (Verdict.REFUSED, why)


@given(ehc_ids)
def test_a_person_of_the_site_never_seen_here(ehc_id: str) -> None:
    """In the list: named, PROVISIONAL."""
    decision = alone(StaticCode(ehc_id), listed=Listed(None, NOON, IDENTITY, NOON))
    assert (decision.verdict, decision.reason) == (Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN)
    assert decision.identity == IDENTITY
    assert alone(StaticCode(ehc_id)).reason is Reason.OFFLINE_UNKNOWN


@pytest.mark.parametrize("kind", ["static", "dynamic"])
@pytest.mark.parametrize(
    ("cached", "listed", "reason"),
    [
        # suspended at this box, then the list says it is good again
        (-1, Listed(None, NOON, None, None), None),
        (-1, Listed(None, NOON, IDENTITY, NOON), Reason.OFFLINE_KNOWN),
        # the list is older than what was said here
        (1, Listed(None, NOON, IDENTITY, NOON), Reason.CARD_SUSPENDED),
        (1, Listed(Reason.CARD_CANCELLED, NOON), Reason.CARD_SUSPENDED),
        (-1, Listed(Reason.CARD_CANCELLED, NOON), Reason.CARD_CANCELLED),
        # no list yet
        (-1, Listed(), Reason.CARD_SUSPENDED),
    ],
)
def test_the_latest_word_counts(
    kind: str, cached: int, listed: Listed, reason: Reason | None
) -> None:
    """Between the box's own answer and the list, the later one."""
    code: Code = StaticCode("0" * 64)
    if kind == "dynamic":
        bare = DynamicCode("0" * 64, "0" * 32)
        code = sign_extension(
            DOMAIN_KEY, bare, kid=DOMAIN_KID, nonce=bytes(4), issued_at=NOON, ttl_seconds=60
        )
    unlisted = Reason.OFFLINE_SIGNED if kind == "dynamic" else Reason.OFFLINE_UNKNOWN
    answer = CachedAnswer(None, Reason.CARD_SUSPENDED, NOON + timedelta(hours=cached))
    assert alone(code, cached=answer, listed=listed).reason is (reason or unlisted)


@given(signed())
def test_a_key_that_no_longer_signs(code: DynamicCode) -> None:
    """Good for what was issued in its time: a later code of a stolen key has its own reason."""
    for until, why in ((NOON + seconds(1), None), (NOON, Reason.CODE_KEY_ENDED)):
        keys = CodeKeys({DOMAIN_KID: KNOWN._replace(until_at=until)}, complete=True)
        assert refusal(code, keys=keys) is why
    for start, why in ((NOON + seconds(5), None), (NOON + seconds(6), Reason.CODE_KEY_ENDED)):
        keys = CodeKeys({DOMAIN_KID: KNOWN._replace(from_at=start)}, complete=True)
        assert refusal(code, keys=keys) is why
