"""The shipped box with its door: ``onecode-agent`` pairs, lists and removes, and the sockets of
the running process say when the network is open.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.api.views import PairingView
from agent.handover.certificate import load_identity
from shared.clock import SystemClock
from shared.config import write_secret
from shared.crypto import STD
from shared.exits import Exit
from tests.agent.handover.network import pair

PATIENCE_SECONDS = 60


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A box whose broker is away, with a reader of cards that is not plugged in."""
    (tmp_path / "box.toml").write_text(
        f"""
        box = "site1/box1"
        counter = "1"
        site_name = "示范医院"
        central_public = "{STD.new_recipient_key().public_bytes.hex()}"
        api_port = {free_port()}
        [broker]
        host = "127.0.0.1"
        port = 1
        [code_keys]
        7 = "{STD.new_signing_key().public_bytes.hex()}"
        [lan]
        port = 0
        [document_reader]
        kind = "sam-v"
        path = "reader"
        """
    )
    for name in ("pair.key", "signing.key"):
        write_secret(tmp_path / name, os.urandom(32))
    # Nobody is there to whom it could prove itself: any certificate does.
    identity = load_identity(tmp_path / "box.pem", ["box"], SystemClock().now())
    (tmp_path / "ca.pem").write_bytes(identity.partition(b"-----BEGIN PRIVATE KEY")[0])
    return tmp_path


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A box that answers."""
    with (directory / "box.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "--dir", directory, "run", "--log-level", "DEBUG"],
            stderr=log,
        )
    try:
        while command(directory, "workstations").returncode == Exit.UNAVAILABLE:
            assert process.poll() is None, (directory / "box.log").read_text()
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", "--dir", directory, *arguments],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        text=True,
    )


def listens_on(pid: int) -> set[str]:
    """Hex addresses on which a process listens."""
    inodes = {
        str(fd.readlink()).removeprefix("socket:[").removesuffix("]")
        for fd in Path(f"/proc/{pid}/fd").iterdir()
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


async def test_a_technician_pairs_from_the_command_line(directory: Path) -> None:
    """Loopback alone until ``pair``; then a workstation pairs, is listed, and is removed."""
    with running(directory) as box:
        assert listens_on(box.pid) == {"0100007F"}
        assert command(directory, "workstations").stdout == ""
        shown = command(directory, "pair")
        assert (shown.returncode, "指纹" in shown.stdout) == (Exit.HELD, True), shown.stderr
        view = PairingView(**json.loads(command(directory, "pair", "--json").stdout))
        assert listens_on(box.pid) == {"0100007F", "00000000"}
        await pair(view, "药房 2 号")
        (one,) = json.loads(command(directory, "workstations", "--json").stdout)
        assert one["name"] == "药房 2 号"
    with running(directory) as box:
        assert "药房 2 号" in command(directory, "workstations").stdout
        assert command(directory, "workstations", "--remove", one["id"]).stdout == ""
        again = command(directory, "workstations", "--remove", one["id"])
        assert (again.returncode, "not-found" in again.stderr) == (Exit.CHECK_FAILED, True)
        while listens_on(box.pid) != {"0100007F"}:
            command(directory, "workstations")


def test_nothing_of_pairing_is_loaded_before_it_is_wanted() -> None:
    """The box's memory is small: the door alone stands in it."""
    program = """
import sys, agent.app
wrong = [name for name in sys.modules if name.startswith("agent.handover.")]
assert wrong == ["agent.handover.door"], wrong
assert "agent.drivers.document_reader" not in sys.modules
assert "cryptography.x509" not in sys.modules
assert "aiohttp" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_SECONDS)
