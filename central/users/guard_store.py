"""The statements of the guard before sign-in: failed tries, and places known to belong together."""

from typing import NamedTuple

from central.users.model import SignInGuard, SignInPlace

_DAY = 86_400_000_000  # microseconds
_FAILURES_LAST = _DAY
_PLACES_LAST = 90 * _DAY


class Guarded(NamedTuple):
    """Failed tries of late, and until when no more are taken."""

    failures: int
    until_at: int


def find_guarded(token: bytes, at: int) -> Guarded:
    """The failed tries of the last day under this token."""
    row = SignInGuard.execute(
        "SELECT failures, until_at FROM sign_in_guard WHERE token = ? AND failed_at > ?",
        (token, at - _FAILURES_LAST),
    ).fetchone()
    return Guarded(*row) if row else Guarded(0, 0)


def save_failure(token: bytes, user: str | None, guarded: Guarded, at: int) -> None:
    """Note a failed try; ``user`` is whose account it was at, where there is one."""
    SignInGuard.execute(
        "INSERT INTO sign_in_guard (token, user_id, failures, failed_at, until_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (token) DO UPDATE SET failures = excluded.failures,"
        " failed_at = excluded.failed_at, until_at = excluded.until_at",
        (token, user, guarded.failures, at, guarded.until_at),
    )


def delete_guarded(token: bytes) -> None:
    """Forget the failed tries under this token."""
    SignInGuard.execute("DELETE FROM sign_in_guard WHERE token = ?", (token,))


def delete_of_user(user: str) -> None:
    """Forget the failed tries at a user's account."""
    SignInGuard.execute("DELETE FROM sign_in_guard WHERE user_id = ?", (user,))


def is_place(token: bytes) -> bool:
    """Whether this account has signed in from this address."""
    cursor = SignInPlace.execute("SELECT 1 FROM sign_in_place WHERE token = ?", (token,))
    return cursor.fetchone() is not None


def save_place(token: bytes, at: int) -> None:
    """This account signs in from this address."""
    SignInPlace.execute(
        "INSERT INTO sign_in_place (token, seen_at) VALUES (?, ?)"
        " ON CONFLICT (token) DO UPDATE SET seen_at = excluded.seen_at",
        (token, at),
    )


def delete_old(at: int) -> None:
    """Forget failures of more than a day, and places not seen for 90."""
    SignInGuard.execute("DELETE FROM sign_in_guard WHERE failed_at <= ?", (at - _FAILURES_LAST,))
    SignInPlace.execute("DELETE FROM sign_in_place WHERE seen_at <= ?", (at - _PLACES_LAST,))
