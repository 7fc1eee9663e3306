"""What a box that is alone says and allows at each step of its lease."""

import asyncio
from datetime import timedelta

import pytest

from agent.counter.allowed import allow
from agent.counter.verdicts import Decision, limit
from shared.lease import LeaseStep, LeaseUse
from shared.messages import DecidedBy, MedicalStep, ScanRecord, Verdict
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import DOMAIN_KEY, IDENTITY, STATIC_TEXT, accepted, signed_dynamic_text
from tests.fakes import NOON

KNOWN = Decision(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, DecidedBy.BOX, IDENTITY)
SIGNED = Decision(Verdict.PROVISIONAL, Reason.OFFLINE_SIGNED, DecidedBy.BOX)
OWN = Decision(Verdict.PROVISIONAL, Reason.OFFLINE_TEMPORARY, DecidedBy.BOX, IDENTITY)
OTHER = Decision(Verdict.PROVISIONAL, Reason.OFFLINE_TEMPORARY_OTHER, DecidedBy.BOX)
UNKNOWN = Decision(Verdict.PROVISIONAL, Reason.OFFLINE_UNKNOWN, DecidedBy.BOX)
FORGED = Decision(Verdict.REFUSED, Reason.CODE_FORGED, DecidedBy.BOX)
STEPS = tuple(LeaseStep)
LATER = ("lease-identity-only", "lease-stop")


@pytest.mark.parametrize(
    ("decision", "verdicts", "reasons"),
    [
        (KNOWN, "pppr", ("offline-known", "offline-known", *LATER)),
        (OWN, "pppr", ("offline-temporary", "offline-temporary", *LATER)),
        (SIGNED, "pprr", ("offline-signed", "offline-signed", *LATER)),
        (UNKNOWN, "prrr", ("offline-unknown", "lease-verify-only", *LATER)),
        (OTHER, "prrr", ("offline-temporary-other", "lease-verify-only", *LATER)),
        (FORGED, "rrrr", ("code-forged",) * 4),
    ],
    ids=["known", "own temporary", "signed", "unknown", "other box's", "forged"],
)
def test_what_is_left_of_a_decision(
    decision: Decision, verdicts: str, reasons: tuple[str, ...]
) -> None:
    """At each step: provisional or refused, and why; who it is, as long as that is told."""
    for step, letter, reason in zip(STEPS, verdicts, reasons, strict=True):
        left = limit(decision, step)
        assert left.verdict is (Verdict.REFUSED if letter == "r" else Verdict.PROVISIONAL)
        assert left.reason == reason
        assert left.identity == (None if letter == "r" else decision.identity)


def test_what_lists_would_have_told_is_refused_in_their_words() -> None:
    """A box that central's lists never reached has not been alone for long; what is known is no
    less good for that."""
    never = Reason.LEASE_LISTS_MISSING
    assert limit(UNKNOWN, LeaseStep.VERIFY_ONLY, never).reason is never
    assert limit(KNOWN, LeaseStep.VERIFY_ONLY, never) == KNOWN
    assert limit(UNKNOWN, LeaseStep.VERIFY_ONLY, Reason.LEASE_LISTS).reason == "lease-verify-only"
    assert limit(UNKNOWN, LeaseStep.IDENTITY_ONLY, never).reason == "lease-identity-only"


@pytest.mark.parametrize("place", MedicalStep)
def test_less_is_allowed_at_each_step(place: MedicalStep) -> None:
    """In words of both languages; money never after the first step, nothing after the second."""
    full, verify, identity, _ = (
        allow(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, place, step) for step in STEPS
    )
    assert full
    assert verify
    assert identity
    assert len({full.zh, verify.zh, identity.zh}) == 3
    assert len({full.en, verify.en, identity.en}) == 3
    assert not identity.go_on
    if place is MedicalStep.PAY:
        assert not verify.go_on
    accepted_ = allow(Verdict.ACCEPTED, None, place, LeaseStep.STOP)
    assert accepted_
    assert accepted_.go_on


async def test_a_stopped_box_still_records() -> None:
    """Refused in words with a next step; the record says what was shown and why."""
    desk = Desk()
    desk.uplink.up = False
    desk.lease.step = LeaseStep.STOP
    view = await desk.scan(STATIC_TEXT)
    assert (view.verdict, view.advice and view.advice.reason) == (
        Verdict.REFUSED,
        Reason.LEASE_STOP,
    )
    assert view.advice
    assert view.advice.next_zh
    assert view.advice.next_en
    (draft,) = desk.outbox.drafts
    assert isinstance(draft.record, ScanRecord)
    assert draft.record.reason is Reason.LEASE_STOP
    assert desk.lease.uses == [LeaseUse.SCAN]


async def test_central_decides_whatever_the_lease_says() -> None:
    """A box whose line is up is not alone, and is charged nothing."""
    desk = Desk()
    desk.lease.step = LeaseStep.STOP
    scanning = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.answer(accepted(ask.id, desk.clock.now()))
    view = await scanning
    assert view.verdict is Verdict.ACCEPTED
    assert view.allowed
    assert view.allowed.go_on
    assert desk.lease.uses == []


@pytest.mark.parametrize(
    ("issued", "reason"),
    [
        (timedelta(days=30), Reason.OFFLINE_SIGNED),  # nobody knows how long the box was off
        (timedelta(seconds=-10), Reason.OFFLINE_SIGNED),
        (timedelta(days=-1), Reason.CODE_EXPIRED),  # this much is certain
    ],
)
async def test_codes_under_a_doubted_clock(issued: timedelta, reason: Reason) -> None:
    """The clock shows 1970, the mark says that noon has passed: no code is from the future, and
    what was over by noon is over."""
    desk = Desk()
    desk.uplink.up = False
    desk.uplink.clock_offset = None
    desk.clock.set_wall(NOON - timedelta(days=20_000))
    desk.lease.clock_doubted, desk.lease.best_now = True, NOON
    desk.lease.step = LeaseStep.VERIFY_ONLY
    view = await desk.scan(signed_dynamic_text(DOMAIN_KEY, NOON + issued))
    assert view.advice
    assert view.advice.reason is reason


async def test_a_clock_of_before_is_judged_by() -> None:
    """A restart without a line, the clock wrong by years as central had found: codes are judged by
    what time it is, not by what the clock shows."""
    desk = Desk()
    desk.uplink.up = False
    desk.uplink.clock_offset = None
    desk.clock.set_wall(NOON + timedelta(days=2000))
    desk.lease.best_now = NOON
    async with asyncio.timeout(20):
        view = await desk.scan(signed_dynamic_text(DOMAIN_KEY, NOON))
    assert view.advice
    assert view.advice.reason is Reason.OFFLINE_SIGNED
