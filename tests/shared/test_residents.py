"""Documents and names: what is checked, how it is written, how it is masked."""

from datetime import date
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.reasons import Reason
from shared.residents import (
    DOCUMENT_TYPES,
    RESIDENT_ID,
    Document,
    check_character,
    mask_document,
    mask_name,
    normalise_name,
    normalise_number,
    parse_document,
)
from tests.shared.strategies import refusal_of

SAMPLE = "11010020171225006X"


@st.composite
def resident_numbers(draw: st.DrawFn) -> str:
    """A valid number of nobody in particular."""
    region = draw(st.integers(110000, 659999))
    born = draw(st.dates(date(1850, 1, 1), date(2099, 12, 31)))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + check_character(body)


def test_the_table_names_the_national_documents_and_the_papers() -> None:
    """01–08 and 99 are national; the paper's own three have codes no national one can have."""
    national = {"01", "02", "03", "04", "05", "06", "07", "08", "99"}
    own = set(DOCUMENT_TYPES) - national
    assert national < set(DOCUMENT_TYPES)
    assert {DOCUMENT_TYPES[code].zh for code in own} == {"归国华侨证", "医疗卡", "社会保障卡"}
    assert all(len(code) == 2 and code.isalpha() for code in own)
    assert all(row.code == code and row.zh and row.en for code, row in DOCUMENT_TYPES.items())


def test_the_sample_person() -> None:
    """The specification's own number passes, and says sex and birth."""
    document = parse_document(RESIDENT_ID, SAMPLE)
    assert document == Document(RESIDENT_ID, SAMPLE)
    assert document.sex == "2"
    assert document.birth_date == date(2017, 12, 25)


@given(resident_numbers())
def test_a_valid_number_passes_and_every_single_slip_is_caught(number: str) -> None:
    """MOD 11-2 catches one wrong digit and two neighbours swapped."""
    assert parse_document(RESIDENT_ID, number).number == number
    for place in range(17):
        wrong = str((int(number[place]) + 1) % 10)
        slip = number[:place] + wrong + number[place + 1 :]
        assert refusal_of(partial(parse_document, RESIDENT_ID, slip)) is not None
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        if swapped != number:
            assert refusal_of(partial(parse_document, RESIDENT_ID, swapped)) is not None


