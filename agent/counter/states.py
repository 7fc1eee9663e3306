"""What can become of one scan: one table, no I/O. The service walks it; tests and fault runs
watch its steps."""

from enum import StrEnum


class ScanState(StrEnum):
    """Where one scan stands."""

    FRAMED = "framed"  # a complete frame has come; its record's id and birth are fixed
    ASKED = "asked"  # the question is with central
    DECIDED = "decided"  # there is a verdict; nobody has heard it
    COMMITTED = "committed"  # the record is durable
    SHOWN = "shown"  # light, page and event have told the clerk
    UNSAVED = "unsaved"  # the queue could not be read or written: the clerk hears so, never OK
    HANDED_ON = "handed-on"  # not a health code: passed on untouched, no record


class ScanEvent(StrEnum):
    """What moves a scan on."""

    FOREIGN = "foreign"  # text outside our grammars
    ASK = "ask"  # good enough to ask central
    JUDGE = "judge"  # judged here: malformed, seen before, used here
    ANSWER = "answer"  # central's reply in time
    SILENCE = "silence"  # no line, or no reply before the deadline: judged here
    STORED = "stored"
    STORE_FAILED = "store-failed"
    SHOW = "show"


SCAN_STEPS: dict[tuple[ScanState, ScanEvent], ScanState] = {
    (ScanState.FRAMED, ScanEvent.FOREIGN): ScanState.HANDED_ON,
    (ScanState.FRAMED, ScanEvent.ASK): ScanState.ASKED,
    (ScanState.FRAMED, ScanEvent.JUDGE): ScanState.DECIDED,
    (ScanState.FRAMED, ScanEvent.STORE_FAILED): ScanState.UNSAVED,
    (ScanState.ASKED, ScanEvent.ANSWER): ScanState.DECIDED,
    (ScanState.ASKED, ScanEvent.SILENCE): ScanState.DECIDED,
    (ScanState.DECIDED, ScanEvent.STORED): ScanState.COMMITTED,
    (ScanState.DECIDED, ScanEvent.STORE_FAILED): ScanState.UNSAVED,
    (ScanState.COMMITTED, ScanEvent.SHOW): ScanState.SHOWN,
}
"""The one table. SHOWN is reached through COMMITTED only: nobody hears OK before it is durable."""


def next_state(state: ScanState, event: ScanEvent) -> ScanState:
    """The state after ``event``. A step outside the table is a bug: KeyError ends the task tree."""
    return SCAN_STEPS[state, event]
