"""Cards on the reader: for whoever may see them, for a minute, and in no log."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from agent.counter.documents import KEEP_SECONDS, Documents, DocumentView
from agent.counter.operators import Operators
from agent.counter.policy import FixedPolicy
from agent.ports import (
    DeviceChanged,
    DeviceDescriptor,
    DocumentEvent,
    DocumentNotRead,
    DocumentRead,
)
from shared.badges import badge_digest, new_badge
from shared.clock import ManualClock
from shared.desired import OperatorEntry
from shared.devices import DeviceState
from shared.passwords import hash_password, verify_password
from shared.reasons import Reason
from tests.fakes import NOON, noon_clock, seconds

NUMBER, NAME = "11010020171225006X", "电子健康卡"
CARD = DocumentRead("01", NUMBER, NAME, "2", NOON)
DEVICE = DeviceDescriptor("SAM_V", "reader")
BADGE, PIN = new_badge(), "2468"
CLERK = OperatorEntry("u7", "李护士", "clerk", badge_digest(BADGE), hash_password(PIN))


class ScriptedReader:
    """Implements ``agent.ports.DocumentReader``; ends when it has told all."""

    def __init__(self, *events: DocumentEvent) -> None:
        self._events = events

    @property
    def descriptor(self) -> DeviceDescriptor:
        return DEVICE

    async def events(self) -> AsyncIterator[DocumentEvent]:
        for event in self._events:
            await asyncio.sleep(0)
            yield event


def documents(
    *events: DocumentEvent,
    clock: ManualClock | None = None,
    required: bool = False,
    role: str = "clerk",
) -> tuple[Documents, Operators]:
    clock = clock or noon_clock()
    policy = FixedPolicy("window 3", "", "zh", required, 900, (replace(CLERK, role=role),))
    operators = Operators(policy, clock, verify_password)
    return Documents(ScriptedReader(*events), operators, clock), operators


async def test_a_card_waits_for_a_form_and_no_longer(caplog: pytest.LogCaptureFixture) -> None:
    """Told at once, kept until taken, and nothing of it is logged or shown by accident."""
    caplog.set_level("DEBUG")
    cards, _ = documents(DeviceChanged(DEVICE, DeviceState.READY), CARD)
    told: list[DocumentView] = []
    cards.changes.subscribe(told.append)
    await cards.run()
    assert cards.state is DeviceState.READY
    (card,) = told
    assert (card.number, card.name, card.sex) == (NUMBER, NAME, "2")
    assert cards.waiting() == card
    cards.take("another")
    assert cards.waiting() == card
    cards.take(card.id)
    assert cards.waiting() is None
    assert NUMBER not in caplog.text + repr(card)
    assert NAME not in caplog.text + repr(card)


async def test_a_technician_sees_no_card() -> None:
    """Who may not register has no form for it."""
    cards, operators = documents(CARD, required=True, role="technician")
    await operators.sign_in(PIN, BADGE)
    await cards.run()
    assert cards.waiting() is None


async def test_a_card_that_no_form_takes_is_forgotten() -> None:
    """After a minute, by the monotonic clock."""
    clock = noon_clock()
    cards, _ = documents(CARD, clock=clock)
    await cards.run()
    clock.advance(seconds(KEEP_SECONDS))
    assert cards.waiting() is None


async def test_only_an_operator_sees_a_card_where_operators_sign_in() -> None:
    """Laid before the badge was read, it is told once somebody is in."""
    cards, operators = documents(CARD, required=True)
    told: list[DocumentView] = []
    cards.changes.subscribe(told.append)
    await cards.run()
    assert told == []
    assert cards.waiting() is None
    await operators.sign_in(PIN, BADGE)
    assert [card.number for card in told] == [NUMBER]


async def test_a_card_that_cannot_be_read_is_said_in_words() -> None:
    """And takes the place of the one before: never one person's card under another's words."""
    cards, _ = documents(CARD, DocumentNotRead(Reason.DOCUMENT_UNREADABLE, NOON))
    await cards.run()
    card = cards.waiting()
    assert card is not None
    assert card.advice is not None
    assert (card.number, card.advice.reason) == ("", Reason.DOCUMENT_UNREADABLE)