@pytest.mark.parametrize(
    "typed",
    [
        "11010020171225006x",
        " 110100 20171225 006X ",
        "１１０１００２０１７１２２５００６Ｘ",
        "１１０１００２０１７１２２５００６ｘ",
        "110100\u200b20171225\ufeff006X",
        "\u202a11010020171225006X\u202c",
        "110100\t20171225006X\n",
    ],
)
def test_a_number_is_read_however_it_is_typed(typed: str) -> None:
    """Width, case of X, spaces, and the invisible marks of a paste."""
    assert parse_document(RESIDENT_ID, typed).number == SAMPLE


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_standards_own_examples(number: str) -> None:
    """The two numbers GB 11643-1999 computes the check character of."""
    assert check_character(number[:17]) == number[17]
    assert parse_document(RESIDENT_ID, number).number == number


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("110105491231002", "11010519491231002X"),
        ("110105991231995", "110105199912319959"),
        ("110105991231996", "110105189912319968"),
    ],
)
def test_fifteen_digits_become_eighteen(short: str, long: str) -> None:
    """First-generation numbers are of the 1900s, of the 1800s with the centenarians' 996–999."""
    assert parse_document(RESIDENT_ID, short).number == long


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("1101002017122500", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("11010020171225006XX", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("X1010020171225006X", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("01010020171225006X", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("1101002017122500X6", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("١١٠١٠٠٢٠١٧١٢٢٥٠٠٦X", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("110100201712250065", Reason.DOCUMENT_CHECK_CHARACTER),
        ("11010020171325006X", Reason.DOCUMENT_BIRTH_DATE),
        ("11010020170229006X", Reason.DOCUMENT_BIRTH_DATE),
        ("11010017991225006X", Reason.DOCUMENT_BIRTH_DATE),
        ("110105491331002", Reason.DOCUMENT_BIRTH_DATE),
    ],
)
def test_a_wrong_resident_id_says_what_is_wrong(number: str, reason: Reason) -> None:
    """Shape, date and check character are told apart, and no detail quotes the number."""
    with pytest.raises(Malformed) as refusal:
        parse_document(RESIDENT_ID, number)
    assert refusal.value.reason is reason
    assert refusal.value.detail == ""


def test_nobody_is_born_tomorrow() -> None:
    """With today's date given, a later birth is refused; on the day itself it is not."""
    assert parse_document(RESIDENT_ID, SAMPLE, today=date(2017, 12, 25)).number == SAMPLE
    with pytest.raises(Malformed) as refusal:
        parse_document(RESIDENT_ID, SAMPLE, today=date(2017, 12, 24))
    assert refusal.value.reason is Reason.DOCUMENT_BIRTH_DATE


@pytest.mark.parametrize("type", ["", "1", "00", "09", "010", "０１", "ro"])
def test_an_unknown_type_is_refused(type: str) -> None:
    """The table is the whole of it."""
    with pytest.raises(Malformed) as refusal:
        parse_document(type, SAMPLE)
    assert refusal.value.reason is Reason.DOCUMENT_TYPE_UNKNOWN


@pytest.mark.parametrize(
    ("type", "typed", "number"),
    [
        ("03", "e 12345678", "E12345678"),
        ("04", "南字第01234567号", "南字第01234567号"),
        ("06", "Ｈ1234567890", "H1234567890"),
        ("08", "N440123456", "N440123456"),
        ("99", "a-12/3（4）", "A-12/3(4)"),
    ],
)
def test_other_documents_are_normalised_and_kept(type: str, typed: str, number: str) -> None:
    """No more is known of their numbers than their characters; sex and birth they do not say."""
    document = parse_document(type, typed)
    assert document == Document(type, number)
    assert document.sex == "0"
    assert document.birth_date is None


@pytest.mark.parametrize("number", ["", "1", "A" * 31, "字" * 11, "A_1", "A'1", "<b>", "A\x001"])
def test_other_documents_have_bounds(number: str) -> None:
    """Two characters to thirty bytes (the formula's room), no markup, no control characters."""
    with pytest.raises(Malformed) as refusal:
        parse_document("99", number)
    assert refusal.value.reason is Reason.DOCUMENT_NUMBER_MALFORMED


@given(st.sampled_from(sorted(DOCUMENT_TYPES)), st.text(max_size=40))
def test_any_text_gives_a_document_or_a_refusal(type: str, number: str) -> None:
    """And a document's number, typed again, is itself."""
    if refusal_of(lambda: parse_document(type, number)) is None:
        document = parse_document(type, number)
        assert parse_document(type, document.number) == document
        assert normalise_number(document.number) == document.number


def test_no_repr_shows_a_number() -> None:
    """What ends up in a log by accident names nobody."""
    assert SAMPLE not in repr(Document(RESIDENT_ID, SAMPLE))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("电子健康卡", "电子健康卡"),
        ("  张三\u3000", "张三"),
        ("张 三", "张三"),
        ("张\u3000\u3000三丰", "张三丰"),
        ("ＪＯＨＮ　Ｓｍｉｔｈ", "JOHN Smith"),
        (" John   Smith ", "John Smith"),
        ("J. Smith", "J. Smith"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("买买提 ‧ 吐尔逊", "买买提·吐尔逊"),
        ("买买提・吐尔逊", "买买提·吐尔逊"),
        ("买买提･吐尔逊", "买买提·吐尔逊"),
        ("买买提∙吐尔逊", "买买提·吐尔逊"),
        ("买买提⋅吐尔逊", "买买提·吐尔逊"),
        ("买买提．吐尔逊", "买买提·吐尔逊"),
        ("买买提.吐尔逊", "买买提·吐尔逊"),
        ("张\u200b三\ufeff", "张三"),
        ("\u202e张三", "张三"),
        ("𠮷野家", "𠮷野家"),  # beyond the basic plane
        ("㛃䶮", "㛃䶮"),  # extension A
        ("\ue863某", "\ue863某"),  # private use: how old systems hold rare characters
        ("\ufa11\uf900", "\ufa11\uf900"),  # compatibility ideographs stay as they are
        ("葛\U000e0100", "葛\U000e0100"),  # with the variant asked for
        ("^XA^XZ~JA", "^XA^XZ~JA"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('O\'Brien "Bob"', 'O\'Brien "Bob"'),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
    ],
)
def test_a_name_as_it_is_stored(typed: str, name: str) -> None:
    """Width, dot, spaces and invisible marks; nobody's rare character is replaced."""
    assert normalise_name(typed) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", Reason.NAME_EMPTY),
        ("  \u3000", Reason.NAME_EMPTY),
        ("\u200b", Reason.NAME_EMPTY),
        ("·", Reason.NAME_EMPTY),
        ("• •", Reason.NAME_EMPTY),
        ("\u200d", Reason.NAME_EMPTY),
        ("张" * 41, Reason.NAME_TOO_LONG),
        ("\ufdfa" * 3, Reason.NAME_TOO_LONG),  # eighteen characters in one
        ("张\n三", Reason.NAME_CONTROL_CHARACTER),
        ("张三\x00", Reason.NAME_CONTROL_CHARACTER),
        ("张\x1b三", Reason.NAME_CONTROL_CHARACTER),
        ("张\x85三", Reason.NAME_CONTROL_CHARACTER),
        ("\ud842", Reason.NAME_CONTROL_CHARACTER),
    ],
)
def test_what_is_no_name(name: str, reason: Reason) -> None:
    """Each way has its reason; the detail quotes nothing."""
    with pytest.raises(Malformed) as refusal:
        normalise_name(name)
    assert refusal.value.reason is reason
    assert refusal.value.detail == ""


def test_forty_characters_are_a_name() -> None:
    """The bound is included."""
    assert len(normalise_name("张" * 40)) == 40


@given(st.text(max_size=45))
@example("e\u200b\u0301")
@example("买·\u0301吐")
@example(" \u0308张")
@example("张 \u0301三")
@example("\u1100 \u1161")
def test_normalising_a_name_twice_changes_nothing(name: str) -> None:
    """Or one person would have two indexes, depending on how often a form was saved."""
    if refusal_of(lambda: normalise_name(name)) is None:
        once = normalise_name(name)
        assert normalise_name(once) == once


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张", "*"),
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("张王小三", "张**三"),
        ("欧阳锋", "欧阳*"),
        ("欧阳小锋", "欧阳*锋"),
        ("诸葛", "诸*"),
        ("诸葛亮", "诸葛*"),
        ("买买提·吐尔逊", "买**·**逊"),
        ("阿·买", "阿·*"),
        ("John Smith", "J*** ****h"),
        ("Li", "L*"),
        ("葛\U000e0100三", "葛\U000e0100*"),
        ("三葛\U000e0100", "三*"),
        ("👨‍👩‍👧张", "👨‍👩‍👧*"),
        ("张👨‍👩‍👧三", "张*三"),
        ("电子健康卡", "电***卡"),
    ],
)
def test_a_masked_name(name: str, masked: str) -> None:
    """Two characters, compound surnames, minority names, and characters of several code points."""
    assert mask_name(name) == masked


@given(st.text(max_size=40))
def test_a_masked_name_always_hides_something(name: str) -> None:
    """Whatever the name, at least one character is a star, and it is no longer than it was."""
    if refusal_of(lambda: normalise_name(name)) is None:
        masked = mask_name(normalise_name(name))
        assert "*" in masked
        assert len(masked) <= len(normalise_name(name))


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (SAMPLE, "110***********006X"),
        ("E12345678", "E1*****78"),
        ("H1234567890", "H1*******90"),
        ("1234", "1**4"),
        ("123", "***"),
        ("1", "*"),
    ],
)
def test_a_masked_number(number: str, masked: str) -> None:
    """Three and four of eighteen; of a short one at least half is hidden."""
    assert mask_document(number) == masked


@given(st.text(min_size=1, max_size=30))
def test_a_masked_number_keeps_its_length_and_hides_half(number: str) -> None:
    """Whatever the document."""
    masked = mask_document(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= max(len(number) - 7, (len(number) + 1) // 2)
