"""What one look found, and what every look is given.

A finding's name is stable and may be asked for by scripts; its words are those of its reason.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from agent.api.views import StateView
from agent.config import BoxConfig, BoxFiles
from shared.clock import Clock
from shared.errors import OneCodeError
from shared.reasons import Reason


class Level(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"  # works, and somebody should do something
    FAILED = "failed"


MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.FAILED: "✗"}


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """``fact`` is what was seen, for engineers; why and what to do stand in the reason's words."""

    name: str
    level: Level
    fact: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """What a look is given: the files, what was read of them, and the running agent's own word."""

    files: BoxFiles
    clock: Clock
    config: BoxConfig | None  # None: it cannot be read, which the look at it says
    state: StateView | None  # None: no agent runs here, or it cannot say
    silence: OneCodeError | None = None  # why there is no state


Look = Callable[[Box], Awaitable[list[Finding]]]
"""Looks at one thing and never raises for what it finds: the finding says it."""


def held(name: str, fact: str = "") -> Finding:
    """It is as it should be."""
    return Finding(name, Level.OK, fact)


def warn(name: str, reason: Reason, fact: str = "") -> Finding:
    """It works, but not for ever."""
    return Finding(name, Level.WARNING, fact, reason)


def failed(name: str, error: OneCodeError) -> Finding:
    """It does not work, and why; only a warning where this process may not open what it takes."""
    level = Level.WARNING if error.reason is Reason.KEY_SEALED else Level.FAILED
    return Finding(name, level, error.detail, error.reason)
