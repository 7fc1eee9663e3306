"""What a box says alone: every reason of the pure decision."""

from dataclasses import replace
from datetime import datetime

import pytest

from agent.counter.verdicts import Decision, judge_alone
from agent.listed import CodeKeys, KnownKey
from agent.ports import CachedAnswer
from shared.crypto import STD
from shared.ehc import Code, DynamicCode, StaticCode, parse_code
from shared.messages import DecidedBy, Verdict
from shared.reasons import Reason
from tests.factories import (
    DOMAIN_KEY,
    DOMAIN_KID,
    IDENTITY,
    SAMPLE_EHC_ID,
    SAMPLE_VALIDITY,
    signed_dynamic_text,
)
from tests.fakes import NOON, seconds

KEYS = CodeKeys({DOMAIN_KID: KnownKey(STD.verify_key(DOMAIN_KEY.public_bytes))}, complete=True)
DOUBT = seconds(1)
KNOWN = CachedAnswer(IDENTITY, None, NOON)


def dynamic(text: str) -> DynamicCode:
    code = parse_code(text)
    assert isinstance(code, DynamicCode)
    return code


def alone(code: Code, at: datetime = NOON, cached: CachedAnswer | None = None) -> Decision:
    return judge_alone(code, cached, KEYS, at, DOUBT)


def test_a_signed_code_in_its_time_is_provisional() -> None:
    """The signature proves the code and its time, not who it is."""
    decision = alone(dynamic(signed_dynamic_text(DOMAIN_KEY, NOON)))
    assert decision == Decision(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, DecidedBy.BOX)


def test_a_known_card_is_named() -> None:
    """Central's last answer at this box says who it is."""
    for code in (StaticCode(SAMPLE_EHC_ID), dynamic(signed_dynamic_text(DOMAIN_KEY, NOON))):
        decision = alone(code, cached=KNOWN)
        assert (decision.verdict, decision.reason) == (Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN)
        assert decision.identity == IDENTITY


@pytest.mark.parametrize("code", [StaticCode(SAMPLE_EHC_ID), None])
def test_what_can_not_be_checked_is_provisional_and_nobody(code: StaticCode | None) -> None:
    """A static code never seen here, and a national dynamic code without a signature."""
    decision = alone(code or DynamicCode(SAMPLE_EHC_ID, SAMPLE_VALIDITY, None, None))
    assert (decision.verdict, decision.reason) == (Verdict.PROVISIONAL, Reason.OFFLINE_UNKNOWN)
    assert decision.identity is None


@pytest.mark.parametrize(
    ("age", "verdict", "reason"),
    [
        (-7, Verdict.REFUSED, Reason.CODE_FUTURE),
        (-5, Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED),
        (61, Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED),
        (62, Verdict.REFUSED, Reason.CODE_EXPIRED),
    ],
)
def test_time_is_judged_beyond_doubt_only(age: int, verdict: Verdict, reason: Reason) -> None:
    """Our own clock's doubt is in the patient's favour."""
    code = dynamic(signed_dynamic_text(DOMAIN_KEY, NOON, ttl_seconds=60))
    decision = alone(code, NOON + seconds(age))
    assert (decision.verdict, decision.reason) == (verdict, reason)


def test_a_spliced_tail_is_refused() -> None:
    """A genuine tail on another id: the signature covers the id. A known card does not help."""
    genuine = dynamic(signed_dynamic_text(DOMAIN_KEY, NOON))
    spliced = replace(genuine, ehc_id="0" * 64)
    assert alone(spliced, cached=KNOWN).reason is Reason.CODE_FORGED


def test_a_foreign_signature_under_our_kid_is_forged() -> None:
    """Only the domain's own key signs for it."""
    stranger = STD.new_signing_key()
    assert alone(dynamic(signed_dynamic_text(stranger, NOON))).reason is Reason.CODE_FORGED


def test_another_domains_code_is_refused_as_such() -> None:
    """CONTRACTS §5: a code in our grammar that no key of ours can have signed."""
    code = dynamic(signed_dynamic_text(DOMAIN_KEY, NOON, kid=DOMAIN_KID + 1))
    assert alone(code).reason is Reason.CODE_KEY_UNKNOWN


def test_what_central_refused_for_the_card_stays_refused() -> None:
    """A suspended card does not come back to life with the network's death."""
    cached = CachedAnswer(None, Reason.CARD_SUSPENDED, NOON)
    decision = alone(StaticCode(SAMPLE_EHC_ID), cached=cached)
    assert (decision.verdict, decision.reason) == (Verdict.REFUSED, Reason.CARD_SUSPENDED)
    assert not decision.uses_up
