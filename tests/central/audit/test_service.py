"""The audit: appended in the caller's unit, chained after it, and every tampering named."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee
import pytest

from central.audit.model import MODELS, AuditRow
from central.audit.service import Audit, AuditFilter, AuditFinding, AuditState
from central.storage.database import Database, open_database
from central.storage.runner import migrate, read_migrations
from shared.crypto import STD
from shared.errors import Refused, Unavailable
from shared.reasons import Reason

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database("sqlite:///central.db", tmp_path)
    migrate(database, read_migrations())
    database.bind(MODELS)
    yield database
    database.close()


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database, lambda data: STD.mac(b"k" * 32, data))


def write(database: Database, audit: Audit, count: int) -> None:
    with database.unit():
        for number in range(count):
            audit.write("box.add", f"site1/box{number}", "test", AT, counter="挂号", number=number)


def tamper(database: Database, *statements: str) -> None:
    """What someone with the file can do: take the triggers off and write."""
    database.execute("PRAGMA foreign_keys = 0")
    for table in ("audit_row", "audit_seal"):
        database.execute(f"DROP TRIGGER {table}_update")
        database.execute(f"DROP TRIGGER {table}_delete")
    for statement in statements:
        database.execute(statement)


def test_rows_wait_for_the_sealer_and_then_verify(database: Database, audit: Audit) -> None:
    """Writers do not chain; the sealer does, once, and sealing again changes nothing."""
    write(database, audit, 3)
    assert audit.read_state() == AuditState(sealed=0, unsealed=3)
    assert audit.seal_pending() == 3
    write(database, audit, 2)
    assert audit.seal_pending() == 2
    assert audit.seal_pending() == 0
    assert audit.read_state() == AuditState(sealed=5, unsealed=0)
    assert list(audit.verify()) == []


def test_more_rows_than_one_unit_takes(database: Database, audit: Audit) -> None:
    """The sealer works in rounds and still makes one chain."""
    write(database, audit, 2100)
    assert audit.seal_pending() == 2100
    assert list(audit.verify()) == []


def test_a_row_rolled_back_was_never_written(database: Database, audit: Audit) -> None:
    """The audit belongs to the unit of work: an act that did not happen leaves no row."""

    def cancel() -> None:
        with database.unit():
            audit.write("card.cancel", "card 1", "test", AT)
            raise Refused(Reason.STATE_STEP)

    with pytest.raises(Refused):
        cancel()
    assert audit.read_state() == AuditState(sealed=0, unsealed=0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_row SET actor = 'nobody' WHERE seq = 1",
        "DELETE FROM audit_row WHERE seq = 2",
        "UPDATE audit_seal SET mac = x'00' WHERE position = 1",
        "DELETE FROM audit_seal",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_changes(database: Database, audit: Audit, statement: str) -> None:
    """UPDATE and DELETE are refused by triggers, whoever asks."""
    write(database, audit, 2)
    audit.seal_pending()
    with pytest.raises(peewee.IntegrityError, match="append-only"):
        database.execute(statement)


@pytest.mark.parametrize(
    ("statements", "seq"),
    [
        (["UPDATE audit_row SET actor = 'nobody' WHERE seq = 4"], 4),
        (["UPDATE audit_row SET facts = '{}' WHERE seq IN (3, 5)"], 3),
        (["DELETE FROM audit_row WHERE seq = 2"], 2),
        (["DELETE FROM audit_seal WHERE position = 2"], 2),
        (
            [
                "DELETE FROM audit_seal WHERE row_id = 6",
                "DELETE FROM audit_row WHERE seq = 6",
            ],
            6,
        ),
        (["UPDATE audit_seal SET mac = zeroblob(32) WHERE position = 1"], 1),
    ],
)
def test_verify_names_the_first_wrong_row(
    database: Database, audit: Audit, statements: list[str], seq: int
) -> None:
    """Changed, removed and cut-off rows are found without trusting the triggers."""
    write(database, audit, 6)
    audit.seal_pending()
    tamper(database, *statements)
    findings = list(audit.verify())
    assert [finding.seq for finding in findings] == [seq]
    assert isinstance(findings[0], AuditFinding)


def test_rows_sealed_during_the_walk_are_no_finding(database: Database, audit: Audit) -> None:
    """A server seals each second; whoever verifies meanwhile judges the chain as it began."""
    write(database, audit, 3)
    audit.seal_pending()
    server = Audit(database, lambda data: STD.mac(b"k" * 32, data))

    def mac(data: bytes) -> bytes:
        write(database, server, 1)
        server.seal_pending()
        return STD.mac(b"k" * 32, data)

    assert list(Audit(database, mac).verify()) == []
    assert server.read_state().sealed > 3


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM audit_head", "UPDATE audit_head SET position = 1, mac = (SELECT mac FROM early)"],
)
def test_a_head_set_back_is_found(database: Database, audit: Audit, statement: str) -> None:
    """Also to one that was good once: the seals behind it say that there was more."""
    write(database, audit, 1)
    audit.seal_pending()
    database.execute("CREATE TABLE early AS SELECT mac FROM audit_head")
    write(database, audit, 3)
    audit.seal_pending()
    tamper(database, "DROP TRIGGER audit_head_delete", statement)
    assert len(list(audit.verify())) == 1


def test_another_key_makes_no_seals(database: Database, audit: Audit) -> None:
    """Whoever lacks the key cannot write a chain that verifies."""
    write(database, audit, 2)
    Audit(database, lambda data: STD.mac(b"x" * 32, data)).seal_pending()
    assert [finding.seq for finding in audit.verify()] == [1]


def test_facts_are_stored_as_json(database: Database, audit: Audit) -> None:
    """Facts are stable JSON with Chinese kept readable."""
    write(database, audit, 1)
    assert [row.facts for row in AuditRow.select()] == ['{"counter":"挂号","number":0}']


BROKEN = (
    "CREATE TRIGGER broken BEFORE INSERT ON audit_row"
    " BEGIN SELECT RAISE(ABORT, 'the audit is broken'); END"
)


def add_box(database: Database, audit: Audit) -> None:
    """An administrative act: it changes something, and is audited."""
    with database.unit():
        database.execute("INSERT INTO institution VALUES ('i', 'name')")
        audit.write("box.add", "site1/box1", "test", AT)


def test_what_cannot_be_audited_is_not_done(database: Database, audit: Audit) -> None:
    """The whole unit of an administrative act is undone."""
    database.execute(BROKEN)
    with pytest.raises(Unavailable) as caught:
        add_box(database, audit)
    assert caught.value.reason is Reason.AUDIT_UNAVAILABLE
    assert database.execute("SELECT count(*) FROM institution").fetchone()[0] == 0
    database.execute("DROP TRIGGER broken")
    add_box(database, audit)


def test_a_patients_path_goes_on(database: Database, audit: Audit) -> None:
    """Its row is kept aside with the act, counted, and taken into the chain once that works."""
    database.execute(BROKEN)
    with audit.for_patient():
        add_box(database, audit)
    assert database.execute("SELECT count(*) FROM institution").fetchone()[0] == 1
    audit.seal_pending()
    assert audit.read_state() == AuditState(sealed=0, unsealed=0, waiting=1)
    database.execute("DROP TRIGGER broken")
    assert audit.seal_pending() == 1
    assert audit.read_state() == AuditState(sealed=1, unsealed=0, waiting=0)
    assert list(audit.verify()) == []
    (entry,) = audit.list(AuditFilter())
    assert (entry.act, entry.at, entry.facts) == ("box.add", AT, {"late": True})


def test_a_row_kept_aside_vanishes_with_its_act(database: Database, audit: Audit) -> None:
    """It belongs to the unit of work, as every row does."""

    @audit.for_patient()
    def open_and_fail() -> None:
        with database.unit():
            audit.write("card.open", "card 1", "site1/box1", AT)
            raise Refused(Reason.STATE_STEP)

    database.execute(BROKEN)
    with pytest.raises(Refused):
        open_and_fail()
    assert audit.read_state().waiting == 0


def test_rows_are_read_by_what_and_who_and_when(database: Database, audit: Audit) -> None:
    """Newest first, page by page, without gaps or repeats."""
    with database.unit():
        for number in range(6):
            act = "user.add" if number % 2 else "user.disable"
            audit.write(act, f"user {number}", "user 9", AT + timedelta(minutes=number))
        audit.write("box.add", "site1/box1", "user 8", AT)
    audit.seal_pending()
    first = audit.list(AuditFilter(act="user.*"), limit=4)
    rest = audit.list(AuditFilter(act="user.*"), before=first[-1].seq, limit=4)
    assert [entry.subject for entry in (*first, *rest)] == [f"user {n}" for n in range(5, -1, -1)]
    assert all(entry.sealed for entry in first)
    assert [entry.act for entry in audit.list(AuditFilter(actor="user 8"))] == ["box.add"]
    assert len(audit.list(AuditFilter(subject="user 3"))) == 1
    later = AuditFilter(since=AT + timedelta(minutes=2), until=AT + timedelta(minutes=4))
    assert [entry.subject for entry in audit.list(later)] == ["user 3", "user 2"]
