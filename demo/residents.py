"""The people of the demonstration. All of them are fictitious.

The first is the sample person printed in the national standard; the others are generated, with
numbers that satisfy GB 11643 under an area code that is not issued to persons.
"""

from dataclasses import dataclass

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_AREA = "110100"


@dataclass(frozen=True, slots=True)
class Resident:
    """What a clerk types: a resident's identity number and name."""

    number: str
    name: str


def build_number(birth_date: str, sequence: int) -> str:
    """An 18-character resident number (GB 11643): area, YYYYMMDD, sequence, check character."""
    body = f"{_AREA}{birth_date}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECK_CHARACTERS[total % 11]


SAMPLE = Resident(build_number("20171225", 6), "电子健康卡")
MOTHER = Resident(build_number("19910308", 22), "林小满")
ELDER = Resident(build_number("19430917", 15), "欧阳春生")
STRANGER = Resident(build_number("19860704", 31), "阿依古丽·买买提")
LATECOMER = Resident(build_number("20051121", 48), "周一鸣")
