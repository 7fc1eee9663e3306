"""Evidence: what wrongly set scanners make of our codes, and texts that must never be blamed."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.evidence import SHORTEST, find_fault, list_layouts, read_code
from shared.badges import PREFIX
from shared.ehc import Code, DynamicCode, StaticCode, build_code
from shared.joining import Invite, build_invite
from shared.reasons import Reason
from tests.agent.drivers.typist import (
    CZECH,
    FRENCH,
    GERMAN,
    HUNGARIAN,
    JAPANESE,
    RUSSIAN,
    TURKISH,
    US,
    Key,
    turned_over,
    typed,
    without_shift,
)
from tests.shared.strategies import codes, ehc_ids, static_codes, validities

STATIC = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928:1"
OLD = STATIC[:48] + ":1"
DYNAMIC = STATIC[:64] + ":0:0123456789ABCDEF0123456789ABCDEF"
OURS = pytest.mark.parametrize("text", [STATIC, OLD, DYNAMIC])

FOREIGN = [
    "134567890123456789",  # WeChat Pay, 18 digits
    "289012345678901234",  # Alipay
    "6259876543210987654",  # UnionPay, 19 digits
    "https://qr.alipay.com/fkx03457abcdefghijkl?t=1700000000000",
    "wxp://f2f0AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "weixin://wxpay/bizpayurl?pr=AbCdEf1",
    "https://example.org/?token=98ff9f2c05145cb9305e9d8a57e072bb51180ca49e5be5e9d41bce3a9a571928",
    "340000X000000000000123456789012345",  # an insurance voucher
    "{'idNo':'','ecToken':'3400000bk8h2u5hg9o0d0a0000c7ed8f','insuOrg':'340000'}",
    "84012345678901234567",  # a drug's trace code, 20 digits
    "(01)06901234567892(17)271231(10)20251103A(21)0001234567",
    "0106901234567892172712311020251103A\x1d210001234567",
    "6901234567892",
    "BEGIN:VCARD\nFN:a\nEND:VCARD",
    "d41d8cd98f00b204e9800998ecf8427e",
    "550e8400-e29b-41d4-a716-446655440000",
    "12:30:45 2026-11-28 > room 3 > bed 1 > ward 7 > floor 2",
    "SELECT * FROM t WHERE a > 1 AND b < 2; -- it's a long one, isn't it?",
    "处方 12345：请到二楼药房取药，谢谢您的配合，祝您早日康复，请保管好本单据",
]


@OURS
@pytest.mark.parametrize(
    ("keyboard", "reason"),
    [
        (turned_over(STATIC), Reason.SCANNER_CAPS_LOCK),
        (without_shift(), Reason.SCANNER_SHIFT_LOST),
        (GERMAN, Reason.SCANNER_LAYOUT),
        (FRENCH, Reason.SCANNER_LAYOUT),
        (CZECH, Reason.SCANNER_LAYOUT),
        (HUNGARIAN, Reason.SCANNER_LAYOUT),
        (TURKISH, Reason.SCANNER_LAYOUT),
        (JAPANESE, Reason.SCANNER_LAYOUT),
        (RUSSIAN, Reason.SCANNER_LAYOUT),
    ],
)
def test_a_wrongly_set_scanner_is_known_by_its_keys(
    text: str, keyboard: Mapping[str, Key], reason: Reason
) -> None:
    """A code typed for another keyboard, key by key as on that keyboard, names what is wrong."""
    arrived = typed(text, keyboard)
    assert arrived != text.encode()
    assert find_fault(arrived, typed=True) is reason


@OURS
def test_a_shift_that_is_lost_in_the_middle_is_lost(text: str) -> None:
    """Some letters small and the colon right: Shift was let go of between two keys."""
    arrived = typed(text[:20]) + typed(text[20:30], without_shift()) + typed(text[30:])
    assert find_fault(arrived, typed=True) is Reason.SCANNER_SHIFT_LOST


def test_lower_case_on_a_serial_line_is_a_conversion() -> None:
    """Bytes have no CapsLock: small letters there are the scanner's own doing."""
    assert find_fault(STATIC.lower().encode(), typed=False) is Reason.SCANNER_LOWER_CASE
    assert find_fault(typed(STATIC, GERMAN), typed=False) is None


