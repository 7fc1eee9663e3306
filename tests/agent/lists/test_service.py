"""A box's lists against a real centre: deltas that lead there, those that do not, what is lost."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from agent.listed import Heeded
from agent.lists.service import OLD
from shared.lists import NO_DIGEST, Position, end_of, sign_page
from shared.messages import ListName, ListReply
from shared.reasons import Reason
from tests.agent.lists.box import ListBox
from tests.central.lists.centre import ListCentre
from tests.central.people import SAMPLE, make_resident

HOUR = timedelta(hours=1)


def _age(box: ListBox) -> timedelta | None:
    return box.lists.age()


def _trouble(box: ListBox) -> Reason | None:
    return box.lists.trouble


async def test_a_person_of_the_site_is_known_without_ever_having_been_here(
    centre: ListCentre, box: ListBox
) -> None:
    """Masked as a reply gives it, with patient id and record number."""
    _, card = centre.admit(SAMPLE)
    elsewhere = centre.admit(make_resident(1, "张三"), "site2")[1]
    await box.catch_up()
    found = await box.find(card)
    assert found.identity is not None
    assert found.identity.name == "电***卡"
    assert found.identity.patient_id == "P00000001"
    assert found.identity.record_numbers
    assert (await box.find(elsewhere)).identity is None
    assert box.lists.count(ListName.PERSONS) == 1


async def test_a_change_of_state_comes_as_a_delta(centre: ListCentre, box: ListBox) -> None:
    """Suspended, resumed, cancelled: each leads to the digest that was announced."""
    cards = [centre.admit(make_resident(number, "张三"))[1] for number in range(5)]
    await box.catch_up()
    assert (await box.find(cards[0])).revoked is None
    for card in cards[:3]:
        centre.suspend(card)
    centre.cancel(cards[3])
    await box.catch_up()
    assert (await box.find(cards[0])).revoked is Reason.CARD_SUSPENDED
    assert (await box.find(cards[3])).revoked is Reason.CARD_CANCELLED
    assert (await box.find(cards[4])).revoked is None
    centre.resume(cards[0])
    centre.cancel(cards[1])
    asked = len(centre.asks)
    await box.catch_up()
    assert [ask.list for ask in centre.asks[asked:]] == [ListName.REVOKED]
    assert centre.asks[asked].revision > 0
    assert (await box.find(cards[0])).revoked is None
    assert (await box.find(cards[1])).revoked is Reason.CARD_CANCELLED
    assert not box.lists.due
    assert not box.lists.refusals


async def test_a_box_that_missed_deltas_catches_up(centre: ListCentre, box: ListBox) -> None:
    """What came and went while it was away is not told; the end is what counts."""
    cards = [centre.admit(make_resident(number, "李四"))[1] for number in range(4)]
    centre.suspend(cards[0])
    await box.catch_up()
    for card in cards[1:]:
        centre.suspend(card)
        centre.compose()
    centre.resume(cards[0])
    centre.resume(cards[2])
    await box.catch_up()
    found = [(await box.find(card)).revoked for card in cards]
    assert found == [None, Reason.CARD_SUSPENDED, None, Reason.CARD_SUSPENDED]
    assert not box.lists.refusals


async def test_many_revoked_cards_come_in_pages(
    centre: ListCentre, box: ListBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set that changes while it is fetched is whole at the end."""
    monkeypatch.setattr("central.lists.answering._REVOKED_A_PAGE", 2)
    cards = [centre.admit(make_resident(number, "王五"))[1] for number in range(9)]
    for card in cards:
        centre.suspend(card)
    centre.compose()
    for head in centre.heads():
        await box.lists.take_head(head)
    await box.fetching._fetch(ListName.KEYS)
    position: Position | None = await box.lists.begin(ListName.REVOKED)
    assert position is not None
    page = await box.fetching._fetch_page(ListName.REVOKED, position)
    position = await box.lists.take_page(ListName.REVOKED, page)
    centre.resume(cards[0])
    centre.cancel(cards[8])
    centre.compose()
    while position is not None:
        page = await box.fetching._fetch_page(ListName.REVOKED, position)
        position = await box.lists.take_page(ListName.REVOKED, page)
    found = [(await box.find(card)).revoked for card in cards]
    assert found == [None, *[Reason.CARD_SUSPENDED] * 7, Reason.CARD_CANCELLED]
    await box.lists.prove()
    assert not box.lists.refusals


