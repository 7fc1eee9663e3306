"""What a scan is: one of our codes, somebody else's text, or refused with the right reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.ehc import (
    Code,
    DynamicCode,
    Extension,
    ForeignExtension,
    ForeignText,
    StaticCode,
    build_code,
    code_class,
    parse_code,
)
from shared.errors import Malformed
from shared.messages import CodeClass
from shared.reasons import Reason
from tests.shared.ehc.test_derivation import EHC_ID, VALIDITY
from tests.shared.strategies import (
    codes,
    dynamic_codes,
    ehc_ids,
    extensions,
    refusal_of,
    static_codes,
)

STATIC = f"{EHC_ID}:1"
DYNAMIC = f"{EHC_ID}:0:{VALIDITY}"
EXTENSION = Extension(
    kid=7, nonce=b"abcd", issued_at=1_516_161_003, ttl_seconds=60, signature=b"s" * 64
)
EXTENDED = build_code(DynamicCode(EHC_ID, VALIDITY, None, EXTENSION))


@given(codes)
def test_what_is_built_reads_back_the_same(code: Code) -> None:
    """parse(build(x)) == x, static, dynamic, extended and temporary."""
    text = build_code(code)
    assert parse_code(text) == code
    assert parse_code(text.encode()) == code


@given(codes)
def test_one_value_has_one_text(code: Code) -> None:
    """Reading and building again gives the same text: the ledger of issued codes is by text."""
    text = build_code(code)
    parsed = parse_code(text)
    assert not isinstance(parsed, ForeignText)
    assert build_code(parsed) == text


@given(st.binary(max_size=600))
@example(b"\xff")
@example(STATIC.encode() + b"\xc2\x85")
def test_no_bytes_make_anything_but_a_value_or_a_refusal(scan: bytes) -> None:
    """Whatever a scanner sends."""
    refusal = refusal_of(lambda: parse_code(scan))
    if refusal is not None:
        assert refusal.reason.value.startswith("code-")
        return
    parsed = parse_code(scan)
    if isinstance(parsed, ForeignText):
        assert parsed.text.encode() == scan


@given(st.text(max_size=300))
@example("\ud800")
def test_no_text_makes_anything_but_a_value_or_a_refusal(text: str) -> None:
    """Also text that no UTF-8 holds."""
    refusal = refusal_of(lambda: parse_code(text))
    assert refusal is None or refusal.reason.value.startswith("code-")


@given(codes, st.data())
def test_a_damaged_code_is_never_read_as_another(code: Code, data: st.DataObject) -> None:
    """One character changed: another value of the same length, somebody's text, or a refusal."""
    text = build_code(code)
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(blacklist_categories=["Cs"]))
    damaged = text[:place] + character + text[place + 1 :]
    if damaged.replace("：", ":") != text and refusal_of(lambda: parse_code(damaged)) is None:
        assert parse_code(damaged) != code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (STATIC, StaticCode(EHC_ID)),
        (STATIC.replace(":", "："), StaticCode(EHC_ID)),
        (f"{EHC_ID[:48]}:1", StaticCode(EHC_ID[:48])),
        (DYNAMIC, DynamicCode(EHC_ID, VALIDITY)),
        (DYNAMIC.replace(":", "："), DynamicCode(EHC_ID, VALIDITY)),
        (f"{EHC_ID[:48]}:0:{VALIDITY}", DynamicCode(EHC_ID[:48], VALIDITY)),
        (f"{DYNAMIC}:PAY1", DynamicCode(EHC_ID, VALIDITY, "PAY1")),
        (
            f"{DYNAMIC}::13800000000",
            DynamicCode(EHC_ID, VALIDITY, None, ForeignExtension("13800000000")),
        ),
        (
            f"{DYNAMIC}:PAY1:13800000000",
            DynamicCode(EHC_ID, VALIDITY, "PAY1", ForeignExtension("13800000000")),
        ),
        (EXTENDED, DynamicCode(EHC_ID, VALIDITY, None, EXTENSION)),
    ],
)
def test_each_form_in_the_wild(text: str, code: Code) -> None:
    """The forms of ehc-standard §2."""
    assert parse_code(text) == code


