"""``onecode-agent check`` on a real box beside a real broker and central: what it finds, and how
it says so."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.api.views import DeviceView, ListsView
from agent.checks.devices import look_at_scanner
from agent.checks.finding import Box, Level
from agent.checks.lists import look_at_lists
from agent.config import BoxFiles, ScannerConfig, read_box_config
from agent.counter.views import advise
from demo.supervisor import wait_until
from shared.at_rest import CREDENTIAL, seal_secret
from shared.clock import SystemClock
from shared.devices import DeviceState
from shared.exits import Exit
from shared.reasons import Reason
from tests.agent.api.one_box import OneBox
from tests.faults.world import SETTLE_SECONDS, World

NAMES = [
    "configuration",
    "secrets",
    "clock",
    "lease",
    "broker-dns",
    "broker-tcp",
    "broker-tls",
    "broker-mqtt",
    "certificate-days",
    "disk",
    "scanner",
    "printer",
    "queue",
    "lists",
    "fonts",
]
"""Stable: scripts ask for them."""


def _has_lists(world: World) -> bool | None:
    return None if world.api.fetch("state")["lists"]["age_seconds"] is None else True


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A broker, a central and a box that run."""
    with World(tmp_path_factory.mktemp("checked")) as world:
        wait_until(lambda: _has_lists(world), SETTLE_SECONDS, "lists")
        yield world


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    """The box's directory to spoil, with no agent at work in it."""
    directory = tmp_path / "box"
    shutil.copytree(world.box_directory, directory)
    replace(directory / "box.toml", "api_port = ", "api_port = 1  # ")
    return directory


