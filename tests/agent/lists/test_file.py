"""The lists' file of a box: restarts, damage, other owners, what it tells and what it keeps."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from agent.listed import Heeded
from shared.at_rest import CREDENTIAL, is_sealed
from shared.errors import Refused
from shared.ids import BoxId
from shared.messages import ListName
from shared.reasons import Reason
from tests.agent.lists.box import ListBox, open_list_box
from tests.central.lists.centre import ListCentre
from tests.central.people import SAMPLE, make_resident

HOUR = timedelta(hours=1)


def _trouble(box: ListBox) -> Reason | None:
    return box.lists.trouble


async def test_a_restart_finds_the_lists(centre: ListCentre, box: ListBox, tmp_path: Path) -> None:
    """Also with central away: who is known and who is revoked is on the disk."""
    _, card = centre.admit(SAMPLE)
    other = centre.admit(make_resident(1, "张三"))[1]
    centre.suspend(other)
    await box.catch_up()
    centre.up = False
    centre.clock.advance(HOUR)
    async with open_list_box(tmp_path, centre) as again:
        await again.lists.prove()
        assert (await again.find(card)).identity is not None
        assert (await again.find(other)).revoked is Reason.CARD_SUSPENDED
        age = again.lists.age()
        assert age is not None
        assert age >= HOUR
        assert not again.lists.due


@pytest.mark.parametrize("damage", ["noise", "rows", "key", "pages", "reason"])
async def test_a_lost_file_is_said_and_filled_again(
    centre: ListCentre, tmp_path: Path, damage: str
) -> None:
    """Comfort is lost, never truth: what is not whole is fetched again."""
    card = centre.admit(SAMPLE)[1]
    other = centre.admit(make_resident(1, "张三"))[1]
    centre.suspend(other)
    async with open_list_box(tmp_path, centre) as box:
        await box.catch_up()
    file = tmp_path / "lists.db"
    if damage == "noise":
        file.write_bytes(b"noise" * 1000)
    elif damage == "rows":
        with closing(sqlite3.connect(file)) as database:
            database.execute("DELETE FROM revoked")
            database.commit()
    elif damage == "reason":
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE revoked SET reason = 'nonsense'")
            database.commit()
    elif damage == "pages":
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = file.read_bytes()
        # The first page and the second, of the key's proof, are whole: the file still opens.
        file.write_bytes(data[:8192] + bytes(value ^ 0x55 for value in data[8192:]))
    else:
        (tmp_path / "cache.key").unlink()
    async with open_list_box(tmp_path, centre) as box:
        await box.lists.prove()
        assert _trouble(box) is not None
        # Less is allowed, until they are back.
        assert box.lists.heed() == Heeded(timedelta.max, Reason.LEASE_LISTS)
        box.lists.want_stale(timedelta(0))
        await box.hear()
        assert _trouble(box) is None
        assert box.lists.heed() == Heeded(timedelta(0))
        assert (await box.find(card)).identity is not None
        assert (await box.find(other)).revoked is Reason.CARD_SUSPENDED


async def test_the_file_tells_nothing(centre: ListCentre, box: ListBox, tmp_path: Path) -> None:
    """No id, no name, no number, no key of the lists lies open on the disk."""
    person, card = centre.admit(SAMPLE)
    centre.suspend(card)
    await box.catch_up()
    identity = (await box.find(card)).identity
    assert identity is not None
    secrets = [card.ehc_id, person.name, identity.name, identity.document, identity.patient_id]
    content = _read_files(tmp_path)
    for secret in [*(text.encode() for text in secrets), centre.keys.list_key]:
        assert secret not in content


def _read_files(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("lists.db*"))


async def test_persons_keep_to_their_bound(
    centre: ListCentre, box: ListBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest are kept; who comes again is among them."""
    monkeypatch.setattr("agent.lists.service.MOST_PERSONS", 3)
    monkeypatch.setattr("central.lists.answering._PERSONS_A_PAGE", 2)
    cards = []
    for number in range(5):
        cards.append(centre.admit(make_resident(number, "周八"))[1])
        centre.compose()
    await box.hear()
    known = [(await box.find(card)).identity is not None for card in cards]
    assert known == [False, False, True, True, True]
    with centre.people.database.unit():
        centre.people.patients.rename(cards[0].person, "周九", centre.clock.now(), "test")
    await box.catch_up()
    known = [(await box.find(card)).identity is not None for card in cards]
    assert known == [True, False, False, True, True]


async def test_another_sites_lists_are_erased(
    centre: ListCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box that joins anew elsewhere knows nobody of before."""
    card = centre.admit(SAMPLE)[1]
    async with open_list_box(tmp_path, centre) as box:
        await box.catch_up()
        assert (await box.find(card)).identity is not None
    monkeypatch.setattr(centre, "box", BoxId("site2", "box1"))
    async with open_list_box(tmp_path, centre) as box:
        assert box.lists.age() is None
        await box.catch_up()
        assert box.lists.age() is not None
        assert (await box.find(card)).identity is None


async def test_the_file_opens_with_the_service_managers_key_alone(
    centre: ListCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a credential the cache's key lies sealed; on another machine the lists open nowhere."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_bytes(bytes(range(32)))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    card = centre.admit(SAMPLE)[1]
    for _ in range(2):
        async with open_list_box(tmp_path, centre) as box:
            await box.catch_up()
            assert (await box.find(card)).identity is not None
    assert is_sealed((tmp_path / "cache.key").read_bytes())
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(Refused) as caught:
        async with open_list_box(tmp_path, centre):
            pass
    assert caught.value.reason is Reason.KEY_SEALED


async def test_a_disk_that_takes_nothing_is_said_and_asked_for_no_more(
    centre: ListCentre, box: ListBox
) -> None:
    """What is there is still found; a whole list is not fetched into nowhere."""
    card = centre.admit(SAMPLE)[1]
    centre.suspend(card)
    await box.catch_up()
    shelf = box.lists._shelf
    await shelf.ask(lambda file: file._connection.execute("PRAGMA query_only = 1").fetchall())
    centre.resume(card)
    centre.compose()
    asked = len(centre.asks)
    for head in centre.heads():
        await box.lists.take_head(head)
    await box.fetching._fetch(ListName.REVOKED)
    assert _trouble(box) is Reason.LIST_LOST
    assert ListName.REVOKED in box.lists.due
    assert len(centre.asks) == asked
    assert (await box.find(card)).revoked is Reason.CARD_SUSPENDED
    await shelf.ask(lambda file: file._connection.execute("PRAGMA query_only = 0").fetchall())
    await box.fetch()
    assert _trouble(box) is None
    assert (await box.find(card)).revoked is None