async def test_a_delta_that_does_not_lead_there_is_refused_and_all_fetched(
    centre: ListCentre, box: ListBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that lost an entry: the set stays as it was until the whole of it has come."""
    cards = [centre.admit(make_resident(number, "赵六"))[1] for number in range(3)]
    centre.suspend(cards[0])
    await box.catch_up()
    honest = centre.desk.answer

    def lossy(*args: object) -> ListReply:
        monkeypatch.setattr(centre.desk, "answer", honest)
        reply = honest(*args)  # type: ignore[arg-type]
        page = centre.desk._page(centre.head(ListName.REVOKED), Position(1, b""))
        page = msgspec.structs.replace(page, added=(), since=end_of(2))
        signed = sign_page(centre.keys.sign_announcement, page)
        return msgspec.structs.replace(reply, body=signed.body, signature=signed.signature)

    centre.suspend(cards[1])
    centre.compose()
    monkeypatch.setattr(centre.desk, "answer", lossy)
    await box.lists.take_head(centre.signed(centre.head(ListName.REVOKED)))
    await box.fetching._fetch(ListName.REVOKED)
    assert box.lists.refused == {ListName.REVOKED: Reason.LIST_DIGEST}
    assert ListName.REVOKED in box.lists.due
    await box.fetch()
    assert not box.lists.refused
    assert centre.asks[-1].revision == 0
    assert (await box.find(cards[0])).revoked is Reason.CARD_SUSPENDED
    assert (await box.find(cards[1])).revoked is Reason.CARD_SUSPENDED


async def test_an_older_head_is_refused(centre: ListCentre, box: ListBox) -> None:
    """Whoever holds the broker cannot bring back a card by an old announcement."""
    card = centre.admit(SAMPLE)[1]
    centre.compose()
    before = centre.signed(centre.head(ListName.REVOKED))
    centre.suspend(card)
    await box.catch_up()
    await box.hear(before)
    assert box.lists.refused == {ListName.REVOKED: Reason.LIST_OLDER}
    assert box.lists.trouble is Reason.LIST_OLDER
    assert not box.lists.due
    assert (await box.find(card)).revoked is Reason.CARD_SUSPENDED
    await box.catch_up()
    assert box.lists.refusals == {Reason.LIST_OLDER: 1}


@pytest.mark.parametrize("forgery", ["signature", "body", "purpose", "site", "rubbish"])
async def test_what_central_did_not_sign_is_not_believed(
    centre: ListCentre, box: ListBox, forgery: str
) -> None:
    """Not by its bytes, not for another purpose, not for another site."""
    centre.admit(SAMPLE)
    await box.catch_up()
    head = msgspec.structs.replace(centre.head(ListName.PERSONS), revision=1 << 40)
    payload = centre.signed(head)
    if forgery == "signature":
        payload = payload[:-1] + bytes([payload[-1] ^ 1])
    elif forgery == "body":
        payload = payload.replace(b"site1", b"site2")
    elif forgery == "purpose":
        page = centre.desk._page(head, Position(0, b""))
        signed = sign_page(centre.keys.sign_announcement, page)
        payload = msgspec.msgpack.encode(signed)
    elif forgery == "site":
        payload = centre.signed(msgspec.structs.replace(head, site="site2"))
    else:
        payload = b"\x80"
    await box.hear(payload)
    assert box.lists.refusals.total() == 1
    assert not box.lists.due


async def test_a_centre_put_back_from_a_backup_is_heard(centre: ListCentre, box: ListBox) -> None:
    """Its head is older than what the box has: the box asks, and the list goes beyond that."""
    cards = [centre.admit(make_resident(number, "孙七"))[1] for number in range(2)]
    centre.suspend(cards[0])
    await box.catch_up()
    backup = centre.people.database.execute(
        "SELECT revision FROM list_standing WHERE what = 'revoked'"
    ).fetchone()[0]
    centre.suspend(cards[1])
    await box.catch_up()
    with centre.people.database.unit():  # as it stood in the backup, but with its time gone on
        centre.people.cards.resume(cards[1].id, centre.clock.now(), "test")
        centre.lists.compose(centre.clock.now())
        centre.people.database.execute(
            "UPDATE list_standing SET revision = ? WHERE what = 'revoked'", (backup,)
        )
    centre.clock.advance(timedelta(minutes=10))
    await box.catch_up()
    assert box.lists.refusals[Reason.LIST_OLDER] == 1
    assert (await box.find(cards[1])).revoked is None
    assert centre.head(ListName.REVOKED).revision > backup
    await box.catch_up()
    assert not box.lists.refused
    assert not box.lists.due


async def test_lists_that_never_came_are_as_old_as_can_be(centre: ListCentre, box: ListBox) -> None:
    """One that is not here is enough, the persons' too; each that comes is one less."""
    centre.admit(SAMPLE)
    never = Heeded(timedelta.max, Reason.LEASE_LISTS_MISSING)
    centre.compose()
    for what in ListName:
        assert box.lists.heed() == never
        assert _trouble(box) is Reason.LIST_MISSING
        await box.hear(centre.signed(centre.head(what)))
    assert box.lists.heed() == Heeded(timedelta(0))
    assert _trouble(box) is None


async def test_a_list_that_is_not_what_was_announced_is_no_list(
    centre: ListCentre, box: ListBox
) -> None:
    """It is here no more until the whole of it has come; it is not said that it never came."""
    centre.suspend(centre.admit(SAMPLE)[1])
    await box.catch_up()
    other = msgspec.structs.replace(centre.head(ListName.REVOKED), digest=bytes(32))
    await box.lists.take_head(centre.signed(other))
    assert box.lists.heed() == Heeded(timedelta.max, Reason.LEASE_LISTS)
    assert _trouble(box) is Reason.LIST_DIGEST
    await box.fetch()
    assert box.lists.heed() == Heeded(timedelta(0))
    assert _trouble(box) is None


async def test_a_site_that_has_nobody_has_a_list(centre: ListCentre, box: ListBox) -> None:
    """No head announces it: the box asks for it by itself, and is told that it is empty."""
    centre.compose()
    changed = asyncio.Event()
    box.lists.on_change = changed.set
    running = asyncio.create_task(box.fetching.run())
    for what in (ListName.KEYS, ListName.REVOKED):
        await box.lists.take_head(centre.signed(centre.head(what)))
    async with asyncio.timeout(20):
        while box.lists.missing:
            await changed.wait()
            changed.clear()
    running.cancel()
    await asyncio.wait((running,))
    assert box.lists.heed() == Heeded(timedelta(0))
    assert box.lists.count(ListName.PERSONS) == 0


async def test_age_is_that_of_the_last_confirmation(centre: ListCentre, box: ListBox) -> None:
    """A list that has not changed is as fresh as central's last word on it; an old one is said."""
    assert _age(box) is None
    assert _trouble(box) is Reason.LIST_MISSING
    await box.catch_up()
    assert box.lists.age() == timedelta(0)
    assert _trouble(box) is None
    centre.clock.advance(timedelta(minutes=10))
    assert box.lists.age() == timedelta(minutes=10)
    asked = len(centre.asks)
    await box.catch_up()
    assert box.lists.age() == timedelta(0)
    assert len(centre.asks) == asked
    centre.clock.advance(OLD)
    assert _trouble(box) is Reason.LIST_OLD


async def test_a_clock_behind_the_lists_tells_no_age(centre: ListCentre, box: ListBox) -> None:
    """Turning the clock back makes nothing fresh."""
    await box.catch_up()
    centre.clock.set_wall(centre.clock.now() - timedelta(days=30))
    assert box.lists.age() is None
    assert not box.lists.code_keys().complete
    assert box.lists.trouble is Reason.CLOCK_WRONG


async def test_a_key_that_is_to_come_is_known_before_it_signs(
    centre: ListCentre, box: ListBox
) -> None:
    """Rotation with overlap: both keys are in the set, each with its time."""
    old = centre.keys.code_kid(centre.clock.now())
    await box.catch_up()
    new = centre.rotate(timedelta(days=7))
    await box.catch_up()
    known = box.lists.code_keys()
    assert set(known.keys) == {old, new}
    assert known.complete
    change = centre.clock.now() + timedelta(days=7)
    until = known.keys[old].until_at
    assert until is not None
    assert abs(until - change) < timedelta(minutes=1)
    assert known.keys[new].from_at == until
    assert centre.keys.code_kid(until - timedelta(seconds=1)) == old
    assert centre.keys.code_kid(until) == new
    centre.clock.advance(timedelta(days=8))
    assert not box.lists.code_keys().complete


async def test_the_loop_fetches_what_a_head_announces(centre: ListCentre, box: ListBox) -> None:
    """As the agent runs it: a head comes, the list follows; the line may come later."""
    _, card = centre.admit(SAMPLE)
    centre.compose()
    changed = asyncio.Event()
    box.lists.on_change = changed.set
    running = asyncio.create_task(box.fetching.run())
    for head in centre.heads():
        await box.lists.take_head(head)
    async with asyncio.timeout(20):
        while box.lists.due or box.lists.age() is None:
            await changed.wait()
            changed.clear()
    running.cancel()
    await asyncio.wait((running,))
    assert (await box.find(card)).identity is not None
    assert centre.head(ListName.PERSONS).digest == NO_DIGEST
