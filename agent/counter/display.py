"""What the counter shows: the main answer, which belongs to the latest scan, and the last ten."""

from collections import deque

from agent.counter.states import ScanState
from agent.counter.views import ScanView

_RECENT = 10


class Display:
    """Holds views in memory only; nothing personal of it is ever written."""

    def __init__(self) -> None:
        self.main: ScanView | None = None
        self.recent: deque[ScanView] = deque(maxlen=_RECENT)

    def begin(self, view: ScanView) -> None:
        """A new scan takes the main place, before anything is known of it."""
        self.main = view

    def show(self, view: ScanView) -> None:
        """A scan is through. An earlier one that ends late is listed and never takes the place."""
        self.recent.appendleft(view)
        if self.main is not None and self.main.id == view.id:
            self.main = view

    def find(self, scan_id: str) -> ScanView | None:
        """A view still listed."""
        return next((view for view in self.recent if view.id == scan_id), None)

    def amend(self, view: ScanView) -> None:
        """Replace a listed view by a later state of the same scan, wherever it stands."""
        for index, listed in enumerate(self.recent):
            if listed.id == view.id:
                self.recent[index] = view
        if self.main is not None and self.main.id == view.id and self.main.state in _THROUGH:
            self.main = view


_THROUGH = frozenset({ScanState.SHOWN, ScanState.UNSAVED})
