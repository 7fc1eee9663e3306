"""What the local API is sent, as data; strict: an unknown field is a mistake, not a wish."""

from typing import Annotated

import msgspec

from agent.counter.printing import ReprintReason

DraftName = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")]
"""Random, made by a page; empty: nothing is kept."""


NoticeName = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all."""


class ReceiptForm(Form, frozen=True):
    """A receipt of central's that came by hand, sealed as it would have come down the line."""

    sealed: Annotated[bytes, msgspec.Meta(max_length=12_000)]


class IssueForm(Form, frozen=True):
    """What a clerk types to register a resident; ``draft`` is what the page had kept of it."""

    document_type: str
    number: str
    name: str
    sex: str = "0"
    phone: str = ""
    draft: DraftName = ""


class TypedForm(Form, frozen=True):
    """The same while it is being typed: anything may be missing; kept under ``draft``."""

    document_type: str = "01"
    number: str = ""
    name: str = ""
    sex: str = "0"
    phone: str = ""
    draft: DraftName = ""


class ScanForm(Form, frozen=True):
    """A code typed or pasted instead of scanned."""

    text: str


class SeenForm(Form, frozen=True):
    """Which notices a clerk has seen; none: the absence alone."""

    ids: Annotated[tuple[NoticeName, ...], msgspec.Meta(max_length=100)] = ()


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
