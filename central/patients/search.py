"""Finding persons by what somebody typed: a document's number, a telephone number or a name.

Exact, because only keyed tokens are stored: normalised first, then looked up as everything it may
be. Runs inside the caller's unit of work or moment, and writes nothing.
"""

from collections.abc import Iterator
from contextlib import suppress

from central.keys.service import Keys
from central.patients import store
from central.patients.person import Person, PersonId
from central.patients.service import Patients
from shared.errors import Malformed
from shared.residents import DOCUMENT_TYPES, normalise_name, normalise_number, parse_document

MOST_FOUND = 50


class PersonSearch:
    """Looks for persons by one text."""

    def __init__(self, keys: Keys, patients: Patients) -> None:
        self._keys = keys
        self._patients = patients

    def find(self, text: str, site: str | None = None) -> list[Person]:
        """At most ``MOST_FOUND`` persons, the first registered first; former names count too.

        ``site`` None: everybody; else those whom this site has admitted. Nothing that a name or
        a number could be is no error: it finds nobody.
        """
        found = {
            person
            for token in self._tokens(text)
            for person in store.find_by_token(token, site, MOST_FOUND)
        }
        return [self._patients.read(PersonId(person)) for person in sorted(found)[:MOST_FOUND]]

    def _tokens(self, text: str) -> Iterator[bytes]:
        with suppress(Malformed):
            yield self._keys.token("name", normalise_name(text))
        number = normalise_number(text)
        if number:
            yield self._keys.token("phone", number)
        for type in DOCUMENT_TYPES:
            with suppress(Malformed):
                document = parse_document(type, text)
                yield self._keys.token("document", f"{document.type}:{document.number}")
