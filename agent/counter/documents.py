"""The identity card on the reader: its text waits in memory for the form of a page, for a minute
at most, and is never logged or written.
"""

import logging

import msgspec

from agent.counter.changes import Listeners
from agent.counter.operators import Operators
from agent.counter.views import Advice, advise
from agent.ports import DeviceChanged, DocumentNotRead, DocumentRead, DocumentReader
from shared.clock import Clock
from shared.devices import DeviceState
from shared.ids import new_record_id
from shared.reasons import Reason

log = logging.getLogger(__name__)

KEEP_SECONDS = 60


class DocumentView(msgspec.Struct, frozen=True):
    """A card that was read, for the form; or with ``advice`` one that could not be."""

    id: str
    document_type: str = ""
    number: str = ""
    name: str = ""
    sex: str = "0"
    advice: Advice | None = None

    def __repr__(self) -> str:
        return f"DocumentView({self.id})"


class Documents:
    """One reader's cards. ``changes`` tells each to pages, if whoever sits there may see it."""

    def __init__(self, reader: DocumentReader | None, operators: Operators, clock: Clock) -> None:
        self._reader = reader
        self._operators = operators
        self._clock = clock
        self._waiting: DocumentView | None = None
        self._until_ns = 0
        self.changes: Listeners[DocumentView] = Listeners()
        self.state_changes: Listeners[None] = Listeners()
        self.state = DeviceState.OPENING if reader else DeviceState.ABSENT
        self.reason: Reason | None = None
        operators.changes.subscribe(lambda _: self._tell())

    @property
    def name(self) -> str | None:
        """The reader's name; None where there is none."""
        return self._reader.descriptor.name if self._reader else None

    async def run(self) -> None:
        """Take the reader's events, for ever."""
        if self._reader is None:
            return
        async for event in self._reader.events():
            match event:
                case DocumentRead():
                    self._operators.act()
                    self._keep(
                        DocumentView(
                            new_record_id(event.at).hex,
                            event.document_type,
                            event.number,
                            event.name,
                            event.sex,
                        )
                    )
                case DocumentNotRead(reason=reason, at=at):
                    self._keep(DocumentView(new_record_id(at).hex, advice=advise(reason)))
                case DeviceChanged(state=state, reason=reason):
                    self.state, self.reason = state, reason
                    log.info("document reader %s %s", state, reason or "")
                    self.state_changes.tell(None)

    def waiting(self) -> DocumentView | None:
        """The card that no form has taken yet, for whoever may register and is signed in."""
        self.drop_old()
        return self._waiting if self._operators.may_see_names else None

    def take(self, document_id: str) -> None:
        """A form has it: nothing of it is left here."""
        if self._waiting is not None and self._waiting.id == document_id:
            self._waiting = None

    def drop_old(self) -> None:
        """Forget a card that nobody took in time."""
        if self._clock.monotonic_ns() >= self._until_ns:
            self._waiting = None

    def _keep(self, view: DocumentView) -> None:
        self._waiting = view
        self._until_ns = self._clock.monotonic_ns() + KEEP_SECONDS * 1_000_000_000
        self._tell()

    def _tell(self) -> None:
        view = self.waiting()
        if view is not None:
            self.changes.tell(view)
