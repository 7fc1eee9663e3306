"""Boxes, their keys and states, and the directory a new box is given."""

import ssl
import stat
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.config import BoxFiles, read_box_config
from central.audit.model import MODELS as AUDIT_MODELS
from central.audit.model import AuditRow
from central.audit.service import Audit
from central.config import BrokerConfig, CentralConfig
from central.fleet.box import Box, Place
from central.fleet.certificates import Authority, create_authority
from central.fleet.enrolment import Enrolment
from central.fleet.model import MODELS, BoxKey
from central.fleet.service import Fleet
from central.fleet.states import BOX_STEPS, BoxState, check_step
from central.keys.service import Keys
from central.keys.store import new_contents
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from shared.config import read_secret
from shared.crypto import STD
from shared.errors import Malformed, NotAuthentic, OneCodeError, Refused
from shared.ids import BoxId
from shared.pairing import Direction, PairKey
from shared.reasons import Reason

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BOX = BoxId("renmin", "box1")
PLACE = Place(BOX, counter="挂号 1", site_name="虚构市人民医院", scanner="serial:/dev/ttyACM0")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    migrate(database, read_migrations())
    database.bind((*AUDIT_MODELS, *MODELS))
    yield database
    database.close()


@pytest.fixture
def keys() -> Keys:
    return Keys(new_contents(1))


@pytest.fixture
def fleet(database: Database, keys: Keys) -> Fleet:
    return Fleet(keys, Audit(database, keys.audit_mac))


@pytest.fixture
def enrolment(fleet: Fleet, keys: Keys) -> Enrolment:
    authority = Authority(create_authority("boxes", AT))
    config = CentralConfig(broker=BrokerConfig("localhost", 18883, 18884))
    return Enrolment(fleet, keys, authority, config)


@pytest.fixture
def box(database: Database, enrolment: Enrolment, tmp_path: Path) -> Box:
    with database.unit():
        return enrolment.add_box(PLACE, tmp_path / "box", AT, "test")


def test_the_box_reads_back_what_was_written(box: Box, keys: Keys, tmp_path: Path) -> None:
    """The agent's own reader accepts ``box.toml``, and every file is where it looks."""
    files = BoxFiles(tmp_path / "box")
    config = read_box_config(files)
    assert (config.box_id, config.counter, config.site_name) == (BOX, "挂号 1", "虚构市人民医院")
    assert (config.broker.host, config.broker.port) == ("localhost", 18883)
    assert (config.scanner.kind, config.scanner.path) == ("serial", "/dev/ttyACM0")
    assert config.printer.kind == "none"
    assert bytes.fromhex(config.central_public) == keys.central_public
    assert {int(kid): bytes.fromhex(key) for kid, key in config.code_keys.items()} == keys.code_keys
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.certificate)
    assert box == Box(BOX, 1, "虚构市人民医院", "挂号 1", BoxState.ACTIVE)


def test_secrets_are_private_and_not_kept(box: Box, database: Database, tmp_path: Path) -> None:
    """Each file has mode 0600; central's database holds no private key, sealed pair key apart."""
    out = tmp_path / "box"
    for path in out.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("central.db*"))
    for name in ("signing.key", "pair.key"):
        secret = (out / name).read_bytes()
        assert len(secret) == 32
        assert secret not in stored
        assert secret.hex().encode() not in stored


def test_central_knows_the_boxs_keys(box: Box, fleet: Fleet, tmp_path: Path) -> None:
    """What the box signs verifies, what it seals opens."""
    files = BoxFiles(tmp_path / "box")
    signature = STD.signing_key(read_secret(files.signing_key)).sign(b"rows")
    fleet.verify_key(BOX, 1).verify(signature, b"rows")
    pair = PairKey(read_secret(files.pair_key))
    sealed = pair.seal(Direction.UP, BOX, "ask/scan", b"ask")
    assert fleet.pair_key(BOX).open(Direction.UP, BOX, "ask/scan", sealed) == b"ask"


def test_every_former_key_stays(box: Box, fleet: Fleet) -> None:
    """A batch names its key; one that was replaced still judges what it signed."""
    newer = STD.new_signing_key()
    BoxKey.create(box=str(BOX), key_id=2, suite=1, public=newer.public_bytes, since=0)
    fleet.verify_key(BOX, 2).verify(newer.sign(b"x"), b"x")
    with pytest.raises(NotAuthentic):
        fleet.verify_key(BOX, 1).verify(newer.sign(b"x"), b"x")
    with pytest.raises(NotAuthentic) as caught:
        fleet.verify_key(BOX, 3)
    assert caught.value.reason is Reason.KEY_UNKNOWN


