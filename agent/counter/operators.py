"""Who works at the counter: signing in by badge and PIN, without any network, and going again.

A badge names who wants in, the PIN proves it; the same badge read again signs out, as does the
button, or no act for a while. Wrong PINs lock one operator for a growing time and nobody else.
Badges and PINs are never logged or kept, who came and went is logged by id; a box that restarts
knows nobody.
"""

import asyncio
import logging
from collections.abc import Callable

from agent.counter.changes import Listeners
from agent.counter.pin_locks import PinLocks
from agent.counter.policy import Policy
from agent.counter.views import Advice, OperatorView, advise
from shared.badges import PREFIX, badge_digest, is_badge
from shared.clock import Clock
from shared.desired import OperatorEntry
from shared.errors import Refused
from shared.reasons import Reason

log = logging.getLogger(__name__)

PIN_SECONDS = 60
"""How long a badge that was read waits for its PIN."""
RESTING_SECONDS = 3
"""A badge left on the scanner is read again and again: with shorter pauses it is one showing."""
_MOST_WAITING = 4

ISSUERS = frozenset({"clerk", "site-operator"})
"""Roles that may register residents and see whole masked names; a technician mends devices."""


def is_like_badge(data: bytes) -> bool:
    """Whether a frame is a badge, or half of one: such a text is nobody else's business."""
    return data.lstrip()[: len(PREFIX)].upper() == PREFIX.encode()


