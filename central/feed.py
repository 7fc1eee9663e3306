"""What happens at central, told inside this process to whoever watches: the console's live view.

Events are told after their commit, in the loop. What a handler stages in the writer's thread is
told by whoever ran its unit, once that is durable; another process's events are not heard here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.ids import BoxId
from shared.messages import Verdict
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class BoxChanged:
    """A box came, went, or said something of itself."""

    box: BoxId


@dataclass(frozen=True, slots=True)
class ScanJudged:
    """A scan has central's verdict, told once; ``name`` is masked, empty where not looked up."""

    box: BoxId
    verdict: Verdict
    reason: Reason | None
    at: datetime
    name: str = ""


FeedEvent = BoxChanged | ScanJudged
Listener = Callable[[FeedEvent], None]
Undo = Callable[[], None]


class Feed:
    """Listeners must return at once and never raise."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._staged: list[FeedEvent] = []

    def subscribe(self, listener: Listener) -> Undo:
        """Tell ``listener`` from now on, until the returned undo is called."""
        key = object()
        self._listeners[key] = listener

        def undo() -> None:
            self._listeners.pop(key, None)

        return undo

    def publish(self, *events: FeedEvent) -> None:
        """Tell what is durable; in the loop."""
        for event in events:
            for listener in tuple(self._listeners.values()):
                listener(event)

    def stage(self, event: FeedEvent) -> None:
        """Keep an event of the unit of work that runs now; in the writer's thread."""
        if self._listeners:
            self._staged.append(event)

    def take_staged(self) -> tuple[FeedEvent, ...]:
        """What was staged since the last take; in the writer's thread.

        Taken, and thrown away, before a unit too: what is left is of one that was undone.
        """
        staged, self._staged = tuple(self._staged), []
        return staged
