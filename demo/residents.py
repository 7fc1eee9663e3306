"""The people of the demonstration. All of them are fictitious.

The first is the sample person printed in the national standard; the others are generated, with
numbers that satisfy GB 11643 under an area code that is not issued to persons.
"""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_AREA = "110100"
_FAMILY_NAMES = ("赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "诸葛", "上官")
_GIVEN_NAMES = ("小雨", "明远", "思源", "秋月", "志强", "静", "家乐", "云舒", "海峰", "安")


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


def invent_resident() -> Resident:
    """Somebody new, by chance: a name, a birth date between 1940 and 2019, a number."""
    name = secrets.choice(_FAMILY_NAMES) + secrets.choice(_GIVEN_NAMES)
    born = date(1940, 1, 1) + timedelta(days=secrets.randbelow(80 * 365))
    return Resident(build_number(f"{born:%Y%m%d}", secrets.randbelow(1000)), name)


SAMPLE = Resident(build_number("20171225", 6), "电子健康卡")
MOTHER = Resident(build_number("19910308", 22), "林小满")
ELDER = Resident(build_number("19430917", 15), "欧阳春生")
STRANGER = Resident(build_number("19860704", 31), "阿依古丽·买买提")
LATECOMER = Resident(build_number("20051121", 48), "周一鸣")
