"""A box that is alone with central's lists: cards cancelled and keys rotated meanwhile (faults 13
and 25), lists withheld, forged or lost; each ends with the ledger's proof from both sides."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from agent.__main__ import main as agent_command
from central.__main__ import main as central_command
from central.app import Central, open_central
from central.cards.card import Card
from central.config import read_passphrase
from central.keys.store import read_key_store
from central.patients.person import Registration
from demo.supervisor import wait_until
from shared.clock import SystemClock
from shared.crypto import STD
from shared.ehc import DynamicCode, build_code, parse_code, sign_extension
from shared.exits import Exit
from shared.reasons import Reason
from tests.central.people import make_resident
from tests.faults.world import BOX, SETTLE_SECONDS, TESTER, World

STRANGER = make_resident(501, "吴九")
CANCELLED = make_resident(502, "郑十")


@contextmanager
def at_central(world: World) -> Iterator[Central]:
    """A unit of work as a command line has it."""
    with open_central(world.central_directory) as central, central.unit():
        yield central


def admit(central: Central, registration: Registration) -> Card:
    """A person of the box's site, registered elsewhere in it."""
    now = SystemClock().now()
    person, _ = central.patients.register(registration, now, TESTER)
    central.hospital.admit(person.id, BOX.site, now)
    return central.cards.open_account(person, now, TESTER)


def lists_of(world: World) -> Any:
    return world.api.fetch("state")["lists"]


def wait_lists(world: World, **wanted: int) -> None:
    """Wait until the box's lists are there and hold so many."""

    def look() -> bool | None:
        lists = lists_of(world)
        held = all(lists[name] == count for name, count in wanted.items())
        return True if held and lists["advice"] is None else None

    wait_until(look, SETTLE_SECONDS, f"lists with {wanted}")


@contextmanager
def alone(world: World) -> Iterator[None]:
    """While the broker is dead."""
    world.broker.kill()
    world.wait_offline()
    try:
        yield
    finally:
        world.broker.start()
        world.wait_link("up")


def test_who_was_never_here_is_known_and_a_cancelled_card_refused(world: World) -> None:
    """Fault 25: cancelled at central, never seen at this box; the list came before the cut. Also
    after a restart with nobody to ask."""
    with at_central(world) as central:
        known, gone = admit(central, STRANGER), admit(central, CANCELLED)
        texts = [central.cards.static_code(card) for card in (known, gone)]
        now = SystemClock().now()
        dynamic = central.cards.issue_dynamic(gone, now, 255)
        central.cards.cancel(gone.id, now, TESTER)
    world.restart_central()
    wait_lists(world, revoked=1, persons=2)
    with alone(world):
        view = world.scan(texts[0])
        assert (view["verdict"], view["advice"]["reason"]) == ("provisional", "offline-known")
        assert view["identity"]["name"] == "吴*"
        assert view["identity"]["record_numbers"]
        world.restart_box(online=False)
        for text in (texts[1], dynamic):
            view = world.scan(text)
            assert (view["verdict"], view["advice"]["reason"]) == ("refused", "card-cancelled")
            assert view["identity"] is None
    world.prove()


def test_what_is_wrong_with_a_code_has_its_reason(world: World) -> None:
    """Fault 13 through the scanner: over by time, from the future, spliced, an unknown key."""
    now = SystemClock().now()
    with at_central(world) as central:
        card = admit(central, STRANGER)
        store = read_key_store(central.files.keys, read_passphrase(central.files))
    wait_lists(world)
    key = STD.signing_key(store.code_signing)
    bare = DynamicCode(card.ehc_id, "0" * 32)

    def code(kid: int, issued_at: timedelta, ehc_id: str = card.ehc_id) -> str:
        signed = sign_extension(
            key,
            bare,
            kid=kid,
            nonce=os.urandom(4),
            issued_at=now + issued_at,
            ttl_seconds=30,
        )
        assert isinstance(signed, DynamicCode)
        return build_code(signed).replace(card.ehc_id, ehc_id)

    day = timedelta(days=1)
    wrong = {
        code(store.code_kid, -day): "code-expired",
        code(store.code_kid, day): "code-future",
        code(store.code_kid, timedelta(), "A" * 64): "code-forged",
        code(99, timedelta()): "code-key-unknown",
        f"{card.ehc_id}:0:{'0' * 32}:1:12345678901": "code-other-domain",
    }
    with alone(world):
        for text, reason in wrong.items():
            view = world.scan(text)
            assert (view["verdict"], view["advice"]["reason"]) == ("refused", reason)
    world.prove()


