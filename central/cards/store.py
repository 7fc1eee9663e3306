"""Every statement on cards, their ehc ids and the ledger of issued codes. Decides nothing.

Plain SQL because each ask goes through it. Times are microseconds since 1970 UTC.
"""

from typing import NamedTuple
from uuid import UUID

from central.cards.model import (
    CardRow,
    CardStepRow,
    EhcIdRow,
    IssuedCodeRow,
    TemporaryCodeRow,
)


class StoredCard(NamedTuple):
    """A card's row with its newest ehc id, sealed."""

    id: UUID
    person: UUID
    state: str
    ehc_id: bytes
    root_version: int


class Standing(NamedTuple):
    """Which card an ehc id leads to, and where that card stands."""

    card: bytes
    person: UUID
    state: str


class IssuedCode(NamedTuple):
    """A row of the ledger of issued dynamic codes."""

    issued_at: int
    expires_at: int
    used_box: str | None
    used_id: bytes | None
    reported_at: int | None
    used_at: int | None = None


class Temporary(NamedTuple):
    """A row of the temporary codes; ``text`` is sealed."""

    token: bytes
    card: bytes
    text: bytes
    box: str
    id: bytes
    kept_at: int


class CardFacts(NamedTuple):
    """A card without its ehc ids."""

    id: UUID
    person: UUID
    state: str


_CARD = (
    "SELECT c.id, c.person_id, c.state, e.ehc_id, e.root_version FROM card c"
    " JOIN card_ehc_id e ON e.card_id = c.id WHERE {} ORDER BY e.made_at DESC LIMIT 1"
)
_CARD_BY_ID = _CARD.format("c.id = ?")
_CARD_BY_PERSON = _CARD.format("c.person_id = ?")


def find_card(id: UUID) -> StoredCard | None:
    """A card by its public number."""
    return _read_card(_CARD_BY_ID, id)


def find_card_of(person: UUID) -> StoredCard | None:
    """The card of a person."""
    return _read_card(_CARD_BY_PERSON, person)


def list_ehc_ids(card: UUID) -> list[bytes]:
    """The sealed ehc ids that lead to a card."""
    rows = EhcIdRow.execute("SELECT ehc_id FROM card_ehc_id WHERE card_id = ?", (card.bytes,))
    return [sealed for (sealed,) in rows]


def list_temporary(card: UUID) -> list[bytes]:
    """The sealed texts of the temporary codes that lead to a card."""
    rows = TemporaryCodeRow.execute(
        "SELECT text FROM temporary_code WHERE card_id = ?", (card.bytes,)
    )
    return [sealed for (sealed,) in rows]


def find_facts(id: UUID) -> CardFacts | None:
    """A card by its public number."""
    row = CardRow.execute("SELECT person_id, state FROM card WHERE id = ?", (id.bytes,)).fetchone()
    return CardFacts(id, UUID(bytes=row[0]), row[1]) if row else None


def insert_card(id: UUID, person: UUID, state: str, at: int) -> None:
    """Raises IntegrityError when the person has a card."""
    CardRow.execute(
        "INSERT INTO card (id, person_id, state, opened_at) VALUES (?, ?, ?, ?)",
        (id.bytes, person.bytes, state, at),
    )


def update_state(id: UUID, before: str, after: str, at: int) -> bool:
    """Take one step, and keep when; False when the card was not in ``before``."""
    cursor = CardRow.execute(
        "UPDATE card SET state = ? WHERE id = ? AND state = ?", (after, id.bytes, before)
    )
    if cursor.rowcount != 1:
        return False
    CardStepRow.execute(
        'INSERT INTO card_step (card_id, at, "before", "after") VALUES (?, ?, ?, ?)'
        ' ON CONFLICT (card_id, at) DO UPDATE SET "after" = excluded."after"',
        (id.bytes, at, before, after),
    )
    return True


def find_state_at(card: bytes, at: int) -> str | None:
    """Where a card stood at a time; None when nothing is known of a step."""
    row = CardStepRow.execute(
        'SELECT "after" FROM card_step WHERE card_id = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1',
        (card, at),
    ).fetchone()
    row = (
        row
        or CardStepRow.execute(
            'SELECT "before" FROM card_step WHERE card_id = ?1 AND at > ?2 ORDER BY at LIMIT 1',
            (card, at),
        ).fetchone()
    )
    return row[0] if row else None


def find_step_to(card: bytes, state: str, at: int) -> int | None:
    """When a card last came into a state by ``at``."""
    row: tuple[int | None] = CardStepRow.execute(
        'SELECT max(at) FROM card_step WHERE card_id = ? AND "after" = ? AND at <= ?',
        (card, state, at),
    ).fetchone()
    return row[0]


