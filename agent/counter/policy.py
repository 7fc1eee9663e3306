"""What central and ``box.toml`` say of a counter: of its page, its labels and its operators.

A port: the effective settings implement it, and may change while the box runs, so nobody keeps
a copy of what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.desired import BoxKeyEntry, OperatorEntry

IDLE_SECONDS = 900
"""How long a sign-in lasts without an act, where nothing else is set."""


class Policy(Protocol):
    """Read anew at each use."""

    @property
    def counter(self) -> str: ...

    @property
    def number(self) -> int:
        """The box's own in its temporary codes; 0: central has not told it, so it gives none."""
        ...

    def box_keys(self) -> Sequence[BoxKeyEntry]:
        """What verifies the temporary codes of the site's boxes, as central last said."""
        ...

    @property
    def site_name(self) -> str: ...

    @property
    def language(self) -> str:
        """The page's first language: ``zh`` or ``en``."""
        ...

    @property
    def label(self) -> str:
        """The paper in the printer: ``50x30``."""
        ...

    @property
    def operators_required(self) -> bool:
        """Whether issuing and whole masked names need a signed-in operator."""
        ...

    @property
    def idle_seconds(self) -> int: ...

    def operators(self) -> Sequence[OperatorEntry]:
        """Who may sign in here."""
        ...


@dataclass(frozen=True, slots=True)
class FixedPolicy:
    """A policy that never changes: a box without configuration from central, and tests."""

    counter: str
    site_name: str
    language: str = "zh"
    operators_required: bool = False
    idle_seconds: int = IDLE_SECONDS
    entries: tuple[OperatorEntry, ...] = ()
    label: str = "50x30"
    number: int = 0
    boxes: tuple[BoxKeyEntry, ...] = ()

    def operators(self) -> Sequence[OperatorEntry]:
        return self.entries

    def box_keys(self) -> Sequence[BoxKeyEntry]:
        return self.boxes