def test_keys_rotate_while_a_box_is_away(world: World) -> None:
    """Fault 25: what was signed before is good to its end, at the box that is away as elsewhere;
    the new key's codes have their reason there, and are verified once it has heard."""
    wait_lists(world)
    before = world.issue_code()
    with alone(world):
        command = ["--dir", str(world.central_directory), "keys", "renew", "code"]
        assert central_command([*command, "--ahead-days", "0"]) == Exit.HELD
        after = world.issue_code()
        assert _kid(after) == _kid(before) + 1
        assert world.scan(before)["verdict"] == "provisional"
        view = world.scan(after)
        assert (view["verdict"], view["advice"]["reason"]) == ("refused", "code-key-unknown")
    world.restart_central()  # a server takes up new keys when it starts
    world.wait_box_said(f"code keys {_kid(before)}, {_kid(after)}")
    world.prove()
    with alone(world):
        view = world.scan(world.issue_code())
        assert view["verdict"] == "provisional"
        assert view["advice"]["reason"] in {"offline-signed", "offline-known"}
        view = world.scan(_sign_late(world))
        assert (view["verdict"], view["advice"]["reason"]) == ("refused", "code-key-ended")
    world.prove()


@pytest.mark.parametrize(
    ("what", "said", "refused"),
    [("noise", "list-lost", "lease-verify-only"), ("gone", "list-missing", "lease-lists-missing")],
)
def test_lost_lists_are_said_and_fetched_again(
    world: World, capsys: pytest.CaptureFixture[str], what: str, said: str, refused: str
) -> None:
    """No record depends on them: the box starts, says so, allows less while it is alone, and has
    them back. A box that never had them is no better: who erases the file gains nothing."""
    wait_lists(world)
    count = lists_of(world)["revoked"]
    world.supervisor.stop("box")
    for path in world.box_directory.glob("lists.db*"):
        path.unlink()
    if what == "noise":
        (world.box_directory / "lists.db").write_bytes(b"no database" * 100)
    world.broker.kill()
    world.start_box(online=False)
    assert lists_of(world)["advice"]["reason"] == said
    view = world.scan(world.static_code())
    assert (view["verdict"], view["advice"]["reason"]) == ("refused", refused)
    assert world.api.fetch("state")["lease"]["step"] == "verify-only"
    agent_command(["--dir", str(world.box_directory), "check"])
    words = Reason(said).words
    told = capsys.readouterr().out
    assert words.zh in told
    assert words.en in told
    world.broker.start()
    world.wait_link("up")
    wait_lists(world, revoked=count)
    assert world.api.fetch("state")["lease"]["advice"] is None
    world.prove()


def _kid(text: str) -> int:
    code = parse_code(text)
    assert isinstance(code, DynamicCode)
    assert code.extension is not None
    return int(getattr(code.extension, "kid"))  # noqa: B009 - either kind of extension


def _sign_late(world: World) -> str:
    """What a thief of the former key signs now."""
    with at_central(world) as central:
        store = read_key_store(central.files.keys, read_passphrase(central.files))
        card = admit(central, STRANGER)
    code = sign_extension(
        STD.signing_key(store.code_signing),
        DynamicCode(card.ehc_id, "0" * 32),
        kid=store.code_kid,
        nonce=os.urandom(4),
        issued_at=SystemClock().now(),
        ttl_seconds=60,
    )
    return build_code(code)
