"""Residents' documents and names: which there are, how they are checked, written and masked. Pure.

The document table is the national one (ehc-standard §4) and the paper's own three. Numbers and
names are normalised here before anything is derived from or compared with them; a person's rare
characters are never replaced by common ones.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from shared.errors import Malformed
from shared.reasons import Reason


class DocumentType(NamedTuple):
    """A kind of document, as screens name it."""

    code: str
    zh: str
    en: str


RESIDENT_ID = "01"

DOCUMENT_TYPES: dict[str, DocumentType] = {
    row.code: row
    for row in (
        DocumentType(RESIDENT_ID, "居民身份证", "Resident ID card"),
        DocumentType("02", "居民户口簿", "Household book"),
        DocumentType("03", "护照", "Passport"),
        DocumentType("04", "军官证", "Officer card"),
        DocumentType("05", "驾驶证", "Driving licence"),
        DocumentType("06", "港澳居民来往内地通行证", "Hong Kong and Macau permit"),
        DocumentType("07", "台湾居民来往内地通行证", "Taiwan permit"),
        DocumentType("08", "出生医学证明", "Birth certificate"),
        DocumentType("99", "其他法定有效证件", "Other document"),
        # The paper names these and no source gives them codes: letters can never meet a
        # national code.
        DocumentType("RO", "归国华侨证", "Returned-overseas certificate"),
        DocumentType("MC", "医疗卡", "Medical card"),
        DocumentType("SC", "社会保障卡", "Social-security card"),
    )
}

MAX_NAME_CHARACTERS = 40
MAX_NUMBER_BYTES = 30  # what the national formula has room for

_RESIDENT_18 = re.compile(r"[1-9][0-9]{16}[0-9X]")
_RESIDENT_15 = re.compile(r"[1-9][0-9]{14}")
_OTHER_NUMBER = re.compile(r"[0-9A-Z\u3400-\u9fff()./-]{2,30}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"  # GB 11643-1999, ISO 7064 MOD 11-2, by sum modulo 11
_EARLIEST_BIRTH_YEAR = 1850


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document; only ``parse_document`` makes one from what people type."""

    type: str
    number: str = field(repr=False)

    @property
    def sex(self) -> str:
        """GB/T 2261.1: 1 male, 2 female; 0 where the number does not say."""
        if self.type != RESIDENT_ID:
            return "0"
        return "1" if int(self.number[16]) % 2 else "2"

    @property
    def birth_date(self) -> date | None:
        """The date in a resident ID number, else None."""
        return _birth_date(self.number) if self.type == RESIDENT_ID else None


def parse_document(type: str, number: str, today: date | None = None) -> Document:
    """Normalise and check a document; a 15-digit resident ID becomes one of 18.

    With ``today`` a birth in the future is refused. Raises Malformed with a DOCUMENT_… reason.
    """
    if type not in DOCUMENT_TYPES:
        raise Malformed(Reason.DOCUMENT_TYPE_UNKNOWN)
    number = normalise_number(number)
    if type == RESIDENT_ID:
        return Document(type, _check_resident_id(number, today))
    if not _OTHER_NUMBER.fullmatch(number) or len(number.encode()) > MAX_NUMBER_BYTES:
        raise Malformed(Reason.DOCUMENT_NUMBER_MALFORMED)
    return Document(type, number)


def normalise_number(number: str) -> str:
    """Half width, upper case, without spaces and invisible characters. Checks nothing."""
    half_width = unicodedata.normalize("NFKC", number).upper()
    return "".join(c for c in half_width if not c.isspace() and unicodedata.category(c) != "Cf")


