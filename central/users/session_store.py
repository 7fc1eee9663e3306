"""The statements of sessions and machine tokens."""

from typing import NamedTuple

from central.users.model import MachineToken, SessionRow


class StoredSession(NamedTuple):
    """A session with its user, in one look; ``name`` is sealed."""

    seen_at: int
    ends_at: int
    user: str
    name: bytes
    role: str
    site: str | None
    state: str
    language: str
    password_once: int
    totp_since: int | None


class StoredToken(NamedTuple):
    """A machine token."""

    id: str
    name: str
    role: str
    site: str | None
    scopes: str
    made_by: str
    made_at: int
    ends_at: int
    used_at: int | None
    revoked_at: int | None


_TOKEN = ", ".join(StoredToken._fields)


def insert_session(token: bytes, user: str, at: int, ends_at: int) -> None:
    """Begin a session."""
    SessionRow.execute(
        "INSERT INTO session (token, user_id, made_at, seen_at, ends_at) VALUES (?, ?, ?, ?, ?)",
        (token, user, at, at, ends_at),
    )


def find_session(token: bytes) -> StoredSession | None:
    """The session with this token, and its user as they are now."""
    row = SessionRow.execute(
        "SELECT seen_at, ends_at, user.id, name, role, site, state, language, password_once,"
        " totp_since FROM session JOIN user ON user.id = user_id WHERE token = ?",
        (token,),
    ).fetchone()
    return StoredSession(*row) if row else None


def save_seen(token: bytes, at: int) -> None:
    """Note when a session was last used."""
    SessionRow.execute(
        "UPDATE session SET seen_at = ? WHERE token = ? AND seen_at < ?", (at, token, at)
    )


def delete_session(token: bytes) -> bool:
    """End a session; False when there was none."""
    return SessionRow.execute("DELETE FROM session WHERE token = ?", (token,)).rowcount == 1


def delete_sessions(user: str, keep: int = 0) -> int:
    """End a user's sessions but for the newest ``keep``; how many there were."""
    cursor = SessionRow.execute(
        "DELETE FROM session WHERE user_id = ? AND token NOT IN (SELECT token FROM session"
        " WHERE user_id = ? ORDER BY made_at DESC LIMIT ?)",
        (user, user, keep),
    )
    return cursor.rowcount


def delete_ended(at: int) -> None:
    """Forget sessions that nothing brings back."""
    SessionRow.execute("DELETE FROM session WHERE ends_at <= ?", (at,))


def insert_token(token: bytes, stored: StoredToken) -> None:
    """Keep a machine token by its keyed token."""
    marks = ", ".join("?" * (len(stored) + 1))
    MachineToken.execute(
        f"INSERT INTO machine_token ({_TOKEN}, token) VALUES ({marks})",  # noqa: S608 - constants
        (*stored, token),
    )


def find_token(token: bytes) -> StoredToken | None:
    """The machine token behind this keyed token."""
    row = MachineToken.execute(
        f"SELECT {_TOKEN} FROM machine_token WHERE token = ?",  # noqa: S608 - constants
        (token,),
    ).fetchone()
    return StoredToken(*row) if row else None


def find_token_by_id(id: str) -> StoredToken | None:
    """The machine token with this id."""
    row = MachineToken.execute(
        f"SELECT {_TOKEN} FROM machine_token WHERE id = ?",  # noqa: S608 - constants
        (id,),
    ).fetchone()
    return StoredToken(*row) if row else None


def list_tokens(after: str, limit: int) -> list[StoredToken]:
    """Machine tokens behind the id ``after``, revoked and expired ones too."""
    cursor = MachineToken.execute(
        f"SELECT {_TOKEN} FROM machine_token WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constants
        (after, limit),
    )
    return [StoredToken(*row) for row in cursor]


def revoke_token(id: str, at: int) -> bool:
    """Revoke; False when it is revoked already."""
    cursor = MachineToken.execute(
        "UPDATE machine_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (at, id)
    )
    return cursor.rowcount == 1


def save_used(id: str, at: int) -> None:
    """Note when a machine token was last used."""
    MachineToken.execute("UPDATE machine_token SET used_at = ? WHERE id = ?", (at, id))
