"""Parked rows in sight: listed, tried again by a person, audited."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from central.app import Central, open_central
from central.audit.service import AuditFilter
from central.config import BrokerConfig
from central.fleet.box import NewKeys, Place
from central.fleet.certificates import CertificateFacts
from central.foundation import Foundation, found_central
from central.ingest.ledger import Replayed
from shared.codec import batches
from shared.crypto import STD
from shared.ids import BoxId
from shared.ledger import genesis_head
from shared.pairing import PairKey
from shared.reasons import Reason
from shared.sealing import BodySealer
from tests.central.ingest.boxes import BOX, PaperBox, future_record
from tests.central.ingest.centre import AT

CLERK = "test"


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    """All of it, as ``init`` makes it."""
    found_central(tmp_path / "central", Foundation(BrokerConfig()), AT, CLERK)
    with open_central(tmp_path / "central") as central:
        yield central


@pytest.fixture
def box(central: Central) -> PaperBox:
    return join(central, BOX)


def join(central: Central, id: BoxId) -> PaperBox:
    """A box of the fleet, by its keys alone."""
    secret, key = os.urandom(32), STD.new_signing_key()
    facts = CertificateFacts(os.urandom(8).hex(), os.urandom(32), AT, AT)
    place = Place(id, counter=f"counter {id.box}", site_name="示范医院")
    with central.unit():
        central.fleet.add_box(place, NewKeys(secret, STD.id, key.public_bytes, facts), AT, CLERK)
    sealer = BodySealer(STD, central.keys.central_public, id)
    return PaperBox(id, PairKey(secret), key, sealer, genesis_head(STD, id, 1))


def send(central: Central, box: PaperBox, days: int = 0) -> None:
    """Everything the box has, so many days later."""
    with central.unit():
        assert central.ingest.inbox.take(box.id, box.encode(), AT + timedelta(days=days))


def test_a_replay_is_audited(central: Central, box: PaperBox) -> None:
    """Rows that can be read now are; the others stay, with the reason they have now; who did it is
    in the audit."""
    with central.unit():
        central.ingest.inbox.take(BOX, box_without_key(box), AT)
    assert [row.reason for row in central.parked.list(None)] == [Reason.ENCAPSULATION_MISSING] * 2
    key = box.sealer.encapsulation
    with central.unit():  # as a restored backup may bring it
        statement = "INSERT INTO ledger_encapsulation VALUES (?, ?, ?)"
        central.database.execute(statement, (str(BOX), key.id, key.wrapped))
        assert central.parked.replay(AT, "user:1") == Replayed(1, 1)
    (left,) = central.parked.list(None)
    assert left.reason == Reason.SCHEMA_UNKNOWN
    (entry,) = central.audit.list(AuditFilter(act="ledger.replay"))
    assert (entry.actor, entry.facts) == ("user:1", {"interpreted": 1, "still_parked": 1})


def box_without_key(box: PaperBox) -> bytes:
    """A readable row and one of the future, without the key to either."""
    box.scan()
    box.append_plaintext(future_record(BOX))
    return batches.encode(box.batch(sealed=False))


def test_a_replay_goes_in_parts_and_sees_one_site(central: Central, box: PaperBox) -> None:
    """Each act tries some rows and says where to go on; a site's people touch their own."""
    other = join(central, BoxId("site2", "box1"))
    for each in (box, other):
        for _ in range(5):
            each.append_plaintext(future_record(each.id))
        send(central, each)
    assert len(central.parked.list(None)) == 10
    assert {row.box for row in central.parked.list("site2")} == {other.id}
    with central.unit():
        first = central.parked.replay(AT, CLERK, site="site1", limit=3)
        assert (first.still_parked, first.next) == (3, (str(BOX), 1, 3))
        assert first.next is not None
        rest = central.parked.replay(AT, CLERK, site="site1", after=first.next, limit=3)
    assert (rest.still_parked, rest.next) == (2, None)


def test_a_row_that_meets_a_bug_is_set_apart(
    central: Central, box: PaperBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the console a replay goes on with the others, and the row says what it is."""
    with central.unit():
        central.ingest.inbox.take(BOX, box_without_key(box), AT)
    key = box.sealer.encapsulation
    with central.unit():
        statement = "INSERT INTO ledger_encapsulation VALUES (?, ?, ?)"
        central.database.execute(statement, (str(BOX), key.id, key.wrapped))

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(central.ingest.inbox._dispatcher, "record", fail)
    with central.unit():
        assert central.parked.replay(AT, CLERK) == Replayed(0, 2)
    reasons = {row.row.seq: row.reason for row in central.parked.list(None)}
    assert reasons == {1: Reason.RECORD_POISON, 2: Reason.SCHEMA_UNKNOWN}
