"""The hand-over at work: the network listener is up while somebody is paired or may pair, and down
otherwise. Loaded only then.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from aiohttp import web

from agent.api.events import build_message
from agent.api.pairing import Pairing, build_pairing_routes
from agent.api.patience import Patience
from agent.api.routes import Box
from agent.api.server import Way, serve_way
from agent.api.views import PairingView, WorkstationView
from agent.config import BoxFiles, LanConfig
from agent.counter.views import ScanView
from agent.handover.access import Connections, guard_network
from agent.handover.addresses import list_names
from agent.handover.certificate import load_identity, open_tls, read_fingerprint
from agent.handover.entrance import build_entrance_routes, remember
from agent.handover.mailbox import Post
from agent.handover.routes import Paired, build_handover_routes
from agent.handover.window import PairingWindow
from agent.handover.workstations import Workstations
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import OneCodeError, Unavailable
from shared.ids import RecordId

log = logging.getLogger(__name__)

_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.5, 30.0


class NetworkBox(Box, Protocol):
    """The box as workstations reach it."""

    def tell_changed(self) -> None: ...


class Desk:
    """Pairs, lets in, hands on. ``run`` keeps the listener as it should be."""

    def __init__(
        self, box: NetworkBox, config: LanConfig, files: BoxFiles, clock: Clock, pairing: Pairing
    ) -> None:
        """``pairing`` is what pages over the network are served with."""
        self.post = Post(clock)
        self._box = box
        self._config = config
        self._files = files
        self._clock = clock
        self._pairing = pairing
        self._boot = secrets.token_hex(8)
        self._workstations = Workstations(files.workstations)
        self._window = PairingWindow(clock)
        self._connections = Connections()
        self._changed = asyncio.Event()
        self._listening: asyncio.Future[int] | None = None
        self._identity = b""
        self._cookie = ""
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> None:
        """Read who is paired. Raises Damaged, Refused."""
        await asyncio.to_thread(self._workstations.load)

    def hand_on(self, id: RecordId, at: datetime, text: str) -> int:
        """As ``agent.ports.HandOver``."""
        body = {"id": id.hex, "at": at.isoformat(), "text": text}
        return self.post.tell(self.build("handed-on", body))

    @property
    def boot(self) -> str:
        """Names this life of the hand-over: numbers of another mean nothing here."""
        return self._boot

    def beat(self) -> bytes:
        """What says that the line still stands."""
        return self.build("beat", {"at": self._clock.now()})

    def build(self, kind: str, body: object) -> bytes:
        """One message as JSON, as pages get theirs."""
        return build_message(kind, self._boot, self._clock, body)

    def list_workstations(self) -> list[WorkstationView]:
        """Who is paired."""
        return [
            WorkstationView(each.id, each.name, each.paired_at.isoformat())
            for each in self._workstations.list()
        ]

    async def open_window(self) -> PairingView:
        """As ``agent.api.pairing.Pairing``."""
        self._workstations.check_room()
        async with self._one_at_a_time:
            await self._load_identity()
        code = self._window.open()
        listening = self._listening = self._listening or asyncio.get_running_loop().create_future()
        self._changed.set()
        try:
            port = await asyncio.shield(listening)
        except Unavailable:
            self._window.close()
            raise
        return PairingView(
            code,
            f"https://{self._address()}:{port}/pair",
            read_fingerprint(self._identity),
            int(self._window.seconds_left),
        )

    async def pair(self, code: str, name: str, address: str) -> Paired:
        """A workstation that knows the code is one of ours. Raises as ``PairingWindow.use``, and
        Refused (WORKSTATIONS_FULL), Unavailable."""
        try:
            self._window.use(code, address)
            async with self._one_at_a_time:
                added, token = await asyncio.to_thread(
                    self._workstations.add, name, self._clock.now()
                )
        finally:
            self._changed.set()
        log.info("workstation %s is paired", added.id)
        self._box.tell_changed()
        return Paired(added.id, token)

    async def remove(self, workstation_id: str) -> None:
        """As ``agent.api.pairing.Pairing``."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._workstations.remove, workstation_id)
        self.post.forget(workstation_id)
        # Not at once: the answer to whoever removes itself goes out first.
        asyncio.get_running_loop().call_soon(self._connections.cut, workstation_id)
        log.info("workstation %s is removed", workstation_id)
        self._changed.set()
        self._box.tell_changed()

    async def run(self) -> None:
        """Listen while there is anybody to listen for, for ever."""
        backoff = Backoff(_FIRST_WAIT_SECONDS, _MOST_WAIT_SECONDS)
        undo = self._box.subscribe_scans(self._tell_scan)
        try:
            while True:
                await self._wait(lambda: self._is_wanted)
                try:
                    await self._listen(backoff)
                except OneCodeError as error:
                    log.warning("workstations cannot reach this box: %s", error)
                    self._fail(error)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(backoff.next_seconds()):
                            await self._changed.wait()
        finally:
            undo()

    @property
    def _is_wanted(self) -> bool:
        return len(self._workstations) > 0 or self._window.seconds_left > 0

    async def _listen(self, backoff: Backoff) -> None:
        async with self._one_at_a_time:
            await self._load_identity()
        tls = await asyncio.to_thread(open_tls, self._identity)
        address = (self._config.host, self._config.port)
        names = frozenset(list_names())
        way = self._build_way(lambda name: name.lower() in names or name == "localhost")
        async with serve_way(
            self._box, self._clock, way, address, tls=tls, patience=Patience()
        ) as port:
            log.info("paired workstations reach this box on port %d", port)
            backoff.reset()
            if self._listening is None or self._listening.done():
                self._listening = asyncio.get_running_loop().create_future()
            self._listening.set_result(port)
            try:
                await self._wait(lambda: not self._is_wanted)
            finally:
                self._listening = None
        log.info("nobody is paired: the network is closed again")

    def _build_way(self, is_our_name: Callable[[str], bool]) -> Way:
        cookie = self._cookie

        def renew(request: web.Request, response: web.StreamResponse) -> None:
            if cookie in request.cookies:  # which let the request in
                remember(response, cookie, request.cookies[cookie])

        return Way(
            guard_network(
                self._workstations.find,
                cookie,
                lambda: self._window.seconds_left > 0,
                is_our_name,
                self._connections,
            ),
            [
                *build_entrance_routes(self.pair, cookie),
                *build_handover_routes(self, self._box),
                *build_pairing_routes(self._pairing, self._box.operators),
            ],
            renew,
        )

    async def _wait(self, is_so: Callable[[], bool]) -> None:
        """Return once it is so; the window closes by itself."""
        while not is_so():
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._window.seconds_left or None):
                    await self._changed.wait()

    async def _load_identity(self) -> None:
        if not self._identity:
            self._identity = await asyncio.to_thread(
                load_identity, self._files.lan_identity, list_names(), self._clock.now()
            )
            # Cookies do not know ports: boxes of one machine must not overwrite each other's.
            mark = read_fingerprint(self._identity).replace(":", "")[:8].lower()
            self._cookie = f"__Host-onecode-{mark}"

    def _address(self) -> str:
        """The first address of the machine, or the one that is configured."""
        host = self._config.host
        anywhere = host in {"", "0.0.0.0"}  # noqa: S104 - compared, not bound to
        return list_names()[0] if anywhere else host

    def _tell_scan(self, view: ScanView) -> None:
        self.post.tell(self.build("scan", view))

    def _fail(self, error: OneCodeError) -> None:
        if self._listening is not None and not self._listening.done():
            self._listening.set_exception(error)
            self._listening = None
