"""The statements on kept answers."""

from typing import NamedTuple

from central.web.model import KeptAnswer


class Kept(NamedTuple):
    """An answer that was given before."""

    request: bytes
    answer: bytes
    at: int


def find_answer(actor: str, key: str) -> Kept | None:
    """What this key was answered."""
    row = KeptAnswer.execute(
        "SELECT request, answer, at FROM kept_answer WHERE actor = ? AND key = ?", (actor, key)
    ).fetchone()
    return Kept(*row) if row else None


def save_answer(actor: str, key: str, kept: Kept) -> None:
    """Keep an answer; a forgotten one under the same key is replaced."""
    KeptAnswer.execute(
        "INSERT OR REPLACE INTO kept_answer (actor, key, request, answer, at)"
        " VALUES (?, ?, ?, ?, ?)",
        (actor, key, *kept),
    )


def delete_answers(before: int) -> None:
    """Forget the answers kept before a time."""
    KeptAnswer.execute("DELETE FROM kept_answer WHERE at < ?", (before,))
