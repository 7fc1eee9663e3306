"""The lists in their sealed file: looked up there, never held in memory. Synchronous; belongs to
one thread; everything raises one of ``LOSSES``.

Tokens are central's, under a key that is sealed here, so the file alone tells nothing of them.
What is said of a person, and how far a list has come, is sealed and bound to its row.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from agent.cache.sealed_file import Layout, SealedFile
from shared.errors import Refused
from shared.lists import (
    NO_DIGEST,
    CodeKey,
    ListedPerson,
    ListHead,
    Position,
    RevokedPage,
    element,
    end_of,
    set_digest,
)
from shared.messages import Identity, ListName
from shared.reasons import Reason

LAYOUT = Layout(
    name="list",
    version=1,
    schema="""
        CREATE TABLE list (name TEXT NOT NULL PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
        DROP TABLE IF EXISTS revoked;
        CREATE TABLE revoked (token BLOB NOT NULL PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
        DROP TABLE IF EXISTS incoming;
        CREATE TABLE incoming (token BLOB NOT NULL PRIMARY KEY, reason TEXT) WITHOUT ROWID;
        DROP TABLE IF EXISTS person;
        CREATE TABLE person (number INTEGER PRIMARY KEY, token BLOB NOT NULL UNIQUE,
                             sealed BLOB NOT NULL);
    """,
    check=b"onecode lists check 1",
    bound=b"onecode list 1\0",
    synchronous="NORMAL",
)
_CACHE_KIB = 128
_ROWS_AT_ONCE = 500
_EVICT = "DELETE FROM person WHERE number IN (SELECT number FROM person ORDER BY number LIMIT ?)"
_KEY_SET = "key-set"
_OWNER = "owner"


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """How far a list has come here: the head it was brought to, and what it goes on from."""

    head: ListHead
    position: Position


class KeySet(msgspec.Struct, frozen=True, array_like=True):
    """The keys and what makes tokens, as the last page brought them."""

    keys: tuple[CodeKey, ...]
    token_key: bytes


class Found(NamedTuple):
    """What the file says of a token."""

    reason: Reason | None
    identity: Identity | None


def _reason(text: str) -> Reason:
    """Raises msgspec.ValidationError for what is no reason: damage."""
    return msgspec.convert(text, Reason)


class Proof(NamedTuple):
    """How far the set was looked through: behind a token, its digest and size so far."""

    token: bytes | None = b""
    digest: bytes = NO_DIGEST
    size: int = 0


_encode = msgspec.msgpack.Encoder().encode
_standing = msgspec.msgpack.Decoder(Standing).decode
_key_set = msgspec.msgpack.Decoder(KeySet).decode
_identity = msgspec.msgpack.Decoder(Identity).decode


class ListFile:
    """The open file."""

    def __init__(self, sealed: SealedFile) -> None:
        self.state = sealed.state
        self._sealed = sealed
        self._connection = sealed.connection
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    def close(self) -> None:
        """Close the file."""
        self._sealed.close()

    def belong(self, owner: bytes) -> None:
        """What was kept for another box, site or centre is of no use here, and is erased."""
        if self._read(_OWNER) == owner:
            return
        with self._unit():
            for table in ("list", "revoked", "incoming", "person"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            self._write(_OWNER, owner)

    # --- what it says ----------------------------------------------------------------------------

    def read_standing(self, what: ListName) -> Standing | None:
        """How far a list has come; None before the first."""
        sealed = self._read(what)
        return None if sealed is None else _standing(sealed)

    def read_keys(self) -> KeySet | None:
        """The key set; None before the first."""
        sealed = self._read(_KEY_SET)
        return None if sealed is None else _key_set(sealed)

    def find(self, token: bytes) -> Found:
        """Whether a card is revoked, and whose it is."""
        revoked = self._connection.execute(
            "SELECT reason FROM revoked WHERE token = ?", (token,)
        ).fetchone()
        person = self._connection.execute(
            "SELECT sealed FROM person WHERE token = ?", (token,)
        ).fetchone()
        return Found(
            _reason(revoked[0]) if revoked else None,
            _identity(self._sealed.open(token, person[0])) if person else None,
        )

    def count_persons(self) -> int:
        """How many tokens of persons are here."""
        return int(self._connection.execute("SELECT count(*) FROM person").fetchone()[0])

    def prove(self, begun: Proof) -> Proof:
        """A part of looking through the revoked cards: short, so that no scan waits for it.

        The proof ends when ``token`` is None: the set must then be the head's. Raises LOSSES.
        """
        rows = self._connection.execute(
            "SELECT token, reason FROM revoked WHERE token > ? ORDER BY token LIMIT ?",
            (begun.token, _ROWS_AT_ONCE),
        ).fetchall()
        elements = (element(token, _reason(reason)) for token, reason in rows)
        return Proof(
            rows[-1][0] if rows else None,
            set_digest(begun.digest, elements),
            begun.size + len(rows),
        )

    # --- what comes ------------------------------------------------------------------------------

    def confirm(self, head: ListHead) -> None:
        """A head that says no more than that what is here still holds."""
        standing = self.read_standing(head.what)
        if standing is not None:
            self._write(head.what, _encode(Standing(head, standing.position)))

    def forget(self, what: ListName) -> None:
        """How far a list has come is not known any more. Its entries stay until it has come
        again: a revoked card is not good meanwhile."""
        self._connection.execute("DELETE FROM list WHERE name = ?", (what,))

    def take_keys(self, head: ListHead, key_set: KeySet) -> None:
        """The key set from now on."""
        with self._unit():
            self._write(_KEY_SET, _encode(key_set))
            self._write(head.what, _encode(Standing(head, end_of(head.revision))))

    def begin_revoked(self) -> None:
        """Nothing has come yet."""
        self._connection.execute("DELETE FROM incoming")

    def gather_revoked(self, page: RevokedPage) -> None:
        """Keep a page aside until all have come."""
        came = [(card.token, card.reason) for card in page.added]
        went = [(token, None) for token in page.removed]
        with self._unit():
            self._connection.executemany(
                "INSERT OR REPLACE INTO incoming VALUES (?, ?)", [*came, *went]
            )

    def take_revoked(self, head: ListHead, *, whole: bool) -> None:
        """Bring the set to ``head`` with what was gathered: the ``whole`` set, or changes.

        Raises Refused (LIST_DIGEST) when it does not lead there: then nothing has changed.
        """
        before = None if whole else self.read_standing(ListName.REVOKED)
        digest = before.head.digest if before else NO_DIGEST
        with self._unit():
            if before is None:
                self._connection.execute("DELETE FROM revoked")
            changed = "SELECT r.token, r.reason FROM revoked r JOIN incoming i USING (token)"
            for rows in self._chunks(changed):
                digest = set_digest(digest, (), (element(t, _reason(r)) for t, r in rows))
            for rows in self._chunks("SELECT token, reason FROM incoming WHERE reason NOT NULL"):
                digest = set_digest(digest, (element(t, _reason(r)) for t, r in rows))
            self._connection.execute(
                "DELETE FROM revoked WHERE token IN (SELECT token FROM incoming)"
            )
            self._connection.execute(
                "INSERT INTO revoked SELECT token, reason FROM incoming WHERE reason NOT NULL"
            )
            count = self._connection.execute("SELECT count(*) FROM revoked").fetchone()[0]
            if (digest, count) != (head.digest, head.count):
                raise Refused(Reason.LIST_DIGEST, head.what)
            self._connection.execute("DELETE FROM incoming")
            self._write(head.what, _encode(Standing(head, end_of(head.revision))))

    def take_persons(
        self, head: ListHead, position: Position, persons: Iterable[ListedPerson], limit: int
    ) -> None:
        """Keep a page of persons and where it ended, and the latest ``limit`` of them in all."""
        gone: list[tuple[bytes]] = []
        came: list[tuple[bytes, bytes]] = []
        for person in persons:
            gone.extend((token,) for token in person.tokens)
            if person.identity is not None:
                plain = _encode(person.identity)
                came.extend((token, self._sealed.seal(token, plain)) for token in person.tokens)
        with self._unit():
            self._connection.executemany("DELETE FROM person WHERE token = ?", gone)
            self._connection.executemany("INSERT INTO person (token, sealed) VALUES (?, ?)", came)
            self._connection.execute(_EVICT, (max(0, self.count_persons() - limit),))
            self._write(head.what, _encode(Standing(head, position)))

    # --- rows ------------------------------------------------------------------------------------

    def _read(self, name: str) -> bytes | None:
        row = self._connection.execute("SELECT sealed FROM list WHERE name = ?", (name,)).fetchone()
        return self._sealed.open(name.encode(), row[0]) if row else None

    def _write(self, name: str, plain: bytes) -> None:
        row = (name, self._sealed.seal(name.encode(), plain))
        self._connection.execute("INSERT OR REPLACE INTO list VALUES (?, ?)", row)

    def _chunks(self, query: str) -> Iterator[list[tuple[bytes, str]]]:
        cursor = self._connection.execute(query)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows

    @contextmanager
    def _unit(self) -> Iterator[None]:
        """All of it or none of it."""
        with self._connection as connection:
            connection.execute("BEGIN")
            yield
