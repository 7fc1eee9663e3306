"""What stays on a screen: refusals until they are seen, later answers, same names, masks."""

import pytest
from msgspec.structs import replace

from agent.counter.allowed import allow
from agent.counter.display import Display
from agent.counter.masking import hide_issue, hide_scan
from agent.counter.printer_watch import PrinterWatch
from agent.counter.same_names import SameNames
from agent.counter.states import ScanState
from agent.counter.views import IssueView, LabelView, ScanView, advise
from agent.ports import PrinterStatus
from shared.devices import DeviceState, PrintState
from shared.errors import Unavailable
from shared.messages import MedicalStep, RegistrationOutcome, Verdict
from shared.reasons import Reason
from tests.agent.counter.desk import Desk
from tests.factories import IDENTITY, STATIC_TEXT, accepted, refused
from tests.fakes import NOON, RecordingPrinter, noon_clock, seconds

OTHER = replace(IDENTITY, patient_id="P00000002")


def view(id: str, verdict: Verdict | None = Verdict.REFUSED, first: str = "") -> ScanView:
    return ScanView(id, NOON.isoformat(), ScanState.SHOWN, verdict=verdict, first=first)


def show(display: Display, shown: ScanView) -> None:
    display.begin(replace(shown, state=ScanState.FRAMED))
    display.show(shown)


def test_a_refusal_stays_until_a_person_has_seen_it() -> None:
    """A later scan takes the main place; the refusal waits on. Twice acknowledged is once."""
    display = Display()
    show(display, view("1"))
    show(display, view("2", Verdict.ACCEPTED))
    assert display.main is not None
    assert display.main.id == "2"
    assert [one.id for one in display.unacknowledged] == ["1"]
    assert display.acknowledge("1")
    assert not display.unacknowledged
    assert display.acknowledge("1")
    assert not display.acknowledge("3")


def test_a_refusal_read_again_is_one_refusal() -> None:
    """A phone resting on the scanner makes one line, not ten."""
    display = Display()
    show(display, view("1"))
    show(display, view("2", first="1"))
    show(display, view("3", first="1"))
    assert [one.id for one in display.unacknowledged] == ["3"]


def test_a_refusal_once_seen_is_seen_while_the_phone_rests() -> None:
    """Read again after the clerk's answer, or between two of its reads, it asks no second time;
    the same code shown to be refused for another reason does."""
    display = Display()
    show(display, view("1"))
    show(display, view("2", first="1"))
    assert display.acknowledge("1")
    assert not display.unacknowledged
    show(display, view("3", first="1"))
    assert not display.unacknowledged
    show(display, view("4"))
    assert [one.id for one in display.unacknowledged] == ["4"]
    display.amend(replace(view("1"), advice=advise(Reason.CARD_CANCELLED)))
    assert [one.id for one in display.unacknowledged] == ["1", "4"]


def test_what_was_not_saved_waits_for_a_person_too() -> None:
    """It has no verdict, and the clerk must not overlook it."""
    display = Display()
    show(display, replace(view("1", None), state=ScanState.UNSAVED))
    assert [one.id for one in display.unacknowledged] == ["1"]


def test_every_step_of_a_scan_is_told_until_undone() -> None:
    """Begun, shown; after the undo nothing."""
    display = Display()
    told: list[ScanState] = []
    undo = display.changes.subscribe(lambda one: told.append(one.state))
    show(display, view("1"))
    undo()
    show(display, view("2"))
    assert told == [ScanState.FRAMED, ScanState.SHOWN]


async def test_a_late_refusal_reaches_the_again_in_the_main_place() -> None:
    """The clerk who sees "again, provisional" learns that central refused; a third read says so
    too."""
    desk = Desk()
    first = desk.begin(STATIC_TEXT)
    ask = await desk.uplink.asked(1)
    desk.uplink.stay_silent(ask)
    assert (await first).verdict is Verdict.PROVISIONAL
    again = await desk.scan(STATIC_TEXT)
    assert desk.display.main == again
    assert again.again
    await desk.counter.take_late_reply(refused(ask.id, NOON, Reason.CARD_SUSPENDED))
    assert desk.display.main is not None
    assert desk.display.main.id == again.id
    assert desk.display.main.verdict is Verdict.REFUSED
    assert desk.display.main.allowed == allow(Verdict.REFUSED, None, MedicalStep.OTHER)
    assert len(desk.display.unacknowledged) == 1
    assert (await desk.scan(STATIC_TEXT)).verdict is Verdict.REFUSED


