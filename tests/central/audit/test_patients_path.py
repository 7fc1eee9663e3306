"""A whole centre whose audit takes no rows: the counter goes on, the office does not."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from central.__main__ import main
from central.app import Central, open_central
from central.cards.card import CardId
from central.config import BrokerConfig
from central.foundation import Foundation, found_central
from shared.clock import SystemClock, to_microseconds
from shared.codec import asks, replies
from shared.errors import Unavailable
from shared.exits import Exit
from shared.ids import BoxId, new_record_id
from shared.messages import RegisterAsk, RegisterReply
from shared.pairing import Direction
from shared.topics import ASK_REGISTER, REPLY

BOX = BoxId("site1", "box1")
BREAK = "CREATE TRIGGER broken BEFORE INSERT ON audit_row BEGIN SELECT RAISE(ABORT, 'x'); END"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A centre with one box."""
    directory = tmp_path / "centre"
    found_central(directory, Foundation(BrokerConfig()), SystemClock().now(), "test")
    add = ("box", "add", str(BOX), "--counter", "挂号", "--site-name", "示范医院")
    assert main(["--dir", str(directory), *add, "--out", str(tmp_path / "box")]) == Exit.HELD
    return directory


@pytest.fixture
def central(directory: Path) -> Iterator[Central]:
    with open_central(directory) as central:
        central.audit.seal_pending()
        central.database.execute(BREAK)
        yield central


def register(central: Central) -> RegisterReply:
    """A stranger at the box's counter, sealed as the box does."""
    at = SystemClock().now()
    ask = RegisterAsk(
        id=new_record_id(at).bytes,
        box=str(BOX),
        counter="挂号",
        born=to_microseconds(at),
        expires_at=to_microseconds(at + timedelta(seconds=5)),
        document_type="01",
        document_number="11010020171225006X",
        name="电子健康卡",
    )
    pair_key = central.fleet.pair_key(BOX)
    with central.database.unit():
        sealed = pair_key.seal(Direction.UP, BOX, ASK_REGISTER, asks.encode(ask))
        answer = central.ingest.asks.answer(BOX, ASK_REGISTER, sealed, at)
    reply = replies.decode(pair_key.open(Direction.DOWN, BOX, REPLY, answer))
    assert isinstance(reply, RegisterReply)
    return reply


def test_a_patient_is_registered_without_the_audit(central: Central, directory: Path) -> None:
    """Their person and card are durable with the rows kept aside, which ``audit verify`` counts;
    the sealer takes them in when it can, and the chain holds."""
    sealed = central.audit.read_state().sealed
    assert register(central).identity is not None
    central.audit.seal_pending()
    assert central.audit.read_state().waiting == 2
    command = [sys.executable, "-m", "central", "--dir", str(directory), "audit", "verify"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"sealed {sealed}, waiting 0, kept aside 2" in printed.stdout
    central.database.execute("DROP TRIGGER broken")
    assert central.audit.seal_pending() == 2
    assert central.audit.read_state().sealed == sealed + 2
    assert list(central.audit.verify()) == []


def test_a_patients_link_opens_without_the_audit(central: Central) -> None:
    """Who was given one before shows their code; nobody is given a new one."""
    assert register(central).identity is not None
    card = CardId(UUID(bytes=central.database.execute("SELECT id FROM card").fetchone()[0]))
    at = SystemClock().now()
    central.database.execute("DROP TRIGGER broken")
    with central.unit():
        link = central.links.make(card, at, "test")
    central.database.execute(BREAK)
    with central.unit():
        opened = central.links.open(link.secret, at)
    assert central.links.visit(link.secret, opened.secret, at).opened
    with pytest.raises(Unavailable), central.unit():
        central.links.make(card, at, "test")


def test_an_administrators_act_is_refused_meanwhile(central: Central) -> None:
    """A box is not taken out, and a person is not registered by a command."""
    at = SystemClock().now()
    with pytest.raises(Unavailable), central.unit():
        central.fleet.revoke(BOX, "lost", at, "test")
    assert central.fleet.box(BOX).state == "active"
    assert central.audit.read_state().waiting == 0