def test_the_layout_is_named() -> None:
    """The technician is told whose keyboard it is, as far as the code shows it."""
    assert list(list_layouts(typed(STATIC, FRENCH).decode())) == ["fr be"]
    assert list(list_layouts(typed(STATIC, JAPANESE).decode())) == ["ja"]


@pytest.mark.parametrize("second", [STATIC, OLD, DYNAMIC])
@pytest.mark.parametrize("between", ["", "]Q1", "\x1d", " "])
@pytest.mark.parametrize("way", [True, False])
@OURS
def test_two_codes_in_one_frame_are_glued(text: str, second: str, between: str, way: bool) -> None:
    """A code and another one behind it, with a prefix between or without: neither is taken."""
    assert find_fault(f"{text}{between}{second}".encode(), typed=way) is Reason.FRAME_GLUED


@given(codes, codes)
def test_any_two_codes_are_no_one_code(first: Code, second: Code) -> None:
    """Whatever two codes are glued, no third one comes of it."""
    glued = (build_code(first) + build_code(second)).encode()
    fault = find_fault(glued, typed=True)
    assert fault is not None or read_code(glued.decode()) is None


@given(codes, st.booleans())
def test_no_code_of_ours_is_blamed(code: Code, way: bool) -> None:
    """Every text of our own grammar passes, whatever its payment holds."""
    assert find_fault(build_code(code).encode(), typed=way) is None


def test_a_payment_that_looks_like_a_code_is_not_glue() -> None:
    """The payment field is open: 48 hex characters before an extension are no second code."""
    code = DynamicCode(STATIC[:64], "0" * 32, STATIC[:48])
    text = build_code(code) + ":12345678901"
    assert read_code(text) is not None
    assert find_fault(text.encode(), typed=True) is None


INVITE = Invite(bytes(16), bytes(32), "onecode.example.cn", 8443, 1_772_000_000_000_000, "a/b", "1")
OURS_BUT_NO_CODES = [
    build_invite(INVITE),
    build_invite(INVITE).lower(),
    f"{PREFIX}ABCDEFGHIJ234567KLMN",
]


@pytest.mark.parametrize("text", [*FOREIGN, *OURS_BUT_NO_CODES])
@pytest.mark.parametrize("way", [True, False])
def test_foreign_texts_pass_untouched(text: str, way: bool) -> None:
    """Payment, insurance and drug codes, links, small letters, and what else a
    counter scans, invites and badges: none is blamed on the scanner."""
    assert find_fault(text.encode(), typed=way) is None


@given(
    st.text(st.characters(max_codepoint=0x7E), max_size=300).filter(
        lambda text: not any(run.isalnum() and len(run) > 40 for run in text.split(":"))
    )
)
def test_no_text_without_an_id_is_blamed(text: str) -> None:
    """What blames needs the whole shape of a code: an id of 48 or 64 places and its type."""
    assert find_fault(text.encode(), typed=True) is None


@given(static_codes, st.sampled_from([GERMAN, FRENCH, CZECH, JAPANESE, RUSSIAN, without_shift()]))
def test_evidence_is_never_a_code(code: StaticCode, keyboard: dict[str, Key]) -> None:
    """What a wrongly set scanner types is either untouched by it or dropped, never another code."""
    arrived = typed(build_code(code), keyboard)
    fault = find_fault(arrived, typed=True)
    assert (fault is None) == (arrived == typed(build_code(code), US))


@given(ehc_ids, validities)
def test_half_a_code_is_not_evidence(ehc_id: str, validity: str) -> None:
    """A code cut short is the parser's to refuse; nothing about the scanner follows from it."""
    half = f"{ehc_id}:0:{validity}"[:-1].lower().encode()
    assert find_fault(half, typed=True) is None
    assert find_fault(half[: SHORTEST - 1], typed=True) is None
