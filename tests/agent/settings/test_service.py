"""A box takes what central signed for it, keeps the last good one, and says what it refused."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.config import BoxConfig, ScannerConfig
from agent.settings.edges import Edge
from agent.settings.effective import Effective, build_effective
from agent.settings.service import Settings
from shared.crypto import STD
from shared.desired import BoxSettings, Desired, RefusedDesired, build_body
from shared.errors import Malformed, Unavailable
from shared.messages import MedicalStep
from shared.reasons import Reason
from tests.agent.settings.centre import BOX, CLERK, CONFIG, announce, sign_body


@dataclass
class Shop:
    """Settings over a folder; ``check`` refuses what a test says."""

    path: Path
    config: BoxConfig = CONFIG
    error: Malformed | Unavailable | None = None
    edges: list[Edge] = field(default_factory=list)

    def open(self) -> Settings:
        """A start of the box."""
        settings = Settings(self.config, self.path, self._check, self.edges.append)
        settings.load()
        return settings

    def _check(self, wanted: Effective) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "desired")


def altered(**changes: Any) -> bytes:
    """A signed body that no struct of ours could be."""
    plain = msgspec.to_builtins(Desired(BOX, 3, 1, BoxSettings()), builtin_types=(bytes,))
    return sign_body(msgspec.msgpack.encode({**plain, **changes}))


async def test_what_central_says_goes_before_the_file(shop: Shop) -> None:
    """Each setting that is said holds, each that is not stays as in box.toml."""
    settings = shop.open()
    said = BoxSettings(
        site_name="市人民医院",
        again_seconds=0,
        ask_deadline_ms=300,
        medical_step=MedicalStep.PAY,
        scanner="serial:/dev/ttyACM1",
        operators_required=True,
        idle_seconds=60,
        language="en",
    )
    assert await settings.take(announce(1, said, operators=(CLERK,)))
    now = settings.effective
    assert (now.site_name, now.counter) == ("市人民医院", CONFIG.counter)
    assert (now.again, now.ask_deadline) == (timedelta(0), timedelta(milliseconds=300))
    assert now.register_deadline == timedelta(milliseconds=CONFIG.register_deadline_ms)
    assert now.scanner == ScannerConfig("serial", "/dev/ttyACM1", CONFIG.scanner.gap_ms)
    assert (now.printer, now.medical_step) == (CONFIG.printer, MedicalStep.PAY)
    assert (settings.language, settings.idle_seconds, settings.operators_required) == (
        "en",
        60,
        True,
    )
    assert tuple(settings.operators()) == (CLERK,)


async def test_what_was_said_before_is_taken_back(shop: Shop) -> None:
    """A configuration is whole: a setting no longer said falls back to box.toml."""
    settings = shop.open()
    await settings.take(announce(1, BoxSettings(counter="挂号9")))
    await settings.take(announce(2))
    assert settings.effective == replace(build_effective(CONFIG, None), revision=2)


async def test_the_last_good_one_outlives_a_restart(shop: Shop) -> None:
    """It is durable before it is at work, and verified again at the start."""
    await shop.open().take(announce(3, BoxSettings(counter="挂号9")))
    assert shop.edges == [Edge.CHECKED, Edge.STORED, Edge.APPLIED]
    assert shop.path.stat().st_mode & 0o777 == 0o600
    again = shop.open()
    assert (again.effective.revision, again.counter, again.refused) == (3, "挂号9", None)


async def test_a_repetition_changes_nothing(shop: Shop) -> None:
    """The broker repeats what it retains at each connection: no write, no event."""
    settings = shop.open()
    await settings.take(announce(3))
    told: list[Effective] = []
    settings.subscribe(told.append)
    shop.edges.clear()
    assert await settings.take(announce(3))
    assert not told
    assert not shop.edges


@pytest.mark.parametrize(
    ("came", "refused"),
    [
        (announce(1), RefusedDesired(1, Reason.SETTINGS_OLDER)),
        (announce(9, box="site1/box2"), RefusedDesired(9, Reason.NOT_FOR_THIS_BOX)),
        (
            announce(9, key=STD.signing_key(bytes(32))),
            RefusedDesired(9, Reason.SIGNATURE_WRONG),
        ),
        (b"rubbish", RefusedDesired(0, Reason.MESSAGE_MALFORMED)),
        (sign_body(b"rubbish"), RefusedDesired(0, Reason.MESSAGE_MALFORMED)),
        (altered(settings={"volume": 11}), RefusedDesired(3, Reason.SETTING_UNKNOWN, "volume")),
        (
            altered(settings={"again_seconds": 601}),
            RefusedDesired(3, Reason.SETTING_IMPOSSIBLE, "again_seconds"),
        ),
        (
            altered(settings={"label": "90x90"}),
            RefusedDesired(3, Reason.SETTING_IMPOSSIBLE, "label"),
        ),
        (
            altered(settings={"scanner": "camera:/dev/video0"}),
            RefusedDesired(3, Reason.SETTING_IMPOSSIBLE, "scanner"),
        ),
        (
            altered(settings={"printer": "usb:zebra"}),
            RefusedDesired(3, Reason.SETTING_IMPOSSIBLE, "printer"),
        ),
        (altered(version=2), RefusedDesired(3, Reason.SCHEMA_UNKNOWN)),
        (altered(extra=1), RefusedDesired(3, Reason.SETTING_UNKNOWN, "extra")),
    ],
)
async def test_what_is_refused_changes_nothing(
    shop: Shop, came: bytes, refused: RefusedDesired
) -> None:
    """Older, another box's, forged, malformed, unknown, impossible: the last good one stays."""
    settings = shop.open()
    await settings.take(announce(2, BoxSettings(counter="挂号9")))
    before, stored = settings.effective, shop.path.read_bytes()
    assert not await settings.take(came)
    assert settings.effective == before
    assert settings.refused == refused
    assert settings.refusals == {refused.reason: 1}
    assert shop.path.read_bytes() == stored


