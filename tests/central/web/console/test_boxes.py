"""Which box comes first, what is said of it, and what a filter lets through."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.cards.states import CardState
from central.fleet.states import BoxState
from central.users.roles import Role
from central.web.console.boxes import (
    BACKLOG_NOTICE,
    CERTIFICATE_NOTICE,
    BoxLine,
    Device,
    Filter,
    Trouble,
    count_boxes,
    rank_boxes,
)
from central.web.console.showing import show_box
from central.web.console.words import (
    BOX_STATES,
    CARD_STATES,
    CONDITIONS,
    DEVICE_STATES,
    ROLES,
    TROUBLES,
    VERDICTS,
    tell_span,
    tell_time,
)
from central.web.language import Language
from shared.devices import DeviceState, PrinterCondition
from shared.messages import Verdict
from shared.reasons import Reason

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
READY = Device("scanner", DeviceState.READY)
WELL = BoxLine(
    id="site1/box1",
    site="site1",
    site_name="虚构市第一医院",
    counter="1号窗口",
    state=BoxState.ACTIVE,
    online=True,
    since=AT - timedelta(hours=1),
    unsent=0,
    oldest_unsent_at=None,
    scanner=READY,
    printer=READY,
    software="1.0.0",
    certificate_until=AT + timedelta(days=300),
    refused=None,
    heard_at=AT,
)
FAULTY = Device("printer", DeviceState.FAULTY, (PrinterCondition.NO_PAPER,))
SECOND = timedelta(seconds=1)

ILL = {
    Trouble.QUARANTINED: replace(WELL, state=BoxState.QUARANTINED),
    Trouble.OFFLINE_UNSENT: replace(WELL, online=False, unsent=1, oldest_unsent_at=AT),
    Trouble.CERTIFICATE_ENDED: replace(WELL, certificate_until=AT),
    Trouble.CONFIGURATION_REFUSED: replace(WELL, refused=Reason.SETTING_IMPOSSIBLE),
    Trouble.SCANNER: replace(WELL, scanner=Device("scanner", DeviceState.ABSENT)),
    Trouble.PRINTER: replace(WELL, printer=FAULTY),
    Trouble.OFFLINE: replace(WELL, online=False),
    Trouble.SILENT: replace(WELL, heard_at=AT - timedelta(hours=1)),
    Trouble.BACKLOG: replace(WELL, unsent=3, oldest_unsent_at=AT - BACKLOG_NOTICE),
    Trouble.CERTIFICATE_ENDING: replace(WELL, certificate_until=AT + CERTIFICATE_NOTICE),
    Trouble.NEVER_SEEN: replace(WELL, online=None, since=None, heard_at=None),
}


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_is_found_alone(trouble: Trouble) -> None:
    """One thing wrong is one trouble, in words of its own."""
    [rank] = rank_boxes([ILL[trouble]], AT)
    assert rank.troubles == (trouble,)
    assert show_box(rank, AT, Language.ZH).need == TROUBLES[trouble]


@pytest.mark.parametrize(
    "line",
    [
        WELL,
        replace(WELL, certificate_until=AT + CERTIFICATE_NOTICE + SECOND),
        replace(WELL, unsent=1, oldest_unsent_at=AT - BACKLOG_NOTICE + SECOND),
        replace(ILL[Trouble.OFFLINE], state=BoxState.RETIRED),
        replace(ILL[Trouble.OFFLINE_UNSENT], state=BoxState.REVOKED),
    ],
)
def test_what_needs_nobody(line: BoxLine) -> None:
    """Just before each notice, and once a box was shut out, nobody is called."""
    assert line.troubles(AT) == ()


def test_devices_of_a_box_that_is_away_call_nobody() -> None:
    """What it last said of its printer is no reason to go there, and is not shown as now."""
    away = replace(WELL, online=False, printer=FAULTY)
    [rank] = rank_boxes([away], AT)
    assert rank.troubles == (Trouble.OFFLINE,)
    assert {device.mood for device in show_box(rank, AT, Language.ZH).devices} == {"soft"}


def test_the_worst_comes_first_then_the_longest_wait() -> None:
    """In the order of troubles; of two alike the one that waits longer; the well by their ids,
    and what was shut out at the end."""
    longer = replace(
        ILL[Trouble.OFFLINE_UNSENT], id="site9/box9", oldest_unsent_at=AT - timedelta(days=2)
    )
    retired = replace(WELL, id="site0/box0", state=BoxState.RETIRED)
    lines = [retired, WELL, *reversed(ILL.values()), longer]
    ranks = rank_boxes(lines, AT)
    assert [rank.line for rank in ranks] == [
        ILL[Trouble.QUARANTINED],
        longer,
        *list(ILL.values())[1:],
        WELL,
        retired,
    ]
    tally = count_boxes(ranks)
    assert (tally.boxes, tally.need, tally.unsent) == (len(lines) - 1, len(ILL) + 1, 5)


@pytest.mark.parametrize(
    ("wanted", "lets"),
    [
        (Filter(), True),
        (Filter(site="site1"), True),
        (Filter(site="site2"), False),
        (Filter(text="1号"), True),
        (Filter(text="BOX1"), True),
        (Filter(text="%"), False),
        (Filter(state="online"), True),
        (Filter(state="offline"), False),
        (Filter(state="need"), False),
        (Filter(state="active"), True),
        (Filter(state="no such state"), False),
    ],
)
def test_a_filter_narrows(wanted: Filter, lets: bool) -> None:
    """By site, by state, by any part of the names."""
    [rank] = rank_boxes([WELL], AT)
    assert wanted.lets(rank) is lets


def test_every_state_has_words() -> None:
    """No state of the system is left without a shape and two words."""
    assert set(BOX_STATES) == set(BoxState)
    assert set(DEVICE_STATES) == set(DeviceState)
    assert set(CONDITIONS) == set(PrinterCondition)
    assert set(CARD_STATES) == set(CardState)
    assert set(VERDICTS) == set(Verdict)
    assert set(ROLES) == set(Role)
    assert set(TROUBLES) == set(Trouble)


def test_spans_and_times_are_told_as_people_say_them() -> None:
    """In the largest unit; a moment of today without its date, on China's clocks."""
    told = [tell_span(timedelta(seconds=s), Language.EN) for s in (-5, 59, 60, 3600, 90_000)]
    assert told == ["0 s", "59 s", "1 min", "1 h", "1 d"]
    assert tell_time(AT, AT) == "16:00:00"
    assert tell_time(AT - timedelta(hours=17), AT) == "2026-02-28 23:00"
    last = datetime.max.replace(tzinfo=UTC)
    assert tell_time(last, AT) == "9999-12-31 07:59"  # a crooked box hides no other box's row
