"""The users' statements; sessions, tokens and the guard have files of their own."""

from collections.abc import Sequence
from typing import NamedTuple

import peewee

from central.storage.table import Value
from central.users.model import RecoveryCode, UserRow

_USER = (
    "id, login, name, role, site, state, language, password_once, totp_since, badge IS NOT NULL,"
    " made_at"
)


class StoredUser(NamedTuple):
    """A user as stored: ``login`` and ``name`` sealed."""

    id: str
    login: bytes
    name: bytes
    role: str
    site: str | None
    state: str
    language: str
    password_once: int
    totp_since: int | None
    badge: int
    made_at: int


class Secrets(NamedTuple):
    """What proves a user, sealed."""

    password: bytes
    totp: bytes | None
    totp_since: int | None
    totp_step: int


class StoredOperator(NamedTuple):
    """Who may sign in at boxes; ``name`` and ``pin`` sealed."""

    id: str
    name: bytes
    role: str
    language: str
    badge: bytes
    pin: bytes


def insert_user(user: StoredUser, login_token: bytes, password: bytes) -> bool:
    """Add a user; False when the login is taken."""
    values = (user.id, user.login, login_token, user.name, user.role, user.site, user.state)
    try:
        UserRow.execute(
            "INSERT INTO user (id, login, login_token, name, role, site, state, language,"
            " password, password_once, totp_step, made_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
            (*values, user.language, password, user.password_once, user.made_at),
        )
    except peewee.IntegrityError:
        return False
    return True


def find_user(id: str) -> StoredUser | None:
    """The user with this id."""
    row = UserRow.execute(f"SELECT {_USER} FROM user WHERE id = ?", (id,)).fetchone()  # noqa: S608 - constants
    return StoredUser(*row) if row else None


def find_login(login_token: bytes) -> StoredUser | None:
    """The user who signs in by this name."""
    row = UserRow.execute(
        f"SELECT {_USER} FROM user WHERE login_token = ?",  # noqa: S608 - constants
        (login_token,),
    ).fetchone()
    return StoredUser(*row) if row else None


def list_users(after: str, limit: int, site: str | None, role: str | None) -> list[StoredUser]:
    """Users behind the id ``after``, in order of making; of a site or a role alone."""
    cursor = UserRow.execute(
        f"SELECT {_USER} FROM user WHERE id > ? AND (? IS NULL OR site = ?)"  # noqa: S608 - constants
        " AND (? IS NULL OR role = ?) ORDER BY id LIMIT ?",
        (after, site, site, role, role, limit),
    )
    return [StoredUser(*row) for row in cursor]


def update_user(id: str, column: str, value: Value) -> None:
    """Set one column; ``column`` is a constant of the caller's."""
    update_columns(id, (column,), (value,))


def update_columns(id: str, columns: Sequence[str], values: Sequence[Value]) -> None:
    """Set columns; their names are constants of the caller's."""
    assignments = ", ".join(f"{column} = ?" for column in columns)
    UserRow.execute(f"UPDATE user SET {assignments} WHERE id = ?", (*values, id))  # noqa: S608 - constants


def find_secrets(id: str) -> Secrets | None:
    """What proves the user with this id."""
    row = UserRow.execute(
        "SELECT password, totp, totp_since, totp_step FROM user WHERE id = ?", (id,)
    ).fetchone()
    return Secrets(*row) if row else None


def use_totp_step(id: str, step: int) -> bool:
    """Mark a step as used; False when it, or a later one, was used already."""
    cursor = UserRow.execute(
        "UPDATE user SET totp_step = ? WHERE id = ? AND totp_step < ?", (step, id, step)
    )
    return cursor.rowcount == 1


def replace_recovery(id: str, tokens: Sequence[bytes]) -> None:
    """The user's recovery codes from now on."""
    RecoveryCode.execute("DELETE FROM recovery_code WHERE user_id = ?", (id,))
    for token in tokens:
        RecoveryCode.execute(
            "INSERT INTO recovery_code (token, user_id) VALUES (?, ?)", (token, id)
        )


def use_recovery(id: str, token: bytes) -> bool:
    """Use up a recovery code; False when the user has no such code."""
    cursor = RecoveryCode.execute(
        "DELETE FROM recovery_code WHERE token = ? AND user_id = ?", (token, id)
    )
    return cursor.rowcount == 1


def count_recovery(id: str) -> int:
    """How many recovery codes are left."""
    cursor = RecoveryCode.execute("SELECT count(*) FROM recovery_code WHERE user_id = ?", (id,))
    return int(cursor.fetchone()[0])


def list_operators(site: str) -> list[StoredOperator]:
    """Active users of a site who have both a badge and a PIN."""
    cursor = UserRow.execute(
        "SELECT id, name, role, language, badge, pin FROM user WHERE site = ?"
        " AND state = 'active' AND badge IS NOT NULL AND pin IS NOT NULL ORDER BY id",
        (site,),
    )
    return [StoredOperator(*row) for row in cursor]