def insert_ehc_id(token: bytes, card: UUID, sealed: bytes, root_version: int, at: int) -> None:
    """Make an ehc id lead to a card, and the one that the card gives out.

    Raises IntegrityError when it leads to another card.
    """
    EhcIdRow.execute(
        "INSERT INTO card_ehc_id (token, card_id, ehc_id, root_version, made_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (token, card.bytes, sealed, root_version, at),
    )


def renew_ehc_id(token: bytes, card: UUID, at: int) -> bool:
    """Give out an ehc id that the card has had before; False when it had not."""
    cursor = EhcIdRow.execute(
        "UPDATE card_ehc_id SET made_at = ? WHERE token = ? AND card_id = ?",
        (at, token, card.bytes),
    )
    return cursor.rowcount == 1


def find_standing(ehc_token: bytes) -> Standing | None:
    """The card behind an ehc id."""
    row = EhcIdRow.execute(
        "SELECT c.id, c.person_id, c.state FROM card_ehc_id e JOIN card c ON c.id = e.card_id"
        " WHERE e.token = ?",
        (ehc_token,),
    ).fetchone()
    return Standing(row[0], UUID(bytes=row[1]), row[2]) if row else None


def insert_issued(
    token: bytes, tail_token: bytes, card: UUID, issued_at: int, expires_at: int
) -> bool:
    """Enter a code in the ledger; False when the very same text was issued before."""
    cursor = IssuedCodeRow.execute(
        "INSERT INTO issued_code (token, tail_token, card_id, issued_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
        (token, tail_token, card.bytes, issued_at, expires_at),
    )
    return cursor.rowcount == 1


def find_issued(token: bytes) -> IssuedCode | None:
    """A code of the ledger by its whole text."""
    row = IssuedCodeRow.execute(
        "SELECT issued_at, expires_at, used_box, used_id, reported_at, used_at FROM issued_code"
        " WHERE token = ?",
        (token,),
    ).fetchone()
    return IssuedCode(*row) if row else None


def is_tail_of_another(tail_token: bytes, card: bytes) -> bool:
    """Whether this tail was issued to a card other than ``card``."""
    row = IssuedCodeRow.execute(
        "SELECT 1 FROM issued_code WHERE tail_token = ? AND card_id <> ?", (tail_token, card)
    ).fetchone()
    return row is not None


def insert_temporary(temporary: Temporary) -> bool:
    """Let a box's temporary code lead to a card; False when the text leads somewhere already."""
    cursor = TemporaryCodeRow.execute(
        "INSERT INTO temporary_code (token, card_id, text, box, id, kept_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
        temporary,
    )
    return cursor.rowcount == 1


def find_temporary(token: bytes) -> Standing | None:
    """The card behind a temporary code."""
    row = TemporaryCodeRow.execute(
        "SELECT c.id, c.person_id, c.state FROM temporary_code t JOIN card c ON c.id = t.card_id"
        " WHERE t.token = ?",
        (token,),
    ).fetchone()
    return Standing(row[0], UUID(bytes=row[1]), row[2]) if row else None


def find_giver(token: bytes) -> tuple[str, bytes] | None:
    """The box and the record that a temporary code is of."""
    row = TemporaryCodeRow.execute(
        "SELECT box, id FROM temporary_code WHERE token = ?", (token,)
    ).fetchone()
    return (row[0], row[1]) if row else None


def consume(token: bytes, before: bytes | None, box: str, id: bytes, at: int) -> bool:
    """Bind a code to (box, id), if ``before`` still is what holds it; False when it is not."""
    cursor = IssuedCodeRow.execute(
        "UPDATE issued_code SET used_box = ?, used_id = ?, used_at = ?"
        " WHERE token = ? AND used_id IS NOT DISTINCT FROM ? AND reported_at IS NULL",
        (box, id, at, token, before),
    )
    return cursor.rowcount == 1


def report_use(token: bytes, box: str, id: bytes, at: int) -> bool:
    """Note that the record which used a code has arrived; False when another holds the code."""
    cursor = IssuedCodeRow.execute(
        "UPDATE issued_code SET reported_at = COALESCE(reported_at, ?)"
        " WHERE token = ? AND used_box = ? AND used_id = ?",
        (at, token, box, id),
    )
    return cursor.rowcount == 1


def _read_card(statement: str, id: UUID) -> StoredCard | None:
    row = CardRow.execute(statement, (id.bytes,)).fetchone()
    return StoredCard(UUID(bytes=row[0]), UUID(bytes=row[1]), *row[2:]) if row else None