@pytest.mark.parametrize(
    ("scan", "reason"),
    [
        (b"", Reason.CODE_EMPTY),
        ("", Reason.CODE_EMPTY),
        (b"A" * 513, Reason.CODE_TOO_LONG),
        ("电" * 171, Reason.CODE_TOO_LONG),
        (b"A" * 3072, Reason.CODE_TOO_LONG),
        (STATIC.encode() + b"\xff", Reason.CODE_NOT_TEXT),
        ("健康".encode("gbk"), Reason.CODE_NOT_TEXT),
        ("\ud800", Reason.CODE_NOT_TEXT),
        (STATIC + "\r", Reason.CODE_CONTROL_CHARACTER),
        ("\x00" + STATIC, Reason.CODE_CONTROL_CHARACTER),
        (STATIC + "\x7f", Reason.CODE_CONTROL_CHARACTER),
        ("foreign\x9f", Reason.CODE_CONTROL_CHARACTER),
        (STATIC[:9] + "\x1d" + STATIC[10:], Reason.CODE_CONTROL_CHARACTER),
        ("01\x1d\x00", Reason.CODE_CONTROL_CHARACTER),
        (EHC_ID, Reason.CODE_TYPE_MISSING),
        (EHC_ID[:48], Reason.CODE_TYPE_MISSING),
        (f"{EHC_ID}:", Reason.CODE_TYPE_MISSING),
        (EHC_ID[:40], Reason.CODE_ID_LENGTH),
        (EHC_ID[:63], Reason.CODE_ID_LENGTH),
        (EHC_ID[:63] + ":1", Reason.CODE_ID_LENGTH),
        (EHC_ID + "A:1", Reason.CODE_ID_LENGTH),
        (EHC_ID[-8:] + ":1", Reason.CODE_ID_LENGTH),
        (EHC_ID[32:] + f":0:{VALIDITY}", Reason.CODE_ID_LENGTH),
        (EHC_ID + STATIC, Reason.CODE_ID_LENGTH),
        (EHC_ID[:63] + "G:1", Reason.CODE_ID_NOT_HEX),
        (EHC_ID[:63] + "Ｆ:1", Reason.CODE_ID_NOT_HEX),
        (EHC_ID.replace("0", "O") + ":1", Reason.CODE_ID_NOT_HEX),
        (STATIC.lower(), Reason.CODE_LOWER_CASE),
        (DYNAMIC.lower(), Reason.CODE_LOWER_CASE),
        (EXTENDED.lower(), Reason.CODE_LOWER_CASE),
        (f"{EHC_ID}:0:{VALIDITY.lower()}", Reason.CODE_LOWER_CASE),
        (f"{DYNAMIC}::{EXTENDED[-119:].lower()}", Reason.CODE_LOWER_CASE),
        (f"{EHC_ID}:2", Reason.CODE_TYPE_UNKNOWN),
        (f"{EHC_ID}:01", Reason.CODE_TYPE_UNKNOWN),
        (f"{EHC_ID}: 1", Reason.CODE_TYPE_UNKNOWN),
        (f"{STATIC}:", Reason.CODE_STATIC_TAIL),
        (f"{STATIC}:{VALIDITY}", Reason.CODE_STATIC_TAIL),
        (f"{EHC_ID}:0", Reason.CODE_VALIDITY_MISSING),
        (f"{EHC_ID}:0:", Reason.CODE_VALIDITY_MISSING),
        (f"{EHC_ID}:0::PAY1", Reason.CODE_VALIDITY_MISSING),
        (f"{EHC_ID}:0:{VALIDITY[:31]}", Reason.CODE_VALIDITY_MALFORMED),
        (f"{EHC_ID}:0:{VALIDITY[:31]}G", Reason.CODE_VALIDITY_MALFORMED),
        (f"{DYNAMIC}A", Reason.CODE_VALIDITY_MALFORMED),
        (f"{DYNAMIC}:", Reason.CODE_PAYMENT_MALFORMED),
        (f"{DYNAMIC}:PAY 1", Reason.CODE_PAYMENT_MALFORMED),
        (f"{DYNAMIC}:支付", Reason.CODE_PAYMENT_MALFORMED),
        (f"{DYNAMIC}:{'P' * 65}", Reason.CODE_PAYMENT_MALFORMED),
        (f"{DYNAMIC}::", Reason.CODE_EXTENSION_MALFORMED),
        (f"{DYNAMIC}::1380000000", Reason.CODE_EXTENSION_MALFORMED),
        (f"{DYNAMIC}::１３８００００００００", Reason.CODE_EXTENSION_MALFORMED),
        (EXTENDED[:-1], Reason.CODE_EXTENSION_MALFORMED),
        (EXTENDED + "A", Reason.CODE_EXTENSION_MALFORMED),
        (EXTENDED[:-1] + "1", Reason.CODE_EXTENSION_MALFORMED),
        (EXTENDED + ":", Reason.CODE_TOO_MANY_FIELDS),
        (f"{DYNAMIC}::13800000000:X", Reason.CODE_TOO_MANY_FIELDS),
    ],
)
def test_each_way_to_be_wrong_has_its_reason(scan: str | bytes, reason: Reason) -> None:
    """A refusal says which, and its detail quotes nothing of the scan."""
    with pytest.raises(Malformed) as refusal:
        parse_code(scan)
    assert refusal.value.reason is reason
    assert refusal.value.detail == ""


