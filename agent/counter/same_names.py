"""Two different persons who look alike on a screen: the same masked name and year of birth.

The clerk is told to check the document. Remembers the last persons of one day, in memory only.
"""

from collections import OrderedDict

from shared.messages import Identity

_MOST_NAMES = 200


class SameNames:
    """Who was shown under which masked name and birth year today."""

    def __init__(self) -> None:
        self._day = ""
        self._persons: OrderedDict[tuple[str, str], tuple[Identity, ...]] = OrderedDict()

    def is_shared(self, identity: Identity, day: str) -> bool:
        """Whether somebody else of this name and year was shown on this ``day`` (any text that
        changes with the day); remembers this person."""
        if day != self._day:
            self._day = day
            self._persons.clear()
        key = identity.name, identity.birth_date[:4]
        persons = self._persons.get(key, ())
        if not any(_is_same(identity, person) for person in persons):
            persons = (*persons[-1:], identity)
            self._persons[key] = persons
            if len(self._persons) > _MOST_NAMES:
                self._persons.popitem(last=False)
        return len(persons) > 1


def _is_same(one: Identity, other: Identity) -> bool:
    """Who has a temporary code has no number yet: then the masked document tells them apart."""
    if one.patient_id and other.patient_id:
        return one.patient_id == other.patient_id
    return one.document == other.document
