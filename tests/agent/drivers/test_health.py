"""Scanner health: what stays on the page, what clears it, prefix and suffix, keys lost often."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.drivers.framing import NO_AFFIXES, Affixes, Framer, Piece
from agent.drivers.health import ScannerHealth
from agent.ports import DeviceChanged, DeviceDescriptor, FrameDropped, FrameScanned, ScannerEvent
from shared.devices import DeviceState
from shared.reasons import Reason
from tests.agent.drivers.typist import GERMAN, turned_over, typed, without_shift

STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
PAYMENT = b"134567890123456789"
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DEVICE = DeviceDescriptor("scanner", "/dev/scanner")


def make_health(affixes: Affixes = NO_AFFIXES) -> ScannerHealth:
    return ScannerHealth(DEVICE, typed=True, affixes=affixes)


def scanned(text: bytes) -> FrameScanned:
    return FrameScanned(text, NOON)


def dropped(reason: Reason) -> FrameDropped:
    return FrameDropped(reason, NOON)


def ready(reason: Reason | None = None) -> DeviceChanged:
    return DeviceChanged(DEVICE, DeviceState.READY, reason)


def test_an_ailment_is_told_once_and_cleared_by_a_code_of_ours() -> None:
    """The frame is dropped each time, the page hears it once; a payment code proves nothing, a
    whole code of ours takes it off the page."""
    health = make_health()
    caps = typed(STATIC, turned_over(STATIC))
    reason = Reason.SCANNER_CAPS_LOCK
    assert health.judge(caps, NOON) == [dropped(reason), ready(reason)]
    assert health.judge(caps, NOON) == [dropped(reason)]
    assert health.judge(PAYMENT, NOON) == [scanned(PAYMENT)]
    assert health.judge(STATIC.encode(), NOON) == [scanned(STATIC.encode()), ready()]
    assert health.judge(STATIC.encode(), NOON) == [scanned(STATIC.encode())]


def test_another_ailment_replaces_the_first() -> None:
    """The page shows the last thing that was seen."""
    health = make_health()
    health.judge(typed(STATIC, without_shift()), NOON)
    events = health.judge(typed(STATIC, GERMAN), NOON)
    assert events == [dropped(Reason.SCANNER_LAYOUT), ready(Reason.SCANNER_LAYOUT)]


@pytest.mark.parametrize("reason", [Reason.FRAME_CUT, Reason.CODE_TOO_LONG])
def test_a_frame_that_went_wrong_once_says_nothing_of_the_scanner(reason: Reason) -> None:
    """Half a code or a text too long is dropped; the scanner stays well."""
    assert make_health().judge(reason, NOON) == [dropped(reason)]


def test_glued_codes_say_nothing_of_the_scanner() -> None:
    """Two codes at once are the hand's doing."""
    glued = STATIC.encode() * 2
    assert make_health().judge(glued, NOON) == [dropped(Reason.FRAME_GLUED)]


def judge_losses(health: ScannerHealth, *seconds: int) -> list[ScannerEvent]:
    return [
        event
        for second in seconds
        for event in health.judge(Reason.FRAME_LOST, NOON + timedelta(seconds=second))
        if isinstance(event, DeviceChanged)
    ]


def test_keys_lost_thrice_in_a_minute_ask_for_serial_mode() -> None:
    """Two losses, or three in a longer time, are a busy moment; three in a minute are told."""
    assert judge_losses(make_health(), 0, 10) == []
    assert judge_losses(make_health(), 0, 40, 80) == []
    assert judge_losses(make_health(), 0, 40, 80, 90) == [ready(Reason.SCANNER_TOO_FAST)]


def test_a_scanner_that_loses_keys_is_not_well_after_one_good_code() -> None:
    """Some codes always come through: the advice stays until a minute has gone without losses."""
    health = make_health()
    judge_losses(health, 0, 1, 2)
    code = STATIC.encode()
    assert len(health.judge(code, NOON + timedelta(seconds=30))) == 1
    assert health.judge(code, NOON + timedelta(seconds=90))[1:] == [ready()]


@pytest.mark.parametrize(
    ("frame", "piece"),
    [
        (f"<{STATIC}#>", STATIC.encode()),
        (STATIC, Reason.FRAME_CUT),
        (f"<{STATIC}", Reason.FRAME_CUT),
        (f"{STATIC}#>", Reason.FRAME_CUT),
        ("<#>", Reason.FRAME_CUT),
        ("<", Reason.FRAME_CUT),
        (f"<{STATIC}#><{STATIC}#>", Reason.FRAME_GLUED),
    ],
)
def test_prefix_and_suffix_are_taken_off(frame: str, piece: Piece) -> None:
    """A frame without what the scanner is set up to send is not whole and nothing is guessed."""
    health = make_health(Affixes(b"<", b"#>"))
    expected = scanned(piece) if isinstance(piece, bytes) else dropped(piece)
    assert health.judge(frame.encode(), NOON) == [expected]


def test_a_prefix_that_was_typed_wrongly_hides_no_ailment() -> None:
    """The scanner's set-up shows though the prefix came wrong as well."""
    health = make_health(Affixes(b"A:", b"z"))
    arrived = typed(f"A:{STATIC}z", GERMAN)
    assert health.judge(arrived, NOON)[0] == dropped(Reason.SCANNER_LAYOUT)


def test_half_a_code_then_a_whole_one() -> None:
    """Half a code is dropped at the silence; the next one comes exact."""
    framer, health = Framer(), make_health()
    pieces = framer.feed(STATIC.encode() + b"\r" + STATIC[:20].encode())
    pieces += framer.gap() + framer.feed(STATIC.encode() + b"\r")
    events = [event for piece in pieces for event in health.judge(piece, NOON)]
    code = scanned(STATIC.encode())
    assert events == [code, dropped(Reason.FRAME_CUT), code]
