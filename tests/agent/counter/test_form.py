"""A form while it is typed: what each field says, and what a resident's number tells."""

from datetime import date

import pytest

from agent.counter.form import FormView, check_form, parse_request
from shared.errors import Malformed
from shared.reasons import Reason

TODAY = date(2026, 11, 22)
NUMBER = "11010020171225006X"


def check(
    number: str = NUMBER, type: str = "01", name: str = "电子健康卡", sex: str = "0"
) -> FormView:
    return check_form(document_type=type, number=number, name=name, sex=sex, today=TODAY)


def test_a_good_number_tells_sex_and_birth() -> None:
    """Full width and lower case are as good."""
    for typed in (NUMBER, "１１０１００２０１７１２２５００６ｘ"):
        found = check(typed)
        assert (found.number, found.sex, found.birth_date) == (NUMBER, "2", "2017-12-25")
        assert found.complete
        assert not found.findings


@pytest.mark.parametrize(
    ("number", "type", "field", "reason"),
    [
        ("110100201712250061", "01", "number", Reason.DOCUMENT_CHECK_CHARACTER),
        ("11010020171325006X", "01", "number", Reason.DOCUMENT_BIRTH_DATE),
        ("110100202712250068", "01", "number", Reason.DOCUMENT_BIRTH_DATE),
        ("1101", "01", "number", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("E1", "03", "number", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("EABCDEFGH", "03", "number", Reason.DOCUMENT_NUMBER_MALFORMED),
        ("E12345678901234567", "03", "number", Reason.DOCUMENT_NUMBER_MALFORMED),
        (NUMBER, "77", "document_type", Reason.DOCUMENT_TYPE_UNKNOWN),
    ],
)
def test_a_wrong_number_says_why(number: str, type: str, field: str, reason: Reason) -> None:
    """In words, at its field; nothing is complete then."""
    found = check(number, type)
    assert {name: advice.reason for name, advice in found.findings.items()} == {field: reason}
    assert not found.complete


def test_nothing_typed_is_nothing_wrong() -> None:
    """An empty field is not complete, and no error."""
    found = check("", name=" ")
    assert not found.findings
    assert not found.complete
    assert check(name="\x07").findings["name"].reason is Reason.NAME_CONTROL_CHARACTER


@pytest.mark.parametrize("number", ["E12345678", "EA1234567", "X9Z", "12"])
def test_what_the_form_says_of_a_passport_holds_when_it_is_sent(number: str) -> None:
    """One grammar for both."""
    complete = check(number, "03").complete
    try:
        parse_request(document_type="03", number=number, name="虚构居民")
    except Malformed:
        assert not complete
    else:
        assert complete
