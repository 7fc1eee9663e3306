"""What printers say of themselves, as the guides and real printers have it; and the proof."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.epl import build_format, parse_errors
from agent.drivers.print_proof import Proof, judge
from agent.drivers.printer_facts import (
    Identification,
    Odometer,
    parse_identification,
    parse_odometer,
    parse_reprints,
    parse_serial,
)
from shared.devices import PrinterCondition
from shared.errors import Malformed
from shared.qr import Bitmap
from shared.reasons import Reason

ODOMETER = (
    b"\x02\r\n\r\n  PRINT METERS                              \r\n"
    b"   TOTAL NONRESETTABLE:        %s    \r\n"
    b"   USER RESETTABLE CNTR1:      24 cm    \r\n"
    b"   USER RESETTABLE CNTR2:      21744 cm    \r\n\x03\r\n"
)
CONFIGURATION = (
    b"\x02  FEED                HEAD CLOSE        \r\n"
    b"  +000                LABEL TOP         \r\n"
    b"  %-20bREPRINT MODE      \r\n"
    b"  052                 WEB SENSOR        \r\n\x03\r\n"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"GK888t,V61.17.17Z,8,8192KB", Identification("GK888t", "V61.17.17Z", 8)),
        (
            b"ZTC GX430t-300dpi,V56.17.5Z,12,2104KB,C",
            Identification("ZTC GX430t-300dpi", "V56.17.5Z", 12),
        ),
        (b"XXXXXX,V1.0.0,24,4096KB,X", Identification("XXXXXX", "V1.0.0", 24)),
    ],
)
def test_identification(answer: bytes, expected: Identification) -> None:
    """Model, firmware and resolution."""
    assert parse_identification(b"\x02" + answer + b"\x03\r\n") == expected


@pytest.mark.parametrize(
    ("total", "mm", "step"),
    [
        (b"21744 cm", 217_440, 10),
        (b'8560 "', 217_424, 25.4),
        (b'1330401 "', 33_792_185.4, 25.4),
        (b"21744.3 cm", 217_443, 1),
        (b'8560.25 "', 217_430.35, 0.254),
    ],
)
def test_odometer_and_its_resolution(total: bytes, mm: float, step: float) -> None:
    """The last digit tells how finely it counts."""
    odometer = parse_odometer(ODOMETER % total)
    assert odometer.mm == pytest.approx(mm)
    assert odometer.step == pytest.approx(step)


def test_serial_number() -> None:
    """As ~HQSN prints it."""
    assert parse_serial(b"\x02\r\n  SERIAL NUMBER\r\n     41A06440023\r\n\x03\r\n") == "41A06440023"


@pytest.mark.parametrize(("word", "expected"), [(b"DISABLED", False), (b"ENABLED", True)])
def test_reprints(word: bytes, expected: bool) -> None:
    """A printer's own line; a configuration without it says nothing."""
    assert parse_reprints(CONFIGURATION % word) is expected
    assert parse_reprints((CONFIGURATION % word).replace(b"REPRINT", b"OTHER")) is None


@given(st.binary(max_size=200))
def test_garbage_is_malformed_or_read_and_never_crashes(answer: bytes) -> None:
    """Whatever a printer answers: a value, or Malformed with its reason."""
    for parse in (parse_identification, parse_odometer, parse_serial, parse_reprints, parse_errors):
        for data in (answer, b"\x02" + answer + b"\x03\r\n"):
            with suppress(Malformed):
                parse(data)


@pytest.mark.parametrize("answer", [b"", b"\x02\x03\r\n", b"\x02GK888t\x03\r\n"])
def test_what_is_no_answer_says_why(answer: bytes) -> None:
    """One reason for all of them."""
    for parse in (parse_identification, parse_odometer, parse_serial, parse_errors):
        with pytest.raises(Malformed) as caught:
            parse(answer)
        assert caught.value.reason is Reason.PRINTER_GARBLED


# --- EPL2 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "conditions"),
    [
        (b"00", set()),
        (b"07", {PrinterCondition.NO_PAPER}),
        (b"11", {PrinterCondition.HEAD_OPEN}),
        (b"01", {PrinterCondition.OTHER_FAULT}),
        (b"50", {PrinterCondition.OTHER_FAULT}),
    ],
)
def test_epl_errors(code: bytes, conditions: set[PrinterCondition]) -> None:
    """What has no name here is a fault, never OK."""
    assert parse_errors(code + b"\r\n") == conditions


def test_epl_prints_black_where_a_bit_is_0() -> None:
    """One row of nine dots, two bytes: the padding stays white."""
    made = build_format(Bitmap(9, 1, bytes([0b10000001, 0b10000000])))
    assert made == b"\nN\nq9\nQ1,24\nGW0,0,2,1,\x7e\x7f\nP1\n"


# --- the proof -----------------------------------------------------------------------------------

LENGTHS = st.sampled_from([25.0, 30.0, 279.0])
STEPS = st.sampled_from([10.0, 1.0, 0.254])
STARTS = st.floats(0, 50)


def read(moved: float, step: float) -> Odometer:
    """What an odometer shows of a way that it has really gone."""
    return Odometer(moved // step * step, step)


@given(LENGTHS, STEPS, STARTS, st.floats(2, 4))
def test_a_label_with_its_gap_is_always_proved(
    length: float, step: float, start: float, gap: float
) -> None:
    """Wherever it began within a unit."""
    assert judge(read(start, step), read(start + length + gap, step), length) is Proof.OUT


@given(LENGTHS, STEPS, STARTS)
def test_standing_still_is_never_proof(length: float, step: float, start: float) -> None:
    """Nor is a way that is two units short of what counts."""
    for moved in (0, 0.8 * length - 2 * step - 0.001):
        after = read(start + moved, step)
        assert judge(read(start, step), after, length) is Proof.NOT_YET


@given(LENGTHS, STEPS, STARTS, st.floats(2, 4))
def test_a_label_and_a_press_on_feed_are_too_far(
    length: float, step: float, start: float, gap: float
) -> None:
    """Two lengths never look like one."""
    after = read(start + 2 * (length + gap), step)
    assert judge(read(start, step), after, length) is Proof.TOO_FAR


def test_inches_prove_no_sticker() -> None:
    """A unit as large as the label shows the same for none, one and two."""
    assert judge(Odometer(0, 25.4), Odometer(25.4, 25.4), 30) is Proof.NONE
    assert judge(Odometer(0, 25.4), Odometer(279.4, 25.4), 279) is Proof.OUT
