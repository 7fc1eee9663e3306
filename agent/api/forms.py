"""What the local API is sent, as data; strict: an unknown field is a mistake, not a wish."""

import msgspec

from agent.counter.printing import ReprintReason


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all."""


class IssueForm(Form, frozen=True):
    """What a clerk types to register a resident."""

    document_type: str
    number: str
    name: str
    sex: str = "0"
    phone: str = ""


class TypedForm(Form, frozen=True):
    """The same while it is being typed: anything may be missing."""

    document_type: str = "01"
    number: str = ""
    name: str = ""
    sex: str = "0"
    phone: str = ""


class ScanForm(Form, frozen=True):
    """A code typed or pasted instead of scanned."""

    text: str


class ReprintForm(Form, frozen=True):
    """Why a label is printed again; ``text`` is for ``other``, at most forty characters."""

    reason: ReprintReason
    text: str = ""


class AnswerForm(Form, frozen=True):
    """Whether a label came out of the printer."""

    out: bool


class PinForm(Form, frozen=True):
    """A PIN for the badge that was read, or for ``who``: a badge's text or a name, typed."""

    pin: str
    who: str = ""

    def __repr__(self) -> str:
        return "PinForm(…)"
