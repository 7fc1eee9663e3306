"""What a clerk is shown: a scan and an issue as plain data for page, light and command line.

Masked, in memory only. A view has the words in both languages, so that no screen invents them.
"""

import msgspec

from agent.counter.allowed import Allowed
from agent.counter.states import ScanState
from shared.devices import PrintState
from shared.messages import CodeClass, DecidedBy, Identity, RegistrationOutcome, Verdict
from shared.reasons import Reason


class Advice(msgspec.Struct, frozen=True):
    """A reason in words, with the next step."""

    reason: Reason
    zh: str
    en: str
    next_zh: str
    next_en: str


def advise(reason: Reason | None) -> Advice | None:
    """The words of a reason."""
    return None if reason is None else Advice(reason, *reason.words)


class ScanView(msgspec.Struct, frozen=True):
    """One scan as it stands; ``verdict`` is None until there is one.

    ``…_ms`` are milliseconds of this box's monotonic clock: an age is the difference to the
    ``now_ms`` of a message of the same boot, never to another machine's clock.
    """

    id: str
    at: str  # ISO 8601, UTC
    state: ScanState
    code_class: CodeClass | None = None
    verdict: Verdict | None = None
    decided_by: DecidedBy | None = None
    advice: Advice | None = None
    identity: Identity | None = None
    again: bool = False  # the same text a moment ago: the first verdict stands
    milliseconds: float = 0.0  # from frame to shown
    first: str = ""  # of an again: the id of the read that was judged
    scanned_ms: int = 0
    allowed: Allowed | None = None  # what may be done now
    same_name: bool = False  # somebody else of this masked name and birth year was here today
    handed_to: int = 0  # of a text that is no code of ours: how many workstations got it


class OperatorView(msgspec.Struct, frozen=True):
    """Who works at the counter. ``asked_for_pin`` is whose badge was read and whose PIN is due."""

    required: bool = False  # issuing needs somebody signed in
    id: str = ""  # empty: nobody
    name: str = ""
    role: str = ""
    language: str = ""
    asked_for_pin: str = ""  # a name
    advice: Advice | None = None  # why the last try failed
    locked_seconds: int = 0  # how long the next try must wait


class LabelView(msgspec.Struct, frozen=True):
    """One label as it stands: of a registration the latest one."""

    id: str
    state: PrintState
    registration: str = ""  # its id: one for all copies
    number: str = ""  # four digits, printed on the label: what a person is asked by
    advice: Advice | None = None
    conditions: tuple[str, ...] = ()
    copy: int = 1
    name: str = ""  # masked
    record_number: str = ""
    at: str = ""  # ISO 8601, UTC: when it was sent
    printed_ms: int = 0  # the same by the box's monotonic clock
    reprint_reason: str = ""
    temporary: bool = False  # its code is this box's own, until central has registered the person
    needs_answer: bool = False  # a person must say whether it came out, before another is printed


class IssueView(msgspec.Struct, frozen=True):
    """What came of a registration."""

    id: str
    outcome: RegistrationOutcome
    identity: Identity | None = None
    label: LabelView | None = None
    advice: Advice | None = None
    milliseconds: float = 0.0