@pytest.mark.parametrize(
    "text",
    [
        "134567890123456789",  # a payment code: 18 digits from 10 to 19
        "287654321098765432",
        "81234567890123456789",  # a drug trace code: 20 digits
        "6901234567892",  # EAN-13
        "0106901234567892172512311012345678901221" + "9876543210" * 3,  # a device label, all digits
        "440000ecqx7p0a1b2c3d4e5f60718293a4b5",  # an insurance voucher
        "https://example.org/pay?id=ABCDEF:1",
        "wxp://f2f0abcdef",
        "WIFI:T:WPA;S:hospital;P:secret;;",
        "BEGIN",
        "12:30",
        "3:1",
        "00:1A:2B:3C:4D:5E",
        "2001:0:0:1",
        "DEADBEEF",
        "550e8400e29b41d4a716446655440000",  # a UUID without hyphens
        "TM",
        "TM12345678",
        "tmall.example",
        "张三",
        ":1",
        ":",
        " " + STATIC,
        "\u200b1",
        "0106901234567892\x1d17281231\x1d10ABCDEF0123456789ABCDEF0123456789ABCDEF",  # drug, GS1
        "[)>\x1e06\x1d9N110375286414\x1d1TABC\x1e\x04",  # ISO/IEC 15434
    ],
)
def test_what_is_not_ours_is_handed_on_untouched(text: str) -> None:
    """Payment, insurance, drug and all other texts."""
    assert parse_code(text) == ForeignText(text)


@given(st.text("0123456789", min_size=1, max_size=80))
def test_digits_alone_are_never_ours(digits: str) -> None:
    """Money, medicine and devices are numbered in digits; an id without a letter is not met."""
    assert parse_code(digits) == ForeignText(digits)


@given(static_codes | dynamic_codes, st.integers(40, 219))
def test_most_of_a_national_code_is_never_handed_on(code: Code, length: int) -> None:
    """A code cut off after at least forty characters is refused, not typed into the workstation."""
    text = build_code(code)[:length]
    if not text[:40].isdecimal() and refusal_of(lambda: parse_code(text)) is None:
        assert not isinstance(parse_code(text), ForeignText)


def test_old_ids_are_read_but_never_issued() -> None:
    """48 characters are an older generation's (ehc-standard §2)."""
    old = parse_code(f"{EHC_ID[:48]}:1")
    assert not isinstance(old, ForeignText)
    with pytest.raises(Malformed) as refusal:
        build_code(old)
    assert refusal.value.reason is Reason.CODE_ID_LENGTH


@pytest.mark.parametrize(
    "code",
    [
        StaticCode(EHC_ID.lower()),
        StaticCode("G" * 64),
        StaticCode(""),
        DynamicCode(EHC_ID, ""),
        DynamicCode(EHC_ID, VALIDITY.lower()),
        DynamicCode(EHC_ID, VALIDITY, ""),
        DynamicCode(EHC_ID, VALIDITY, "", ForeignExtension("13800000000")),
        DynamicCode(EHC_ID, VALIDITY, "a:b"),
        DynamicCode(EHC_ID, f"{VALIDITY}:PAY1"),
        DynamicCode(EHC_ID, VALIDITY, None, ForeignExtension("1380000000")),
        DynamicCode(EHC_ID, VALIDITY, None, Extension(208, b"abcd", 0, 0, b"s" * 64)),
        DynamicCode(EHC_ID, VALIDITY, None, Extension(7, b"abc", 0, 0, b"s" * 64)),
        DynamicCode(EHC_ID, VALIDITY, None, Extension(7, b"abcd", 1 << 32, 0, b"s" * 64)),
        DynamicCode(EHC_ID, VALIDITY, None, Extension(7, b"abcd", 0, 256, b"s" * 64)),
        DynamicCode(EHC_ID, VALIDITY, None, Extension(7, b"abcd", 0, 0, b"s" * 63)),
    ],
)
def test_a_value_outside_the_grammar_is_not_built(code: Code) -> None:
    """Nothing is issued that would not be read back as it was meant."""
    with pytest.raises(Malformed):
        build_code(code)


@given(ehc_ids, extensions)
def test_the_sizes_labels_and_phones_are_drawn_for(ehc_id: str, extension: Extension) -> None:
    """66 characters static, 99 dynamic, 220 extended; the extension starts with a letter."""
    assert len(build_code(StaticCode(ehc_id))) == 66
    assert len(build_code(DynamicCode(ehc_id, VALIDITY))) == 99
    text = build_code(DynamicCode(ehc_id, VALIDITY, None, extension))
    assert len(text) == 220
    assert text[-119].isalpha()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STATIC, CodeClass.STATIC),
        (DYNAMIC, CodeClass.DYNAMIC),
        (f"{DYNAMIC}::13800000000", CodeClass.DYNAMIC),
        (EXTENDED, CodeClass.EXTENDED),
    ],
)
def test_the_class_a_record_names(text: str, expected: CodeClass) -> None:
    """A foreign extension makes no extended code: nothing in it can be checked."""
    code = parse_code(text)
    assert not isinstance(code, ForeignText)
    assert code_class(code) is expected


def test_no_repr_shows_a_code() -> None:
    """What ends up in a log by accident names nobody."""
    for text in (STATIC, DYNAMIC, EXTENDED, "134567890123456789"):
        shown = repr(parse_code(text))
        assert EHC_ID not in shown
        assert VALIDITY not in shown
        assert "134567890123456789" not in shown