class Operators:
    """At most one person is signed in at a counter. ``changes`` tells who comes and goes."""

    def __init__(
        self,
        policy: Policy,
        clock: Clock,
        verify: Callable[[str, str], bool],
        locks: PinLocks | None = None,
    ) -> None:
        """``verify(pin, phc)`` may take long: it runs in a thread, one at a time. Without
        ``locks`` there are new ones, which a restart forgets."""
        self._policy = policy
        self._clock = clock
        self._verify = verify
        self.changes: Listeners[OperatorView] = Listeners()
        self._signed_in = ""  # ids
        self._asked_for_pin = ""
        self._asked_until_ns = 0
        self._acted_ns = 0
        self._locks = locks or PinLocks(clock)
        self._last_badge = b""
        self._last_badge_ns = 0
        self._advice: Advice | None = None
        self._told: OperatorView | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    def current(self) -> OperatorEntry | None:
        """Who is signed in, still known here and not idle for too long."""
        idle_ns = self._clock.monotonic_ns() - self._acted_ns
        if self._signed_in and idle_ns >= self._policy.idle_seconds * 1_000_000_000:
            log.info("operator %s was idle and is signed out", self._signed_in)
            self._signed_in = ""
        return self._find(self._signed_in)

    @property
    def current_id(self) -> str:
        """For records: the operator's id, or empty."""
        entry = self.current()
        return entry.id if entry else ""

    @property
    def may_see_names(self) -> bool:
        """Whether the page shows names as central masked them, or only a surname."""
        entry = self.current()
        return not self._policy.operators_required or (entry is not None and entry.role in ISSUERS)

    def check_signed_in(self) -> None:
        """Raises Refused (OPERATOR_NEEDED) where somebody must be. Counts as an act."""
        self.act()
        if self._policy.operators_required and self.current() is None:
            raise Refused(Reason.OPERATOR_NEEDED)

    def check_may_issue(self) -> None:
        """Raises Refused: OPERATOR_NEEDED, PERMISSION_MISSING. Counts as an act."""
        self.check_signed_in()
        if not self.may_see_names:
            raise Refused(Reason.PERMISSION_MISSING)

    def act(self) -> None:
        """Whoever is signed in has done something: the time without an act begins anew."""
        if self.current() is not None:
            self._acted_ns = self._clock.monotonic_ns()

    def take_badge(self, text: str) -> None:
        """A badge was read: its owner is asked for the PIN, or signed out if signed in."""
        digest = badge_digest(text)
        if self._is_resting(digest):
            return
        entry = next((one for one in self._policy.operators() if one.badge == digest), None)
        if entry is None:
            self._advice = advise(Reason.BADGE_UNKNOWN)
        elif entry.id == self.current_id:
            self.sign_out()
            self._last_badge = digest
            return
        else:
            self._asked_for_pin, self._advice = entry.id, None
            self._asked_until_ns = self._clock.monotonic_ns() + PIN_SECONDS * 1_000_000_000
        self.tell()

    async def sign_in(self, pin: str, who: str = "") -> None:
        """Sign in by PIN: whose badge was read, or ``who``, a badge's text or a name, typed.

        Raises Refused: SIGN_IN_NEEDED (nobody was named), PIN_WRONG behind a badge, else
        SIGN_IN_WRONG, SIGN_IN_LOCKED, TOO_MANY_REQUESTS.
        """
        if self._waiting >= _MOST_WAITING:
            raise Refused(Reason.TOO_MANY_REQUESTS)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                await self._sign_in(pin, who)
        except Refused as refusal:
            self._advice = advise(refusal.reason)
            raise
        finally:
            self._waiting -= 1
            self.tell()

    def cancel(self) -> None:
        """Nobody wants in any more."""
        self._asked_for_pin, self._advice = "", None
        self._last_badge = b""  # who gave up may begin again at once
        self.tell()

    def sign_out(self) -> None:
        """Whoever is signed in goes."""
        if self._signed_in:
            log.info("operator %s has signed out", self._signed_in)
        self._signed_in = ""
        self.cancel()

    def view(self) -> OperatorView:
        """As pages show it."""
        entry, asked = self.current(), self._asked()
        required = self._policy.operators_required
        locked = self._locks.locked_seconds(asked.id) if asked else 0
        name = asked.name if asked else ""
        if entry is None:
            return OperatorView(
                required=required, asked_for_pin=name, advice=self._advice, locked_seconds=locked
            )
        return OperatorView(
            required=required,
            id=entry.id,
            name=entry.name,
            role=entry.role,
            language=entry.language,
            asked_for_pin=name,
            advice=self._advice,
            locked_seconds=locked,
        )

    def tell(self) -> None:
        """Tell how it stands, if that is news; called now and then, it ends idle sign-ins."""
        view = self.view()
        if view != self._told:
            self._told = view
            self.changes.tell(view)

    async def _sign_in(self, pin: str, who: str) -> None:
        if not who and self._asked() is None:
            raise Refused(Reason.SIGN_IN_NEEDED)
        entry = self._named(who) if who else self._asked()
        id = entry.id if entry else ""  # whoever is not known here shares one lock
        if self._locks.locked_seconds(id):
            raise Refused(Reason.SIGN_IN_LOCKED)
        right = entry is not None and await asyncio.to_thread(self._verify, pin, entry.pin)
        if entry is None or not right:
            await self._locks.count_wrong(id)
            raise Refused(Reason.SIGN_IN_WRONG if who else Reason.PIN_WRONG)
        await self._locks.forget(id)
        self._signed_in, self._asked_for_pin, self._advice = entry.id, "", None
        self._acted_ns = self._clock.monotonic_ns()
        log.info("operator %s has signed in", entry.id)

    def _is_resting(self, digest: bytes) -> bool:
        """Whether this badge was read a moment ago, too."""
        last, now = self._last_badge_ns, self._clock.monotonic_ns()
        same, self._last_badge, self._last_badge_ns = digest == self._last_badge, digest, now
        return same and now - last < RESTING_SECONDS * 1_000_000_000

    def _asked(self) -> OperatorEntry | None:
        if self._asked_until_ns <= self._clock.monotonic_ns():
            self._asked_for_pin = ""
        return self._find(self._asked_for_pin)

    def _named(self, who: str) -> OperatorEntry | None:
        """By a badge's text, an id or a name that only one has."""
        if is_badge(who):
            digest = badge_digest(who)
            found = [one for one in self._policy.operators() if one.badge == digest]
        else:
            found = [one for one in self._policy.operators() if who.strip() in {one.id, one.name}]
        return found[0] if len(found) == 1 else None

    def _find(self, id: str) -> OperatorEntry | None:
        return next((one for one in self._policy.operators() if one.id == id), None) if id else None