async def test_same_names_are_pointed_out() -> None:
    """Another person of the same masked name and birth year: check the document."""
    desk = Desk()
    for number, identity in enumerate((IDENTITY, OTHER, IDENTITY), start=1):
        desk.clock.advance(seconds(60))
        scanning = desk.begin(STATIC_TEXT)
        ask = await desk.uplink.asked(number)
        desk.uplink.answer(accepted(ask.id, NOON, identity))
        assert (await scanning).same_name is (number > 1)


def test_same_names_are_of_one_day_and_of_one_year_of_birth() -> None:
    """Yesterday's persons are forgotten; the year tells grandmother from child."""
    names = SameNames()
    assert not names.is_shared(IDENTITY, "2026-01-01")
    assert not names.is_shared(replace(OTHER, birth_date="1950-01-01"), "2026-01-01")
    assert names.is_shared(OTHER, "2026-01-01")
    assert not names.is_shared(IDENTITY, "2026-01-02")


def test_same_names_without_a_number_are_told_apart_by_their_documents() -> None:
    """Temporary codes: two persons are two; one whom central has given a number since is one."""
    names, day = SameNames(), "2026-01-01"
    alone = replace(IDENTITY, patient_id="", record_numbers=())
    assert not names.is_shared(alone, day)
    assert not names.is_shared(IDENTITY, day)
    assert names.is_shared(replace(alone, document="110***********0001"), day)


@pytest.mark.parametrize("step", MedicalStep)
def test_provisional_says_what_may_be_done_at_every_counter(step: MedicalStep) -> None:
    """In both languages; who is less known may never do more, and insurance always waits."""
    known = allow(Verdict.PROVISIONAL, Reason.OFFLINE_KNOWN, step)
    unknown = allow(Verdict.PROVISIONAL, Reason.OFFLINE_UNKNOWN, step)
    assert known is not None
    assert unknown is not None
    assert known.go_on >= unknown.go_on
    assert known.zh
    assert known.en
    assert allow(Verdict.PROVISIONAL, Reason.NO_ANSWER, step) == unknown
    assert allow(None, None, step) is None


def test_nobody_in_particular_sees_a_surname_at_most() -> None:
    """No document and no birthday; the record number stays, which the patient's path needs."""
    hidden = hide_scan(replace(view("1"), identity=IDENTITY)).identity
    assert hidden is not None
    assert (hidden.name, hidden.document, hidden.birth_date) == ("电**", "", "")
    assert hidden.record_numbers == IDENTITY.record_numbers
    label = LabelView("1", PrintState.SENT, name="张*")
    issue = hide_issue(IssueView("1", RegistrationOutcome.NEW, IDENTITY, label))
    assert issue.identity == hidden
    assert issue.label is not None
    assert issue.label.name == "张**"


class CountingPrinter(RecordingPrinter):
    """Counts who asks."""

    asked = 0

    async def read_status(self) -> PrinterStatus:
        self.asked += 1
        if self.asked > 2:
            raise Unavailable(Reason.DEVICE_SILENT)
        return PrinterStatus(DeviceState.READY)


async def test_looking_at_a_printer_opens_it_seldom() -> None:
    """Many looks, one question; its age is known."""
    clock, printer = noon_clock(), CountingPrinter()
    watch = PrinterWatch(printer, clock)
    assert watch.status.state is DeviceState.OPENING
    assert await watch.read(3)
    for _ in range(100):
        assert not await watch.read(3)
    assert printer.asked == 1
    clock.advance(seconds(3))
    assert not await watch.read(3)
    assert (printer.asked, watch.read_ms) == (2, 3000)
    absent = PrinterWatch(None, clock)
    assert not await absent.read()
    assert absent.status.state is DeviceState.ABSENT