def check(directory: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Run the command; its exit code and what it printed."""
    command = [sys.executable, "-m", "agent", "--dir", str(directory), "check", *words]
    environment = {**os.environ, **environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def look(directory: Path, **environment: str) -> tuple[int, dict[str, Any]]:
    """The findings by name."""
    code, text = check(directory, "--json", **environment)
    return code, {finding["name"]: finding for finding in json.loads(text)}


def replace(file: Path, old: str, new: str) -> None:
    """Change a file's text, which must have what is changed."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_box_at_work_is_well(world: World) -> None:
    """Every look is there by its name, none fails, and only open secrets are warned of."""
    code, found = look(world.box_directory)
    assert code == Exit.HELD
    assert list(found) == NAMES
    wrong = {name: finding for name, finding in found.items() if finding["level"] != "ok"}
    assert list(wrong) == ["secrets"]
    assert wrong["secrets"]["reason"] == Reason.SECRETS_BARE


def test_words_are_in_both_languages(world: World) -> None:
    """A line a finding, and below what is not well its cause and its cure."""
    code, text = check(world.box_directory)
    assert code == Exit.HELD
    assert [line.split()[1] for line in text.splitlines() if line[0] in "✓!✗"] == NAMES
    words = Reason.SECRETS_BARE.words
    assert words.zh in text
    assert words.next_en in text


def test_a_stopped_agent_leaves_the_broker_to_be_asked(world: World, copy: Path) -> None:
    """Without an agent the session is tried itself: an unknown box's would be refused here."""
    world.supervisor.stop("box")
    try:
        code, found = look(copy)
    finally:
        world.start_box()
    assert found["broker-mqtt"]["level"] == "ok", found["broker-mqtt"]
    assert code == Exit.HELD


@pytest.mark.parametrize(
    ("old", "new", "failing", "reason"),
    [
        ('host = "127.0.0.1"', 'host = "broker.invalid"', "broker-dns", Reason.BROKER_NAME_UNKNOWN),
        ("port = ", "port = 1 # ", "broker-tcp", Reason.BROKER_PORT_CLOSED),
        ('kind = "serial"\npath = "', 'kind = "serial"\npath = "/no', "scanner", "device-absent"),
        ('box = "', 'font = "/no/font"\nbox = "', "fonts", Reason.FONT_MISSING),
    ],
)
def test_what_is_wrong_is_named(
    copy: Path, old: str, new: str, failing: str, reason: Reason
) -> None:
    """One wrong thing fails its own look, with its reason, and the exit code says so."""
    file = copy / "box.toml"
    text = file.read_text()
    place = text.index("[broker]") if failing.startswith("broker") else 0
    file.write_text(text[:place] + text[place:].replace(old, new, 1))
    code, found = look(copy)
    assert code == Exit.CHECK_FAILED
    assert [name for name, each in found.items() if each["level"] == "failed"] == [failing]
    assert found[failing]["reason"] == reason


def test_sealed_secrets_are_no_fault(world: World, copy: Path, tmp_path: Path) -> None:
    """A technician's command has no credential: what it cannot open it cannot judge, and says so;
    with the credential all is seen."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_bytes(bytes(32))
    for name in ("box.pem", "pair.key", "signing.key"):
        path = copy / name
        path.write_bytes(seal_secret(name, path.read_bytes(), bytes(32)))
    world.supervisor.stop("box")
    try:
        code, found = look(copy)
        with_key, seen = look(copy, CREDENTIALS_DIRECTORY=str(credentials))
    finally:
        world.start_box()
    assert (code, with_key) == (Exit.HELD, Exit.HELD)
    unseen = ("broker-tls", "broker-mqtt", "certificate-days")
    assert {found[name]["reason"] for name in unseen} == {Reason.KEY_SEALED}
    assert {found[name]["level"] for name in unseen} == {"warning"}
    assert {seen[name]["level"] for name in unseen} == {"ok"}


async def test_a_running_agents_devices_are_its_own_word(world: World, copy: Path) -> None:
    """Central's settings may have given it another scanner than box.toml."""
    config = read_box_config(BoxFiles(copy))
    config = msgspec.structs.replace(config, scanner=ScannerConfig())
    for name in ("scanner", ""):
        device = DeviceView(name, DeviceState.READY if name else DeviceState.ABSENT)
        state = msgspec.structs.replace(await OneBox().read_state(), scanner=device)
        (found,) = await look_at_scanner(Box(BoxFiles(copy), SystemClock(), config, state))
        assert found.reason is (None if name else Reason.DEVICE_NOT_CONFIGURED)
    ailing = DeviceView("scanner", DeviceState.READY, advice=advise(Reason.SCANNER_CAPS_LOCK))
    state = msgspec.structs.replace(state, scanner=ailing)
    (found,) = await look_at_scanner(Box(BoxFiles(copy), SystemClock(), config, state))
    assert (found.level, found.reason) == (Level.WARNING, Reason.SCANNER_CAPS_LOCK)


async def test_old_lists_are_a_warning(world: World, copy: Path) -> None:
    """With their age and size; the counter works on."""
    state = await OneBox().read_state()
    config = read_box_config(BoxFiles(copy))
    for lists, reason in (
        (ListsView(60, 3, 4), None),
        (ListsView(90_000, 3, 4, advise(Reason.LIST_OLD)), Reason.LIST_OLD),
        (ListsView(advice=advise(Reason.LIST_MISSING)), Reason.LIST_MISSING),
    ):
        told = msgspec.structs.replace(state, lists=lists)
        (found,) = await look_at_lists(Box(BoxFiles(copy), SystemClock(), config, told))
        assert (found.name, found.reason) == ("lists", reason)
        assert found.level is (Level.WARNING if reason else Level.OK)
        assert ("3 revoked" in found.fact) is (lists.age_seconds is not None)
    assert await look_at_lists(Box(BoxFiles(copy), SystemClock(), config, None)) == []


def test_layers_above_a_broken_one_are_not_judged(copy: Path) -> None:
    """A closed port says nothing of certificates."""
    text = (copy / "box.toml").read_text()
    place = text.index("[broker]")
    (copy / "box.toml").write_text(text[:place] + text[place:].replace("port = ", "port = 1 # ", 1))
    _, found = look(copy)
    assert "broker-tls" not in found
    assert "broker-mqtt" not in found


def test_another_authority_is_not_believed(world: World, copy: Path) -> None:
    """The broker's certificate by an authority that this box does not know."""
    foreign = world.central_directory / "pki/central-ca.pem"
    (copy / "ca.pem").write_bytes(foreign.read_bytes())
    code, found = look(copy)
    assert code == Exit.CHECK_FAILED
    assert found["broker-tls"]["reason"] == Reason.BROKER_NOT_TRUSTED
    assert found["clock"]["level"] == "failed"


def test_a_damaged_queue_fails(copy: Path) -> None:
    """What is no database is not taken for an empty one."""
    for file in copy.glob("queue.db*"):
        file.unlink()
    (copy / "queue.db").write_bytes(b"no database" * 1000)
    code, found = look(copy)
    assert code == Exit.CHECK_FAILED
    assert found["queue"]["reason"] == Reason.STORE_DAMAGED


def test_a_box_that_has_not_joined_says_so(tmp_path: Path) -> None:
    """No box.toml: one clear cause, and nothing that only follows from it."""
    code, found = look(tmp_path)
    assert code == Exit.CHECK_FAILED
    assert found["configuration"]["reason"] == Reason.CONFIG_MISSING
    failing = [name for name, each in found.items() if each["level"] == "failed"]
    assert failing == ["configuration"]