def check_character(body: str) -> str:
    """The 18th character for the 17 digits before it (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def _check_resident_id(number: str, today: date | None) -> str:
    if _RESIDENT_15.fullmatch(number):
        number = _to_18(number)
    if not _RESIDENT_18.fullmatch(number):
        raise Malformed(Reason.DOCUMENT_NUMBER_MALFORMED)
    born = _birth_date(number)
    if born is None or born.year < _EARLIEST_BIRTH_YEAR or (today is not None and born > today):
        raise Malformed(Reason.DOCUMENT_BIRTH_DATE)
    if check_character(number[:17]) != number[17]:
        raise Malformed(Reason.DOCUMENT_CHECK_CHARACTER)
    return number


def _to_18(number: str) -> str:
    # Of the first generation, 996–999 were kept for people over a hundred: born in the 1800s.
    century = "18" if number[12:] >= "996" else "19"
    body = number[:6] + century + number[6:]
    return body + check_character(body)


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


# --- names ---------------------------------------------------------------------------------------

MIDDLE_DOT = "·"
_DOTS = dict.fromkeys(map(ord, "•‧∙⋅⸱⸳・･ㆍ᛫"), MIDDLE_DOT)
_HAN = r"[\u2e80-\u2fdf\u3007\u3400-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff]"
_COMPATIBILITY_HAN = re.compile(r"([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
_FULL_STOP_IN_HAN = re.compile(rf"(?<={_HAN})\.(?={_HAN})")
_SPACE_IN_HAN = re.compile(rf"(?<={_HAN})\s+(?={_HAN})|\s*{MIDDLE_DOT}\s*")
_JOINERS = "\u200c\u200d"  # part of some scripts, and of emoji


def normalise_name(name: str) -> str:
    """A name as it is stored, hashed and compared: 1–40 characters, one middle dot, plain width.

    Spaces inside a Chinese name and around the dot go, others become one. Raises Malformed with
    a NAME_… reason.
    """
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in name):
        raise Malformed(Reason.NAME_CONTROL_CHARACTER)
    visible = "".join(c for c in name if c in _JOINERS or not _is_invisible(c))
    plain = _to_plain_width(visible.translate(_DOTS)).translate(_DOTS)
    plain = _FULL_STOP_IN_HAN.sub(MIDDLE_DOT, plain)
    plain = " ".join(plain.split())
    plain = _SPACE_IN_HAN.sub(lambda found: MIDDLE_DOT if MIDDLE_DOT in found[0] else "", plain)
    if not plain.strip(MIDDLE_DOT + _JOINERS):
        raise Malformed(Reason.NAME_EMPTY)
    if len(plain) > MAX_NAME_CHARACTERS:
        raise Malformed(Reason.NAME_TOO_LONG)
    return plain


def _is_invisible(character: str) -> bool:
    # Marks that come along when a name is pasted; the tags of emoji flags are the same category.
    return unicodedata.category(character) == "Cf" and not 0xE0000 <= ord(character) <= 0xE007F


def _to_plain_width(text: str) -> str:
    # NFKC would also replace compatibility ideographs, which are somebody's own character.
    parts = _COMPATIBILITY_HAN.split(text)
    parts[::2] = [unicodedata.normalize("NFKC", part) for part in parts[::2]]
    return "".join(parts)


# --- masking -------------------------------------------------------------------------------------

_COMPOUND_SURNAMES = """
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶
太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良
漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五
歐陽 司馬 東方 獨孤 南宮 諸葛 尉遲 赫連 公孫 鍾離 長孫 鮮于
"""
_TWO_CHARACTER_SURNAMES = frozenset(_COMPOUND_SURNAMES.split())


def mask_name(name: str) -> str:
    """张*三, 张*, 欧阳*, 买**·**逊: the surname (or first character) and, if more than one
    follows, the last; at least one character is hidden.

    One ``*`` a hidden character; dots and spaces stay. Takes a normalised name.
    """
    units = _written_characters(name)
    letters = [place for place, unit in enumerate(units) if unit not in {MIDDLE_DOT, " "}]
    surname = 2 if "".join(units[:2]) in _TWO_CHARACTER_SURNAMES else 1
    given = letters[min(surname, len(letters) - 1) :]
    hidden = given if len(given) == 1 else given[:-1]
    return "".join("*" if place in hidden else unit for place, unit in enumerate(units))


def _written_characters(name: str) -> list[str]:
    # A character with its variation selectors, accents and joined parts is hidden or shown whole.
    units: list[str] = []
    for character in name:
        attached = unicodedata.category(character)[0] == "M" or character in _JOINERS
        if units and (attached or units[-1][-1] == "\u200d"):
            units[-1] += character
        else:
            units.append(character)
    return units


def mask_document(number: str) -> str:
    """The first three and the last four; of a short number at most a quarter at each end."""
    quarter = len(number) // 4
    head, tail = min(3, quarter), min(4, quarter)
    return number[:head] + "*" * (len(number) - head - tail) + number[len(number) - tail :]
