"""A person as the rest of central knows them: values in clear, in memory only."""

from dataclasses import dataclass, field
from datetime import date
from typing import NewType
from uuid import UUID

from shared.errors import Malformed
from shared.reasons import Reason
from shared.residents import Document

PersonId = NewType("PersonId", UUID)
"""A UUIDv7 minted at the first registration; resolves for ever."""


@dataclass(frozen=True, slots=True)
class Person:
    """A registered person. The first document is the one the ``ehc_id`` is made of."""

    id: PersonId
    name: str = field(repr=False)
    sex: str  # GB/T 2261.1: 0, 1, 2, 9
    documents: tuple[Document, ...]

    @property
    def document(self) -> Document:
        """The first document."""
        return self.documents[0]

    @property
    def birth_date(self) -> date | None:
        """The birth date that a document states; None when none does."""
        return next((known for each in self.documents if (known := each.birth_date)), None)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a counter was told, as typed: not yet normalised, not yet checked."""

    document_type: str
    document_number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str = "0"
    phone: str = field(default="", repr=False)


def parse_person_id(text: str) -> PersonId:
    """Read a person's id. Raises Malformed."""
    try:
        return PersonId(UUID(text))
    except ValueError as error:
        raise Malformed(Reason.ID_MALFORMED, "person id") from error
