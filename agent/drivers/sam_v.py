"""The frames of SAM_V, the security module inside readers of resident identity cards. Pure.

SAM_V 通信协议 (the module makers' protocol sheet): tables 1 (line), 3 and 4 (frames), 9 (commands),
and the status codes. Of the card's text only what a registration needs is taken out; address,
issuing authority and picture are never parsed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import reduce
from operator import xor
from typing import NamedTuple

from shared.errors import Malformed
from shared.reasons import Reason

BAUD = 115_200
"""默认 115200bps, 8 data bits, 1 stop bit, no parity (table 1)."""

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
"""本帧数据的帧头，5 字节."""

_SHORTEST, _LONGEST = 4, 4096
"""SW1, SW2, SW3 and the check byte; the longest real answer, with fingerprints, has 2,321."""


class Command(NamedTuple):
    """CMD and Para (table 9)."""

    code: int
    parameter: int


FIND = Command(0x20, 0x01)  # 寻找证/卡
SELECT = Command(0x20, 0x02)  # 选取证/卡
READ = Command(0x30, 0x01)  # 读身份证固定信息: text and picture


class Status(IntEnum):
    """SW3; whatever is not here is an error of the card or the module."""

    DONE = 0x90  # 操作成功
    FOUND = 0x9F  # 寻找证/卡成功
    NO_CARD = 0x80  # 寻找证/卡失败
    NOT_SELECTED = 0x81  # 选取证/卡失败


@dataclass(frozen=True, slots=True)
class Answer:
    """One output frame: SW3 and the data."""

    status: int
    data: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The frame as a module sends it."""
        return _frame(bytes((0, 0, self.status)) + self.data)


@dataclass(frozen=True, slots=True)
class CardText:
    """What is taken from a card. ``sex`` by GB/T 2261.1."""

    name: str = field(repr=False)
    sex: str
    number: str = field(repr=False)


def build_command(command: Command, data: bytes = b"") -> bytes:
    """Preamble, Len1, Len2, CMD, Para, Data, CHK_SUM (table 3)."""
    return _frame(bytes(command) + data)


class AnswerFramer:
    """Bytes in, answers out; noise before a preamble is skipped."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Answer | Reason]:
        """The answers that are now whole; DOCUMENT_UNREADABLE for one whose check byte or length
        is wrong."""
        self._held += data
        while (start := self._held.find(PREAMBLE)) >= 0:
            del self._held[:start]
            body_at = len(PREAMBLE) + 2
            if len(self._held) < body_at:
                return
            length = int.from_bytes(self._held[len(PREAMBLE) : body_at], "big")
            if not _SHORTEST <= length <= _LONGEST:
                del self._held[: len(PREAMBLE)]
                yield Reason.DOCUMENT_UNREADABLE
                continue
            if len(self._held) < body_at + length:
                return
            checked = bytes(self._held[len(PREAMBLE) : body_at + length])
            if reduce(xor, checked):  # the check byte is in it, so all together are zero
                del self._held[: len(PREAMBLE)]  # perhaps the next frame begins inside this one
                yield Reason.DOCUMENT_UNREADABLE
                continue
            del self._held[: body_at + length]
            yield Answer(checked[4], checked[5:-1])
        # What is left may be the first bytes of a preamble, and no more.
        del self._held[: -len(PREAMBLE) + 1]

    def forget(self) -> None:
        """Drop what is half there: the other side was silent for too long."""
        self._held.clear()


_HEADER = 4  # lengths of text and picture, two bytes each
_TEXT_BYTES = 256
_NAME = slice(0, 30)  # 15 characters, UCS-2 little-endian, padded with spaces
_SEX = slice(30, 32)  # one digit, GB/T 2261.1
_NUMBER = slice(122, 158)  # 公民身份号码, behind nation 4, birth 16, address 70 bytes
_KIND = slice(248, 250)  # a space for a resident; I: foreigner, J: Hong Kong, Macau, Taiwan
_RESIDENT = frozenset({"", "J"})


def parse_card(data: bytes) -> CardText:
    """The text of a READ answer. Raises Malformed: DOCUMENT_UNREADABLE, or DOCUMENT_TYPE_UNKNOWN
    for a foreigner's permanent residence card, whose text is laid out otherwise."""
    text = data[_HEADER : _HEADER + _TEXT_BYTES]
    if len(data) < _HEADER + _TEXT_BYTES or int.from_bytes(data[:2], "big") != _TEXT_BYTES:
        raise Malformed(Reason.DOCUMENT_UNREADABLE, "length of the text")
    try:
        name, sex, number, kind = (
            text[part].decode("utf-16-le").strip(" \0") for part in (_NAME, _SEX, _NUMBER, _KIND)
        )
    except UnicodeDecodeError as error:
        raise Malformed(Reason.DOCUMENT_UNREADABLE, "text is not UCS-2") from error
    if kind not in _RESIDENT:
        raise Malformed(Reason.DOCUMENT_TYPE_UNKNOWN, "not a resident's card")
    return CardText(name, sex if sex in {"1", "2", "9"} else "0", number)


def build_card(card: CardText) -> bytes:
    """The data of a READ answer with this text: for the simulated reader."""
    text = bytearray(" ".encode("utf-16-le") * (_TEXT_BYTES // 2))
    for part, value in ((_NAME, card.name), (_SEX, card.sex), (_NUMBER, card.number)):
        room = (part.stop - part.start) // 2
        text[part] = value[:room].ljust(room).encode("utf-16-le")
    picture = bytes(1024)
    lengths = len(text).to_bytes(2, "big") + len(picture).to_bytes(2, "big")
    return lengths + bytes(text) + picture


def _frame(content: bytes) -> bytes:
    """Len1 and Len2 count what follows them, the check byte too; CHK_SUM: 数据帧中除帧头和校验和
    之外的数据逐字节按位异或的结果."""
    checked = (len(content) + 1).to_bytes(2, "big") + content
    return PREAMBLE + checked + bytes([reduce(xor, checked)])
