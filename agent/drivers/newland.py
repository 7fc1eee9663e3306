"""Newland's set-up commands, as bytes to and from a scanner's serial line. Pure.

The syntax is that of the "Use of Programming Command" chapter, alike in the user manuals of the
NLS-HR42 (pp. 15–16), NLS-HR52 (p. 35) and FM530 (p. 141). It knows how a setting is written, not
which settings a counter wants.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from shared.errors import Malformed
from shared.reasons import Reason

# "Prefix: "~<SOH>0000" (HEX: 7E 01 30 30 30 30), 6 characters."
COMMAND_PREFIX = b"~\x010000"
# "the prefix of a response consists of the six characters of "<STX><SOH>0000""
ANSWER_PREFIX = b"\x02\x010000"
# "Suffix: ";<ETX>" (HEX: 3B 03), 2 characters."
SUFFIX = b";\x03"
# "* (HEX: 2A) What is the scanner's current value for the setting(s)."
CURRENT = "*"


class Storage(Enum):
    """How long a setting holds."""

    # ""@" means permanent setting which will not be lost by removing power from the scanner or
    # rebooting it"
    KEPT = b"@"
    # ""#" means temporary setting which will be lost by removing power from the scanner"
    UNTIL_POWER_OFF = b"#"


class Status(Enum):
    """What a scanner says of one command."""

    # "<ACK> (HEX: 06) Indicates a good command which has been processed."
    DONE = b"\x06"
    # "<NAK> (HEX: 15) Indicates a good configuration command with its Data field entry out of the
    # allowable range for this Tag and SubTag combination …, or an invalid query command."
    OUT_OF_RANGE = b"\x15"
    # "<ENQ> (HEX: 05) Indicates an invalid Tag or SubTag command."
    UNKNOWN_COMMAND = b"\x05"


class Interface(IntEnum):
    """INTERF: how the scanner shows itself to the box.

    The numbers are those of a Newland scanner's own source, whose answer to ``INTERF^`` is
    "0-3|5-8". The FR20's are not verified: its manual has the last word, so that every setting
    may be given as a number too.
    """

    RS232 = 0
    DATA_PIPE = 1
    VIRTUAL_RS232 = 2  # needs Newland's driver
    KEYBOARD = 3
    PS2 = 4
    HID_POS = 5
    SUREPOS_TABLE_TOP = 6
    SUREPOS_HAND_HELD = 7
    CDC = 8  # /dev/ttyACM0


class Terminator(Enum):
    """TSUENA and TSUSET: what ends a code, at most two characters, each as two hex digits."""

    NONE = ""
    CR = "0D"
    LF = "0A"
    CRLF = "0D0A"
    TAB = "09"


US_LAYOUT = 0
LAYOUTS = range(29)
"""KBWCTY: "the SubTag for the keyboard layout is CTY"; 0 to 28, of which 0 is the US keyboard."""

VOLUMES = range(1, 21)
"""GRBVLL: the good-read beep from 1, soft, to 20."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a command or an answer."""

    # "Tag: A 3-character case-sensitive field that identifies the desired command group."
    tag: str
    # "SubTag: A 3-character case-sensitive field that identifies the desired parameter within the
    # tag group."
    sub_tag: str
    # "Data: The value for a feature or parameter setting, identified by the Tag and SubTag."
    data: str

    @property
    def name(self) -> str:
        """Tag and SubTag, as the manual prints them."""
        return self.tag + self.sub_tag


@dataclass(frozen=True, slots=True)
class Answered:
    """What the scanner said of one entry; to a question, ``entry`` holds the value."""

    entry: Entry
    status: Status


_NAME = re.compile(r"[0-9A-Z]{3}")
_DATA = re.compile(r"[ -+\--:<-~]*")  # visible ASCII without comma and semicolon
_ANSWER = re.compile(
    re.escape(ANSWER_PREFIX) + rb"[@#]((?:[0-9A-Z]{3,6}[ -+\--:<-~]*[\x05\x06\x15][,;])+)\x03"
)
_ITEM = re.compile(rb"([ -+\--:<-~]+)([\x05\x06\x15])([,;])")


def build_command(entries: Sequence[Entry], storage: Storage = Storage.KEPT) -> bytes:
    """One command for these entries; one tag is written once in a row.

    "If an additional command is to be applied to the same Tag, then the command is separated with
    a comma (,) and only the SubTag and Data fields of the additional commands are issued. If the
    additional command requires a different Tag field, the command is separated from previous
    command by a semicolon (;)." Raises Malformed for a name or a value that cannot be sent.
    """
    text = ""
    tag = ""
    for entry in entries:
        names = _NAME.fullmatch(entry.tag) and _NAME.fullmatch(entry.sub_tag)
        if not names or not _DATA.fullmatch(entry.data):
            raise Malformed(Reason.SCANNER_SET_UP_REFUSED, entry.name)
        text += (
            f",{entry.sub_tag}{entry.data}" if entry.tag == tag else f";{entry.name}{entry.data}"
        )
        tag = entry.tag
    return COMMAND_PREFIX + storage.value + text[1:].encode() + SUFFIX


def parse_answer(answer: bytes) -> tuple[Answered, ...]:
    """Read one whole answer, from STX to ETX.

    "When responding, the scanner echoes back the command sequence with the status character above
    inserted directly before each of the punctuation marks (the comma or semicolon) in the
    command." To a question the value stands in the place of ``*``. Raises Malformed.
    """
    match = _ANSWER.fullmatch(answer)
    if match is None:
        raise Malformed(Reason.DEVICE_FAULTY, "not an answer")
    answered: list[Answered] = []
    tag = ""
    for text, status, mark in _ITEM.findall(match[1]):
        item = text.decode("ascii") if not tag else tag + text.decode("ascii")
        if not (_NAME.fullmatch(item[:3]) and _NAME.fullmatch(item[3:6])):
            raise Malformed(Reason.DEVICE_FAULTY, "an answer without a name")
        answered.append(Answered(Entry(item[:3], item[3:6], item[6:]), Status(status)))
        tag = item[:3] if mark == b"," else ""
    return tuple(answered)
