"""Settings at work: takes what central wants, checks it, keeps the last good one, tells who asks.

What is taken is signed by central, for this box, and newer than what is at work; it is durable
before it is applied. What is not is refused whole, with its reason, and changes nothing. Knows no
device and no counter: whether a value is possible here is asked of ``check``.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.config import BoxConfig
from agent.settings.edges import Edge, Observe, ignore
from agent.settings.effective import Effective, build_effective
from shared.config import read_secret, replace_secret
from shared.crypto import STD
from shared.desired import (
    BoxKeyEntry,
    Desired,
    OperatorEntry,
    RefusedDesired,
    decode_signed,
    desired_bytes,
    parse_body,
    peek_revision,
)
from shared.errors import NotAuthentic, OneCodeError, Refused, Unavailable
from shared.reasons import Reason

log = logging.getLogger(__name__)

Check = Callable[[Effective], None]
"""Whether the values are possible at this box; blocking. Raises Refused or Unavailable, its detail
naming the setting."""
Listener = Callable[[Effective], None]
Undo = Callable[[], None]


class Settings:
    """The effective settings of one box; implements ``agent.counter.policy.Policy``."""

    def __init__(
        self, config: BoxConfig, path: Path, check: Check, observe: Observe = ignore
    ) -> None:
        """``path`` is where the last good configuration is kept, as central signed it."""
        self._config = config
        self._path = path
        self._check = check
        self._observe = observe
        self._listeners: dict[object, Listener] = {}
        self._taking = asyncio.Lock()
        self.effective = build_effective(config, None)
        self.refused: RefusedDesired | None = None
        """The last configuration that was refused since the one at work."""
        self.refusals: Counter[Reason] = Counter()

    # --- what holds now --------------------------------------------------------------------------

    @property
    def number(self) -> int:
        return self.effective.number

    def box_keys(self) -> Sequence[BoxKeyEntry]:
        """Whose temporary codes are good here."""
        return self.effective.boxes

    @property
    def site_name(self) -> str:
        return self.effective.site_name

    @property
    def counter(self) -> str:
        return self.effective.counter

    @property
    def language(self) -> str:
        return self.effective.language

    @property
    def label(self) -> str:
        return self.effective.label

    @property
    def operators_required(self) -> bool:
        return self.effective.operators_required

    @property
    def idle_seconds(self) -> int:
        return self.effective.idle_seconds

    def operators(self) -> Sequence[OperatorEntry]:
        """Who may sign in here."""
        return self.effective.operators

    def subscribe(self, listener: Listener) -> Undo:
        """Tell of each change, until the returned undo is called."""
        key = object()
        self._listeners[key] = listener

        def undo() -> None:
            self._listeners.pop(key, None)

        return undo

    # --- taking ----------------------------------------------------------------------------------

    def load(self) -> None:
        """Take up the last good configuration, at the start; verified again as if it came now.

        One that does not hold is left where it is, reported, and not used: ``box.toml`` alone is
        at work until central's next.
        """
        try:
            stored = read_secret(self._path)
        except Unavailable:
            return  # never had one
        except Refused as refusal:
            self._refuse(0, refusal)
            return
        try:
            desired = self._verify(stored)
        except Refused as refusal:
            self._refuse(0, refusal)
            return
        self.effective = build_effective(self._config, desired)

    async def take(self, plaintext: bytes) -> bool:
        """Take what came on ``desired``, opened; whether it is at work now. Never raises for what
        came: a refusal is counted, kept for ``reported``, and changes nothing.
        """
        async with self._taking:
            revision = 0
            try:
                desired = self._verify(plaintext)
                revision = desired.revision
                if revision == self.effective.revision:
                    # The broker repeats what it retains, central what somebody had replaced.
                    self.refused = None
                    return True
                if revision < self.effective.revision:
                    raise Refused(Reason.SETTINGS_OLDER)
                effective = build_effective(self._config, desired)
                await asyncio.to_thread(self._check, effective)
                self._observe(Edge.CHECKED)
                await asyncio.to_thread(replace_secret, self._path, plaintext)
            except (Refused, Unavailable) as error:
                self._refuse(revision or peek_revision(plaintext), error)
                return False
            self._observe(Edge.STORED)
            self.effective, self.refused = effective, None
            for listener in tuple(self._listeners.values()):
                listener(effective)
            self._observe(Edge.APPLIED)
            log.info("settings of revision %d are at work", effective.revision)
            return True

    def note_forged(self, reason: Reason) -> None:
        """Something came that nobody with the pair key had sealed; central hears of it."""
        self._refuse(0, NotAuthentic(reason))

    def _verify(self, plaintext: bytes) -> Desired:
        """What central signed for this box. Raises Refused, NotAuthentic, Malformed."""
        signed = decode_signed(plaintext)
        if self._config.announcements is None:
            raise NotAuthentic(Reason.KEY_UNKNOWN, "announcements")
        key = STD.verify_key(bytes.fromhex(self._config.announcements))
        key.verify(signed.signature, desired_bytes(signed.body))
        desired = parse_body(signed.body)
        if desired.box != self._config.box:
            raise Refused(Reason.NOT_FOR_THIS_BOX)
        return desired

    def _refuse(self, revision: int, error: OneCodeError) -> None:
        self.refusals[error.reason] += 1
        first = self.refusals[error.reason] == 1
        log.log(logging.WARNING if first else logging.DEBUG, "settings refused: %s", error)
        # The detail of what cannot be written is a path.
        setting = error.detail if isinstance(error, Refused) else ""
        self.refused = RefusedDesired(revision, error.reason, setting)
