"""Asks: only the box's own are answered, only the box can read the answer, a refusal undoes."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import to_microseconds
from shared.codec import replies
from shared.errors import Damaged, Malformed, NotAuthentic, Refused
from shared.messages import RefusalReply, Reply, ScanReply
from shared.pairing import Direction
from shared.reasons import Reason
from shared.topics import ASK_REGISTER, ASK_SCAN, REPLY
from tests.central.ingest.boxes import OTHER, PaperBox, add_box
from tests.central.ingest.centre import AT, Centre


def answer(centre: Centre, box: PaperBox, payload: bytes, kind: str = ASK_SCAN) -> Reply:
    """Ask in one unit of work and open the reply as the box does."""
    with centre.database.unit():
        sealed = centre.ingest.asks.answer(box.id, kind, payload, AT)
    return replies.decode(box.pair_key.open(Direction.DOWN, box.id, REPLY, sealed))


def test_a_reply_echoes_the_ask_and_tells_centrals_time(centre: Centre, box: PaperBox) -> None:
    """The reply carries the ask's id, and the time the box measures its clock by."""
    ask = box.ask()
    reply = answer(centre, box, box.seal_ask(ask))
    assert isinstance(reply, ScanReply)
    assert (reply.id, reply.central_at) == (ask.id, to_microseconds(AT))
    assert centre.noted("test.ask") == {ask.id.hex(): 1}


def test_a_refusal_is_answered_and_leaves_no_trace(centre: Centre, box: PaperBox) -> None:
    """What the feature wrote before it refused is rolled back; the reason reaches the box."""
    centre.notebook.refuse = Reason.PERSON_MISMATCH
    ask = box.ask()
    reply = answer(centre, box, box.seal_ask(ask))
    assert reply == RefusalReply(
        id=ask.id, central_at=to_microseconds(AT), reason=Reason.PERSON_MISMATCH
    )
    assert centre.noted("test.ask") == {}


def test_one_persons_damaged_data_ends_no_one_elses_service(centre: Centre, box: PaperBox) -> None:
    """A seal that does not open is said, and the box judges alone; central goes on."""
    centre.notebook.refuse, centre.notebook.error = Reason.SEAL_BROKEN, Damaged
    reply = answer(centre, box, box.seal_ask(box.ask()))
    assert isinstance(reply, RefusalReply)
    assert reply.reason is Reason.SEAL_BROKEN
    assert centre.noted("test.ask") == {}


def test_an_expired_ask_consumes_nothing_and_tells_the_time(centre: Centre, box: PaperBox) -> None:
    """Nobody waits for it any more; but a box with a wrong clock learns so from the answer."""
    ask = box.ask(AT - timedelta(seconds=2), expires_at=AT)
    reply = answer(centre, box, box.seal_ask(ask))
    assert isinstance(reply, RefusalReply)
    assert (reply.reason, reply.central_at) == (Reason.ASK_EXPIRED, to_microseconds(AT))
    assert centre.noted("test.ask") == {}


def test_an_ask_opens_only_for_its_box_and_kind(centre: Centre, box: PaperBox) -> None:
    """Sealed by one box it is not another's, nor of another kind, nor a reply come back."""
    other = add_box(centre, OTHER)
    payload = box.seal_ask(box.ask())
    for asker, kind in ((other, ASK_SCAN), (box, ASK_REGISTER)):
        with pytest.raises(NotAuthentic):
            answer(centre, asker, payload, kind)
    plaintext = msgspec.msgpack.encode(box.ask())
    mirrored = box.pair_key.seal(Direction.DOWN, box.id, ASK_SCAN, plaintext)
    with pytest.raises(NotAuthentic):
        answer(centre, box, mirrored)
    assert centre.noted("test.ask") == {}


def test_a_box_asks_in_its_own_name_only(centre: Centre, box: PaperBox) -> None:
    """The name inside the seal must be the sealing box's."""
    ask = msgspec.structs.replace(box.ask(), box=str(OTHER))
    with pytest.raises(Refused) as refusal:
        answer(centre, box, box.seal_ask(ask))
    assert refusal.value.reason is Reason.NOT_FOR_THIS_BOX


def test_a_box_that_is_not_active_is_not_answered(centre: Centre, box: PaperBox) -> None:
    """A quarantined box hears that it is not admitted, and nothing of any person."""
    with centre.database.unit():
        centre.fleet.mark_quarantined(box.id, "test", AT)
    reply = answer(centre, box, box.seal_ask(box.ask()))
    assert isinstance(reply, RefusalReply)
    assert reply.reason is Reason.NOT_ADMITTED


@pytest.mark.parametrize(
    "crooked", [{"id": b""}, {"id": bytes(16)}, {"id": bytes(17)}, {"id": bytes([0xFF] * 16)}]
)
def test_an_id_that_is_no_record_id_is_malformed(
    centre: Centre, box: PaperBox, crooked: dict[str, bytes]
) -> None:
    """An id is 16 bytes and a UUIDv7, or the ask is dropped."""
    ask = msgspec.structs.replace(box.ask(), **crooked)
    with pytest.raises(Malformed):
        answer(centre, box, box.seal_ask(ask))


def test_a_kind_of_the_future_is_refused(centre: Centre, box: PaperBox) -> None:
    """What a newer box asks is told apart from rubbish."""
    future = msgspec.msgpack.encode({"version": 2, "kind": "teleport"})
    with pytest.raises(Refused) as refusal:
        answer(centre, box, box.pair_key.seal(Direction.UP, box.id, ASK_SCAN, future))
    assert refusal.value.reason is Reason.SCHEMA_UNKNOWN


@given(plaintext=st.binary(max_size=100), raw=st.binary(max_size=100))
def test_no_bytes_do_more_than_be_refused(
    shared_centre: tuple[Centre, PaperBox], plaintext: bytes, raw: bytes
) -> None:
    """Whatever comes in, sealed or not, is an ask or a typed refusal."""
    centre, box = shared_centre
    sealed = box.pair_key.seal(Direction.UP, box.id, ASK_SCAN, plaintext)
    for payload in (raw, sealed):
        with pytest.raises(Refused):
            answer(centre, box, payload)
