"""Who wants to hear of a change; subscribing returns its own undo."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Undo = Callable[[], None]


class Listeners(Generic[T]):
    """Callbacks told in the order they came. They must return at once and never raise."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[T], None]] = {}

    def subscribe(self, callback: Callable[[T], None]) -> Undo:
        """Tell ``callback`` from now on, until the returned undo is called."""
        key = object()
        self._callbacks[key] = callback

        def undo() -> None:
            self._callbacks.pop(key, None)

        return undo

    def tell(self, what: T) -> None:
        """Tell everyone who is there now."""
        for callback in tuple(self._callbacks.values()):
            callback(what)

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._callbacks)
