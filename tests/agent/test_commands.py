"""``onecode-agent`` as a technician runs it: what cannot be is said in words, with an exit code."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config import BoxFiles, read_box_config
from shared.config import write_secret
from shared.crypto import STD
from shared.errors import Malformed
from shared.exits import Exit
from shared.reasons import Reason

PATIENCE_SECONDS = 30


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port of loopback on which somebody listens who is not the box."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def directory(tmp_path: Path, busy_port: int) -> Path:
    """A box without devices, whose broker is away."""
    (tmp_path / "box.toml").write_text(
        f"""
        box = "site1/box1"
        counter = "1"
        site_name = "示范医院"
        central_public = "{STD.new_recipient_key().public_bytes.hex()}"
        api_port = {busy_port}
        [broker]
        host = "127.0.0.1"
        port = 1
        [code_keys]
        7 = "{STD.new_signing_key().public_bytes.hex()}"
        """
    )
    for name in ("pair.key", "signing.key"):
        write_secret(tmp_path / name, os.urandom(32))
    return tmp_path


def run(directory: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "agent", "--dir", directory, *arguments],
        input=given,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_a_busy_port_is_said_in_words(directory: Path) -> None:
    """It comes out of the box's task group: no traceback, the reason and the cure."""
    done = run(directory, "run")
    assert b"port-busy" in done.stderr
    assert "换一个端口".encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == Exit.UNAVAILABLE


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ('central_public = "', 'central_public = "zz', "central_public"),
        ('7 = "', 'seven = "', "code_keys"),
        ('7 = "', '7 = "00', "code_keys"),
        ("port = 1\n", "port = 70000\n", "broker.port"),
        ("counter =", "epoch = -1\ncounter =", "epoch"),
        ("counter =", "ask_deadline_ms = 0\ncounter =", "ask_deadline_ms"),
    ],
)
def test_a_mistyped_configuration_names_its_place(
    directory: Path, right: str, wrong: str, place: str
) -> None:
    """A key or a number that cannot be one is found before anything runs, not by a crash."""
    files = BoxFiles(directory)
    text = files.config.read_text(encoding="utf-8")
    assert right in text
    files.config.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(Malformed) as refusal:
        read_box_config(files)
    assert refusal.value.reason is Reason.CONFIG_MALFORMED
    assert place in refusal.value.detail
