"""What a technician is shown: keys, layouts, odd terminators; never a whole code unasked."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.drivers.framing import LIMIT_BYTES, Framer
from agent.drivers.health import ScannerHealth
from agent.drivers.keymap import EV_KEY, EV_SYN, SYN_DROPPED, KeyDecoder, KeyEvent
from agent.ports import DeviceChanged, DeviceDescriptor
from agent.technician.listening import Fact, Listener, picture
from shared.clock import ManualClock
from shared.devices import DeviceState
from shared.reasons import Reason
from tests.agent.drivers.typist import FRENCH, US, Key, press, turned_over

STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
ENTER = 28
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DEVICE = DeviceDescriptor("scanner", "/dev/scanner")
MILLISECOND = timedelta(milliseconds=1)


def type_to(listener: Listener, clock: ManualClock, keyboard: dict[str, Key]) -> None:
    """The code and Enter, a millisecond an event, through decoder, framer and health."""
    decoder, framer = KeyDecoder(), Framer()
    health = ScannerHealth(DEVICE, typed=True)
    framer.ear = listener.hear
    enter = [KeyEvent(1, ENTER, 1), KeyEvent(1, ENTER, 0)]
    for event in [*press(STATIC, keyboard), *enter]:
        listener.hear_key(event)
        typed = decoder.feed(event)
        assert isinstance(typed, bytes)
        for piece in framer.feed(typed):
            for judged in health.judge(piece, clock.now()):
                listener.judge(judged)
        clock.advance(MILLISECOND)


def listen(keyboard: dict[str, Key], *, show: bool = False) -> tuple[Listener, list[Fact]]:
    clock = ManualClock(NOON)
    facts: list[Fact] = []
    listener = Listener(clock, facts.append, show=show)
    type_to(listener, clock, keyboard)
    return listener, facts


def test_keys_are_shown_as_they_are_pressed() -> None:
    """Before a character there are its keys: Shift down, key down, key up, Shift up."""
    _, facts = listen(US)
    keys = [(fact["code"], fact["state"]) for fact in facts if fact["kind"] == "key"]
    nine, eight, shift, letter_f = 10, 9, 42, 33
    assert keys[:6] == [
        (nine, "down"),
        (nine, "up"),
        (eight, "down"),
        (eight, "up"),
        (shift, "down"),
        (letter_f, "down"),
    ]
    assert keys[-2:] == [(ENTER, "down"), (ENTER, "up")]
    frame = facts[-2]
    assert (frame["kind"], frame["reason"], frame["ended_by"]) == ("frame", None, "CR")


def test_no_key_gives_a_code_away() -> None:
    """Past the first characters letters and digits are keys without a number."""
    _, facts = listen(US)
    numbers = [fact["code"] for fact in facts if fact["kind"] == "key"]
    typed = len([code for code in numbers if code in {10, 9, 33}])
    assert typed <= 9
    assert None in numbers
    _, facts = listen(US, show=True)
    assert None not in [fact["code"] for fact in facts if fact["kind"] == "key"]


def test_a_foreign_keyboard_is_named_by_its_languages() -> None:
    """A technician hears which layout the scanner types for."""
    listener, facts = listen(FRENCH)
    frames = [fact for fact in facts if fact["kind"] == "frame"]
    assert [(fact["reason"], fact["layouts"]) for fact in frames] == [
        (Reason.SCANNER_LAYOUT, ["fr be"])
    ]
    device = [fact for fact in facts if fact["kind"] == "device"]
    assert [fact["reason"] for fact in device] == [Reason.SCANNER_LAYOUT]
    assert (listener.frames, listener.faults, listener.lost) == (1, 1, None)


def test_the_kinds_of_characters_show_capslock() -> None:
    """Hidden characters keep what went wrong with them: small where capitals belong."""
    _, facts = listen(turned_over(STATIC))
    frame = next(fact for fact in facts if fact["kind"] == "frame")
    assert frame["text"] == "98ff" + picture(STATIC[4:].lower())
    assert STATIC[20:40].lower() not in str(facts)


@pytest.mark.parametrize("state", [DeviceState.ABSENT, DeviceState.DENIED])
def test_a_lost_device_ends_the_listening(state: DeviceState) -> None:
    """Opening and being ready do not."""
    listener = Listener(ManualClock(NOON), list[Fact]().append, show=False)
    for going_on in (DeviceState.OPENING, DeviceState.READY):
        listener.judge(DeviceChanged(DEVICE, going_on))
    assert listener.lost is None
    listener.judge(DeviceChanged(DEVICE, state, Reason.DEVICE_ABSENT))
    assert listener.lost is Reason.DEVICE_ABSENT


def test_times_count_from_a_frames_first_byte() -> None:
    """Each frame begins at zero; a slow scanner is seen as slow."""
    clock = ManualClock(NOON)
    facts: list[Fact] = []
    listener = Listener(clock, facts.append, show=True)
    for data in (b"A", b"B", b"\r", b"C"):
        listener.hear(data)
        clock.advance(10 * MILLISECOND)
    assert [fact["at_ms"] for fact in facts] == [0.0, 10.0, 20.0, 0.0]


def test_lost_events_are_seen() -> None:
    """A queue that ran over stands between the keys, where the code has its hole."""
    facts: list[Fact] = []
    listener = Listener(ManualClock(NOON), facts.append, show=False)
    for event in (KeyEvent(EV_KEY, 10, 1), KeyEvent(EV_SYN, SYN_DROPPED, 0)):
        listener.hear_key(event)
    assert [fact["state"] for fact in facts] == ["down", "events lost"]


def test_a_scanner_gone_mad_fills_no_memory() -> None:
    """Bytes without an end are shown and not kept."""
    shown = 0

    def count(_: Fact) -> None:
        nonlocal shown
        shown += 1

    listener = Listener(ManualClock(NOON), count, show=False)
    for _ in range(10):
        listener.hear(b"A" * LIMIT_BYTES)
    assert shown == 10 * LIMIT_BYTES
    assert len(listener._frame) == LIMIT_BYTES
