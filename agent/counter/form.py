"""A registration's form: checked field by field while it is typed, and whole when it is sent.
Pure; nothing is kept.

A half-typed field is no error yet: the page decides when to say so. What is refused here is
refused when the form is sent, too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import msgspec

from agent.counter.views import Advice, advise
from shared.errors import Malformed
from shared.reasons import Reason
from shared.residents import Document, normalise_name, normalise_number, parse_document

PASSPORT = "03"
_PASSPORT_NUMBER = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,15}")
"""Letters and digits, at least one of these (ICAO Doc 9303-4: nine in the machine-readable line,
longer ones continue in its optional data)."""
SEX_UNKNOWN = "0"
SEXES = frozenset({SEX_UNKNOWN, "1", "2", "9"})  # GB/T 2261.1


MOST_PHONE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """What a clerk typed, already checked and normalised."""

    document: Document
    name: str = field(repr=False)
    sex: str
    phone: str = field(repr=False)


def parse_request(
    *, document_type: str, number: str, name: str, sex: str = "0", phone: str = ""
) -> IssueRequest:
    """Check a form at the counter, before anything is asked. Raises Malformed with its reason."""
    if sex not in SEXES:
        raise Malformed(Reason.REQUEST_MALFORMED, "sex is 0, 1, 2 or 9 (GB/T 2261.1)")
    if len(phone) > MOST_PHONE_CHARACTERS:
        raise Malformed(Reason.REQUEST_MALFORMED, "phone")
    document = parse_number(document_type, number)
    return IssueRequest(document, normalise_name(name), sex, phone)


class FormView(msgspec.Struct, frozen=True):
    """What a form's fields say: ``findings`` by field, none for a field that is good or empty."""

    findings: dict[str, Advice]
    number: str = ""  # normalised, 18 digits for a resident ID of 15
    sex: str = "0"  # as a resident ID's number says
    birth_date: str = ""  # YYYY-MM-DD, likewise
    complete: bool = False  # whether it could be sent as it is


def parse_number(type: str, number: str, today: date | None = None) -> Document:
    """As ``parse_document``, and a passport's number by its own grammar. Raises Malformed."""
    document = parse_document(type, number, today)
    if type == PASSPORT and not _PASSPORT_NUMBER.fullmatch(document.number):
        raise Malformed(Reason.DOCUMENT_NUMBER_MALFORMED)
    return document


def check_form(*, document_type: str, number: str, name: str, sex: str, today: date) -> FormView:
    """Look at each field by itself; raises nothing."""
    findings: dict[str, Advice] = {}

    def check(field: str, typed: str, parse: Callable[[], object]) -> object:
        try:
            return parse() if typed.strip() else None
        except Malformed as refusal:
            place = "document_type" if refusal.reason is Reason.DOCUMENT_TYPE_UNKNOWN else field
            advice = advise(refusal.reason)
            assert advice is not None
            findings[place] = advice
            return None

    document = check("number", number, lambda: parse_number(document_type, number, today))
    named = check("name", name, lambda: normalise_name(name))
    if not isinstance(document, Document):
        return FormView(findings, number=normalise_number(number))
    born = document.birth_date
    return FormView(
        findings,
        number=document.number,
        sex=document.sex,
        birth_date=born.isoformat() if born else "",
        complete=not findings and named is not None and sex in SEXES,
    )
