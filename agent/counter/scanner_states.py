"""How the scanners of a counter stand, each by itself and all together. Pure.

A counter can work as long as one of them is ready, so together they are as the best of them is.
"""

from agent.ports import DeviceChanged, DeviceDescriptor, DeviceReported, ScannerExchanged
from shared.devices import DeviceState
from shared.reasons import Reason

_BEST_FIRST = (
    DeviceState.READY,
    DeviceState.OPENING,
    DeviceState.FAULTY,
    DeviceState.SILENT,
    DeviceState.DENIED,
    DeviceState.ABSENT,
)


class ScannerStates:
    """The last state of each place, and what was reported."""

    def __init__(self, initial: DeviceChanged) -> None:
        """``initial`` stands until the first state comes."""
        self._initial = initial
        self._places: dict[str, DeviceChanged] = {}
        self._reports: dict[DeviceDescriptor, Reason] = {}

    def take(self, event: DeviceChanged | DeviceReported | ScannerExchanged) -> None:
        """A state replaces the one before it; a report without a reason ends; after an exchange
        nothing is known."""
        if isinstance(event, ScannerExchanged):
            self._places.clear()
            self._reports.clear()
            return
        if isinstance(event, DeviceReported):
            self._reports.pop(event.device, None)
            if event.reason is not None:
                self._reports[event.device] = event.reason
            return
        self._places[event.device.place] = event
        if event.device.place:
            self._places.pop("", None)  # "no scanner" is over

    @property
    def together(self) -> DeviceChanged:
        """The best of them; of several ready ones, one that needs a cure."""
        return min(
            self._places.values(),
            key=lambda each: (_BEST_FIRST.index(each.state), each.reason is None),
            default=self._initial,
        )

    @property
    def each(self) -> tuple[DeviceChanged, ...]:
        """All of them, by their places."""
        return tuple(
            self._places[place] for place in sorted(self._places, key=lambda each: int(each or 0))
        )

    @property
    def reports(self) -> tuple[tuple[DeviceDescriptor, Reason], ...]:
        """Devices that somebody should look at, and why."""
        return tuple(self._reports.items())
