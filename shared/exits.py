"""How a command ends: the exit codes of both command lines, and an error of ours in words."""

from enum import IntEnum

from shared.errors import OneCodeError, Unavailable


class Exit(IntEnum):
    """What a script may ask of ``$?`` (CONTRACTS §8)."""

    HELD = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3


def exit_of(error: OneCodeError) -> Exit:
    """Unavailable may be tried again; everything else did not hold."""
    return Exit.UNAVAILABLE if isinstance(error, Unavailable) else Exit.CHECK_FAILED


def describe(error: OneCodeError) -> str:
    """Reason code, what happened and what to do, in Chinese and English."""
    words = error.reason.words
    detail = f" ({error.detail})" if error.detail else ""
    return (
        f"✗ {error.reason}{detail}\n  {words.zh}。{words.next_zh}。\n  {words.en}. {words.next_en}."
    )
