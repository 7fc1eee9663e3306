"""Settings: what is wanted of boxes, set by site and by box, composed and signed for each box.

What a box says wins over what its site says; ``None`` says nothing. Every method runs inside the
caller's unit of work; who sends what was composed is ``announcing``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from central.audit.service import Audit
from central.fleet.box import NO_DEVICE
from central.fleet.service import Fleet
from central.keys.service import Keys
from central.settings import store
from shared.clock import to_microseconds
from shared.crypto import STD
from shared.desired import (
    BoxKeyEntry,
    BoxSettings,
    Desired,
    OperatorEntry,
    SignedDesired,
    build_body,
    check_settings,
    desired_bytes,
    merge_settings,
)
from shared.errors import Malformed, Refused
from shared.ids import BoxId
from shared.reasons import Reason

ListOperators = Callable[[str], tuple[OperatorEntry, ...]]
"""Who may sign in at the boxes of a site."""
ReadRevision = Callable[[BoxId], int]
"""Which revision a box says is at work; 0 where nothing is known."""

_CONTENT = "announced.content"
_encode = msgspec.msgpack.Encoder().encode


class SiteWide(NamedTuple):
    """What every box of a site is told, and its digest: read once for all of them."""

    operators: tuple[OperatorEntry, ...]
    boxes: tuple[BoxKeyEntry, ...]
    digest: bytes


class Settings:
    """Sets, reads and composes."""

    def __init__(
        self,
        keys: Keys,
        audit: Audit,
        fleet: Fleet,
        list_operators: ListOperators = lambda _: (),
        read_revision: ReadRevision = lambda _: 0,
    ) -> None:
        self._keys = keys
        self._audit = audit
        self._fleet = fleet
        self._list_operators = list_operators
        self._read_revision = read_revision
        self.changes = 0
        """Counts what this process has set, so that whoever announces need not read in vain."""

    def set_site(self, site: str, settings: BoxSettings, at: datetime, actor: str) -> None:
        """Replace what holds at every box of a site.

        Raises Refused (NOT_FOUND) for an unknown site, Malformed (SETTING_IMPOSSIBLE).
        """
        self._check_site(site)
        check_settings(settings)
        if settings.counter is not None:
            raise Malformed(Reason.SETTING_IMPOSSIBLE, "counter: a site has many")
        store.save_site_settings(site, settings, at, actor)
        self._audit.write("settings.site", site, actor, at, set=_names(settings))
        self.changes += 1

    def set_box(self, box: BoxId, settings: BoxSettings, at: datetime, actor: str) -> None:
        """Replace what one box has otherwise than its site.

        Raises Refused (NOT_ADMITTED) for an unknown box, Malformed (SETTING_IMPOSSIBLE).
        """
        _ = self._fleet.box(box)
        check_settings(settings)
        store.save_box_settings(box, settings, at, actor)
        self._audit.write("settings.box", str(box), actor, at, set=_names(settings))
        self.changes += 1

    def expect_devices(
        self, box: BoxId, scanner: str, printer: str, at: datetime, actor: str
    ) -> None:
        """Want the devices that a joining box's invite named; ``none`` leaves what is set."""
        named = {"scanner": scanner, "printer": printer}.items()
        wanted = {name: device for name, device in named if device != NO_DEVICE}
        if wanted:
            settings = store.find_box_settings(box)
            self.set_box(box, msgspec.structs.replace(settings, **wanted), at, actor)

    def read_site(self, site: str) -> BoxSettings:
        """What is set for a site. Raises Refused (NOT_FOUND)."""
        self._check_site(site)
        return store.find_site_settings(site)

    def read_box(self, box: BoxId) -> BoxSettings:
        """What is set for a box alone. Raises Refused (NOT_ADMITTED)."""
        _ = self._fleet.box(box)
        return store.find_box_settings(box)

    def read_revision(self, box: BoxId) -> int:
        """The number of what was last composed for a box; 0 before the first."""
        known = store.find_announcement(box)
        return known.revision if known else 0

    def note_change(self) -> None:
        """Something that is composed in has changed elsewhere: an operator, say."""
        self.changes += 1

    def compose(self, box: BoxId, at: datetime) -> SignedDesired:
        """What is wanted of a box now, signed. The same content has the same revision and bytes."""
        return self.sign(self.draft(box, self.read_site_wide(box.site), at))

    def read_site_wide(self, site: str) -> SiteWide:
        """Who may sign in at the boxes of a site, and whose temporary codes are good there."""
        operators = self._list_operators(site)
        boxes = tuple(BoxKeyEntry(*key) for key in self._fleet.list_site_keys(site))
        return SiteWide(operators, boxes, STD.digest(_encode((operators, boxes))))

    def draft(self, box: BoxId, site: SiteWide, at: datetime) -> Desired:
        """What is wanted of a box now, numbered.

        The revision grows with each change, also beyond what a box says it has: a centre put back
        from a backup is heard.
        """
        settings = merge_settings(store.find_site_settings(box.site), store.find_box_settings(box))
        number = self._fleet.box(box).number
        content = self._keys.token(_CONTENT, _encode((settings, number, site.digest)).hex())
        known = store.find_announcement(box)
        reported = self._read_revision(box)
        if known is None or known.content != content or known.revision < reported:
            revision = max(known.revision if known else 0, reported) + 1
            known = store.Announcement(revision, content, to_microseconds(at))
            store.save_announcement(box, known)
        return Desired(
            box=str(box),
            revision=known.revision,
            made_at=known.made_at,
            settings=settings,
            operators=site.operators,
            number=number,
            boxes=site.boxes,
        )

    def sign(self, desired: Desired) -> SignedDesired:
        """What was drafted, as the box believes it."""
        body = build_body(desired)
        return SignedDesired(body, self._keys.sign_announcement(desired_bytes(body)))

    def _check_site(self, site: str) -> None:
        if not self._fleet.has_site(site):
            raise Refused(Reason.NOT_FOUND, f"site {site}")


def _names(settings: BoxSettings) -> str:
    said = msgspec.structs.asdict(settings).items()
    return ",".join(name for name, value in said if value is not None)