async def test_what_this_box_cannot_do_is_refused_by_name(shop: Shop) -> None:
    """The box's own check has the last word; its reason and setting are reported."""
    settings = shop.open()
    shop.error = Malformed(Reason.GLYPH_MISSING, "site_name")
    assert not await settings.take(announce(4, BoxSettings(site_name="㐀医院")))
    assert settings.refused == RefusedDesired(4, Reason.GLYPH_MISSING, "site_name")
    assert not shop.path.exists()


async def test_what_cannot_be_kept_is_not_put_to_work(shop: Shop) -> None:
    """A full disk leaves the old settings at work; the reason names no path."""
    shop.path = shop.path.parent / "missing" / "desired"
    settings = shop.open()
    assert not await settings.take(announce(4, BoxSettings(counter="挂号9")))
    assert settings.refused == RefusedDesired(4, Reason.STORE_UNAVAILABLE)
    assert settings.counter == CONFIG.counter


async def test_a_refusal_is_over_when_a_good_one_comes(shop: Shop) -> None:
    """Also when central repeats the one at work, after somebody had put another in its place."""
    settings = shop.open()
    await settings.take(announce(2))
    await settings.take(announce(1))
    settings.note_forged(Reason.SEAL_BROKEN)
    refusals = [settings.refused]
    for revision in (2, 1, 3):
        await settings.take(announce(revision))
        refusals.append(settings.refused)
    assert refusals == [
        RefusedDesired(0, Reason.SEAL_BROKEN),
        None,
        RefusedDesired(1, Reason.SETTINGS_OLDER),
        None,
    ]


async def test_a_box_that_knows_no_announcements_key_believes_nothing(tmp_path: Path) -> None:
    """Without the key in box.toml nothing from afar is put to work."""
    config = msgspec.structs.replace(CONFIG, announcements=None)
    settings = Shop(tmp_path / "desired", config).open()
    assert not await settings.take(announce(1, BoxSettings(counter="挂号9")))
    assert settings.refused == RefusedDesired(1, Reason.KEY_UNKNOWN, "announcements")


@pytest.mark.parametrize("content", [b"", b"rubbish", announce(1, box="site1/box2")])
async def test_a_stored_one_that_does_not_hold_is_reported(shop: Shop, content: bytes) -> None:
    """box.toml alone is at work until central's next; the file is left for whoever looks."""
    shop.path.write_bytes(content)
    shop.path.chmod(0o600)
    settings = shop.open()
    assert settings.effective == build_effective(CONFIG, None)
    assert settings.refused is not None
    assert shop.path.read_bytes() == content
    assert await settings.take(announce(5))
    assert shop.open().effective.revision == 5


async def test_listeners_hear_until_they_leave(shop: Shop) -> None:
    """Subscribing returns its own undo."""
    settings, told = shop.open(), list[int]()
    undo = settings.subscribe(lambda effective: told.append(effective.revision))
    await settings.take(announce(1))
    undo()
    await settings.take(announce(2))
    assert told == [1]


def test_the_body_of_a_configuration_has_one_form() -> None:
    """The same content has the same bytes: what is signed twice is signed the same."""
    assert build_body(Desired(BOX, 1, 1, BoxSettings())) == build_body(
        Desired(BOX, 1, 1, BoxSettings())
    )