def test_a_second_box_of_the_same_name_is_refused(
    box: Box, database: Database, enrolment: Enrolment, fleet: Fleet, tmp_path: Path
) -> None:
    """Neither the table nor a directory is written over, and nothing half remains."""
    refusals = []
    for place, out in (
        (PLACE, tmp_path / "again"),
        (Place(BoxId("renmin", "box2"), "挂号 2"), tmp_path / "box"),
    ):
        try:
            with database.unit():
                enrolment.add_box(place, out, AT, "test")
        except OneCodeError as error:
            refusals.append(error.reason)
    assert refusals == [Reason.ALREADY_EXISTS] * 2
    assert fleet.boxes() == [BOX]
    assert not (tmp_path / "again").exists()


def test_numbers_sites_and_counters(
    box: Box, database: Database, enrolment: Enrolment, fleet: Fleet, tmp_path: Path
) -> None:
    """A known site keeps its name, counters are shared, numbers go on."""
    with database.unit():
        second = enrolment.add_box(
            Place(BoxId("renmin", "box2"), "挂号 1"), tmp_path / "b2", AT, "test"
        )
    assert (second.number, second.site_name, second.counter) == (2, "虚构市人民医院", "挂号 1")
    assert fleet.boxes() == [BOX, second.id]
    config = tomllib.loads((tmp_path / "b2" / "box.toml").read_text())
    assert config["site_name"] == "虚构市人民医院"


@pytest.mark.parametrize(
    "place",
    [
        Place(BoxId("new", "box1"), "c"),  # a new site needs a name
        Place(BoxId("renmin", "box3"), "c", "别的医院"),
        Place(BoxId("renmin", "box3"), ""),
        Place(BoxId("renmin", "box3"), "c\nprinter"),
        Place(BoxId("renmin", "box3"), "c" * 65),
        Place(BoxId("s" * 32, "b" * 32), "c", "name"),
    ],
)
def test_names_that_cannot_be_are_refused(  # noqa: PLR0917 - fixtures
    box: Box, database: Database, enrolment: Enrolment, fleet: Fleet, tmp_path: Path, place: Place
) -> None:
    """Empty, long, unprintable or contradicting names leave nothing behind."""

    def add() -> None:
        with database.unit():
            enrolment.add_box(place, tmp_path / "out", AT, "test")

    with pytest.raises(Malformed):
        add()
    assert fleet.boxes() == [BOX]
    assert not (tmp_path / "out").exists()


def test_quotes_in_names_survive_toml(
    database: Database, enrolment: Enrolment, tmp_path: Path
) -> None:
    """A name is text in ``box.toml``, whatever is in it."""
    name = "a \"b\" \\ 'c' # = [x] 😀 <script>"
    with database.unit():
        enrolment.add_box(Place(BOX, name, name), tmp_path / "box", AT, "test")
    config = read_box_config(BoxFiles(tmp_path / "box"))
    assert (config.counter, config.site_name) == (name, name)


def test_a_quarantined_box_keeps_its_keys_and_gets_no_answers(box: Box, fleet: Fleet) -> None:
    """Its rows still find custody and a receipt; asks are refused; twice is once."""
    fleet.check_active(BOX)
    fleet.mark_quarantined(BOX, "ledger-fork", AT)
    fleet.mark_quarantined(BOX, "again", AT)
    assert fleet.box(BOX).state is BoxState.QUARANTINED
    with pytest.raises(Refused) as caught:
        fleet.check_active(BOX)
    assert caught.value.reason is Reason.NOT_ADMITTED
    fleet.verify_key(BOX, 1)
    fleet.pair_key(BOX)
    assert fleet.boxes() == [BOX]
    acts = [(row.act, row.subject, row.actor) for row in AuditRow.select()]
    assert acts == [
        ("box.add", "renmin/box1", "test"),
        ("box.quarantined", "renmin/box1", "central"),
    ]


def test_an_unknown_box_is_not_admitted(fleet: Fleet) -> None:
    """No key, no answer, no state to move."""
    for ask in (fleet.box, fleet.pair_key, fleet.check_active):
        with pytest.raises(Refused) as caught:
            ask(BOX)
        assert caught.value.reason is Reason.NOT_ADMITTED
    with pytest.raises(NotAuthentic):
        fleet.verify_key(BOX, 1)


@pytest.mark.parametrize("before", BoxState)
@pytest.mark.parametrize("after", BoxState)
def test_the_table_of_states(before: BoxState, after: BoxState) -> None:
    """Exactly the steps of the table are taken; nothing leaves RETIRED."""
    assert BOX_STEPS.keys() == set(BoxState)
    assert not BOX_STEPS[BoxState.RETIRED]
    if after in BOX_STEPS[before]:
        check_step(before, after)
    else:
        with pytest.raises(Refused):
            check_step(before, after)
