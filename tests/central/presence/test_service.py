"""What central keeps of what boxes say of themselves, and whom it believes."""

from datetime import timedelta

import pytest

from central.presence.live import SILENT_AFTER, Live
from shared.clock import to_microseconds
from shared.codec import statuses
from shared.desired import DeviceReport, Reported, reports
from shared.devices import DeviceState
from shared.errors import Malformed, NotAuthentic, Refused
from shared.ids import BoxId
from shared.messages import Status
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import REPORTED
from tests.central.ingest.boxes import PaperBox, add_box
from tests.central.ingest.centre import AT, Centre

READY = DeviceReport("a device", DeviceState.READY)
ONLINE, OFFLINE = (statuses.encode(Status(online, 0)) for online in (True, False))


def report(box: BoxId, created: int = 5, *, minutes: int = 0, epoch: int = 1) -> Reported:
    """A box that has two rows unsent, and says so some minutes after eight."""
    return Reported(
        box=str(box),
        at=to_microseconds(AT + timedelta(minutes=minutes)),
        software="1",
        epoch=epoch,
        created=created,
        acknowledged=max(created - 2, 0),
        pending=2,
        tombstoned=0,
        oldest_pending_at=to_microseconds(AT),
        scanner=READY,
        printer=READY,
        certificate_until=to_microseconds(AT + timedelta(days=90)),
        revision=3,
    )


def sealed(centre: Centre, said: Reported, box: BoxId | None = None) -> bytes:
    """As it comes on the line."""
    box = box or BoxId(*said.box.split("/"))
    plaintext = reports.encode(said)
    return centre.fleet.pair_key(box).seal(Direction.UP, box, REPORTED, plaintext)


def take(centre: Centre, said: Reported, *, minutes: int = 0) -> Reported | None:
    """Central takes a report, some minutes after eight."""
    box = BoxId(*said.box.split("/"))
    with centre.database.unit():
        at = AT + timedelta(minutes=minutes)
        return centre.presence.take_report(box, sealed(centre, said), at)


def read(centre: Centre, box: BoxId) -> Live:
    live = centre.presence.read(box)
    assert live is not None
    return live


def test_a_box_that_never_spoke_is_known_as_one(centre: Centre, box: PaperBox) -> None:
    """It stands in the list, offline and unheard; a box that is not of the fleet does not."""
    assert read(centre, box.id) == Live(box.id, False, None, None, None)
    assert [live.box for live in centre.presence.list()] == [box.id]
    assert centre.presence.read(BoxId("site9", "box9")) is None


def test_a_report_is_kept_and_read(centre: Centre, box: PaperBox) -> None:
    """Unsent rows, the oldest's age, the certificate's end, the revision at work."""
    said = report(box.id)
    assert take(centre, said) == said
    live = read(centre, box.id)
    assert (live.reported, live.heard_at, live.unsent) == (said, AT, 2)
    assert (live.oldest_unsent_at, live.certificate_until) == (AT, AT + timedelta(days=90))
    assert centre.presence.read_revision(box.id) == 3


@pytest.mark.parametrize(
    "later",
    [{"created": 6, "minutes": -60}, {"minutes": 1}, {"created": 0, "epoch": 2, "minutes": -9}],
)
def test_the_latest_report_stands(centre: Centre, box: PaperBox, later: dict[str, int]) -> None:
    """By the ledger first and the box's clock second: a wrong clock or a replay brings no old
    state back."""
    before, after = report(box.id), report(box.id, **({"created": 5} | later))
    take(centre, before)
    assert take(centre, after, minutes=1) == after
    assert take(centre, before, minutes=2) is None
    live = read(centre, box.id)
    assert (live.reported, live.heard_at) == (after, AT + timedelta(minutes=1))


def test_a_report_is_believed_from_its_box_alone(centre: Centre, box: PaperBox) -> None:
    """Not sealed, sealed for another, about another, from nobody: nothing is kept."""
    other = add_box(centre, BoxId("site1", "box2"))
    for payload in (b"", bytes(60), sealed(centre, report(other.id)), b"\x01" + bytes(60)):
        with pytest.raises(Refused), centre.database.unit():
            centre.presence.take_report(box.id, payload, AT)
    with pytest.raises(NotAuthentic):
        centre.presence.take_report(box.id, sealed(centre, report(other.id)), AT)
    about_another = sealed(centre, report(other.id), box.id)
    with pytest.raises(Refused) as caught:
        centre.presence.take_report(box.id, about_another, AT)
    assert caught.value.reason is Reason.NOT_FOR_THIS_BOX
    with pytest.raises(Refused):
        centre.presence.take_report(BoxId("site9", "box9"), b"", AT)
    assert read(centre, box.id).reported is None


def test_coming_and_going_is_told_once(centre: Centre, box: PaperBox) -> None:
    """A status that says what is known changes nothing; ``since`` is when it changed."""
    presence = centre.presence
    later = AT + timedelta(minutes=5)
    with centre.database.unit():
        assert presence.take_status(box.id, ONLINE, AT)
        assert not presence.take_status(box.id, ONLINE, later)
        assert (read(centre, box.id).online, read(centre, box.id).since) == (True, AT)
        assert presence.take_status(box.id, OFFLINE, later)
        assert (read(centre, box.id).online, read(centre, box.id).since) == (False, later)
        with pytest.raises(Malformed):
            presence.take_status(box.id, b"", AT)
        with pytest.raises(Refused):
            presence.take_status(BoxId("site9", "box9"), ONLINE, AT)


def test_online_and_unheard_is_silent(centre: Centre, box: PaperBox) -> None:
    """A status is a hint: a box that is said to be there and says nothing is marked."""
    with centre.database.unit():
        centre.presence.take_status(box.id, ONLINE, AT)
    assert read(centre, box.id).is_silent(AT)
    take(centre, report(box.id))
    assert not read(centre, box.id).is_silent(AT + SILENT_AFTER)
    assert read(centre, box.id).is_silent(AT + SILENT_AFTER + timedelta(seconds=1))


def test_a_sites_boxes_are_read_alone(centre: Centre, box: PaperBox) -> None:
    """In one statement, by id; a site whose id begins the same is another one."""
    near = [BoxId("site1", "box2"), BoxId("site10", "box1"), BoxId("site2", "box1")]
    for id in near:
        add_box(centre, id)
    assert [live.box for live in centre.presence.list("site1")] == [box.id, near[0]]
    assert len(centre.presence.list()) == 4
