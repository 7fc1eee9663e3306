"""What the counter shows: the main answer, which belongs to the latest scan, the last ten, and
the refusals that nobody has acknowledged yet.
"""

from collections import deque

from msgspec.structs import replace

from agent.counter.changes import Listeners
from agent.counter.same_names import SameNames
from agent.counter.states import ScanState
from agent.counter.views import ScanView
from shared.messages import Verdict

_RECENT = 10
_MOST_UNACKNOWLEDGED = 20


class Display:
    """Holds views in memory only; nothing personal of it is ever written.

    ``changes`` tells each view that is begun, shown or amended.
    """

    def __init__(self) -> None:
        self.main: ScanView | None = None
        self.recent: deque[ScanView] = deque(maxlen=_RECENT)
        self.unacknowledged: deque[ScanView] = deque(maxlen=_MOST_UNACKNOWLEDGED)
        self._acknowledged: deque[str] = deque(maxlen=_MOST_UNACKNOWLEDGED)
        self.changes: Listeners[ScanView] = Listeners()
        self._names = SameNames()

    def begin(self, view: ScanView) -> None:
        """A new scan takes the main place, before anything is known of it."""
        self.main = view
        self.changes.tell(view)

    def show(self, view: ScanView) -> ScanView:
        """A scan is through; the view as it is shown, with its same-name warning.

        An earlier one that ends late is listed and never takes the place.
        """
        view = self._warn(view)
        self.recent.appendleft(view)
        if self.main is not None and self.main.id == view.id:
            self.main = view
        self._keep_unacknowledged(view)
        self.changes.tell(view)
        return view

    def find(self, scan_id: str) -> ScanView | None:
        """A view still listed."""
        return next((view for view in self.recent if view.id == scan_id), None)

    def amend(self, later: ScanView) -> None:
        """Replace a listed view by a later state of the same scan, wherever it stands; what was
        read again meanwhile follows its first read."""
        for index, listed in enumerate(self.recent):
            if later.id in {listed.id, listed.first}:
                self.recent[index] = self._amended(listed, later)
        main = self.main
        if main is not None and later.id in {main.id, main.first} and main.state in _THROUGH:
            self.main = self._amended(main, later)

    def acknowledge(self, scan_id: str) -> bool:
        """A person has seen this refusal; whether the scan is known here. Twice is once.

        Read again meanwhile or afterwards, it is still the refusal that was seen.
        """
        seen = next((view for view in self.unacknowledged if view.id == scan_id), None)
        seen = seen or self.find(scan_id)
        if seen is None:
            return False
        same = {seen.id, seen.first} - {""}
        for view in tuple(self.unacknowledged):
            if same & {view.id, view.first}:
                self.unacknowledged.remove(view)
        self._acknowledged.append(seen.first or seen.id)
        return True

    def _amended(self, listed: ScanView, later: ScanView) -> ScanView:
        view = replace(
            listed,
            verdict=later.verdict,
            decided_by=later.decided_by,
            advice=later.advice,
            identity=later.identity,
            allowed=later.allowed,
        )
        view = self._warn(view)
        if view != listed:
            self._keep_unacknowledged(view)
            self.changes.tell(view)
        return view

    def _keep_unacknowledged(self, view: ScanView) -> None:
        """A refusal waits for a person; read again, it is still the same refusal."""
        same = {view.id, view.first} - {""}
        for kept in tuple(self.unacknowledged):
            if same & {kept.id, kept.first}:
                self.unacknowledged.remove(kept)
        if view.first in self._acknowledged:
            return
        if view.verdict is Verdict.REFUSED or view.state is ScanState.UNSAVED:
            self.unacknowledged.appendleft(view)

    def _warn(self, view: ScanView) -> ScanView:
        if view.identity is None:
            return view
        return replace(view, same_name=self._names.is_shared(view.identity, view.at[:10]))


_THROUGH = frozenset({ScanState.SHOWN, ScanState.UNSAVED})
