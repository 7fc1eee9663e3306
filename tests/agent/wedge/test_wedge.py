"""The wedge as a PC runs it, against a box's real door: what it types, and what it says when it
cannot.
"""

import asyncio
import os
import stat
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.counter.states import ScanState
from agent.counter.views import ScanView
from agent.handover.door import Door
from agent.wedge.line import listen, parse_address, parse_fingerprint
from agent.wedge.profile import Profile, read_profile
from shared.clock import SystemClock
from shared.errors import Malformed, NotAuthentic
from shared.exits import Exit
from shared.ids import new_record_id
from shared.messages import Identity, RecordNumber, Verdict
from tests.agent.handover.network import PairedBox, base_of, opened

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FOREIGN = "https://qr.example/支付?a=1&b=%20#8"
PERSON = Identity(
    "张*三", "", "1", "", "P0000000017", (RecordNumber("outpatient", "MZ2026001734"),)
)


async def start(*arguments: str | Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent.wedge", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def pair_by_command(door: Door, profile: Path) -> Process:
    """Pair as a technician does; the ended process."""
    view = await door.open_window()
    pairing = await start(
        "--profile", profile, "pair", f"{base_of(view)}/pair", "--fingerprint", view.fingerprint
    )
    await pairing.communicate(f"{view.code}\n".encode())
    return pairing


async def words(process: Process, wanted: str) -> None:
    """Return once the process has said this."""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if wanted in line:
            return
    raise AssertionError(f"it ended without saying {wanted!r}")


async def typed(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip("\n")


@asynccontextmanager
async def running(profile: Path, *arguments: str) -> AsyncIterator[Process]:
    process = await start("--profile", profile, "run", "--to", "stdout", *arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def shown(verdict: Verdict | None, identity: Identity | None = PERSON) -> ScanView:
    now = SystemClock().now()
    return ScanView(new_record_id(now).hex, now.isoformat(), ScanState.SHOWN, None, verdict,
                    identity=identity)  # fmt: skip


def hand_on(door: Door, text: str) -> int:
    now = SystemClock().now()
    return door.hand_on(new_record_id(now), now, text)


async def test_paired_by_code_it_types_what_is_handed_over(tmp_path: Path) -> None:
    """A foreign code exactly as it was read; of a scan the number that was chosen, once."""
    box, profile = PairedBox(), tmp_path / "profile" / "wedge.json"
    async with opened(tmp_path, box) as door:
        assert (await pair_by_command(door, profile)).returncode == Exit.HELD
        assert stat.S_IMODE(profile.stat().st_mode) == 0o600
        async with running(profile, "--type", "record-number:outpatient") as wedge:
            await words(wedge, "connected")
            assert hand_on(door, FOREIGN) == 1
            assert await typed(wedge) == FOREIGN
            accepted = shown(Verdict.ACCEPTED)
            for view in (shown(Verdict.REFUSED), accepted, accepted, shown(Verdict.PROVISIONAL)):
                box.scans.tell(view)
            assert await typed(wedge) == "MZ2026001734"
            assert await typed(wedge) == "MZ2026001734"
            hand_on(door, "end")
            assert await typed(wedge) == "end"


async def test_it_comes_again_after_the_boxs_restart(tmp_path: Path) -> None:
    """Said in words that the box is away; then it types as before, without anybody's doing."""
    profile = tmp_path / "wedge.json"
    async with opened(tmp_path) as door:
        await pair_by_command(door, profile)
    port = int(read_profile(profile).address.rpartition(":")[2])
    async with running(profile) as wedge:
        await words(wedge, "box-unreachable")
        async with opened(tmp_path, port=port) as door:
            await words(wedge, "connected")
            hand_on(door, "6901234567892")
            assert await typed(wedge) == "6901234567892"


async def test_a_removed_pairing_is_cut_live(tmp_path: Path) -> None:
    """While it listens: it ends, and says that it is not paired any more."""
    profile = tmp_path / "wedge.json"
    async with opened(tmp_path) as door:
        await pair_by_command(door, profile)
        await door.open_window()  # so that the network stays open
        async with running(profile) as wedge:
            await words(wedge, "connected")
            (one,) = door.list_workstations()
            await door.remove(one.id)
            await words(wedge, "workstation-not-paired")
            assert await wedge.wait() == Exit.CHECK_FAILED
            assert hand_on(door, FOREIGN) == 0


async def test_another_certificate_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """A stranger at the box's address hears neither the token nor the code."""
    profile = tmp_path / "wedge.json"
    async with opened(tmp_path) as door:
        await pair_by_command(door, profile)
        address = read_profile(profile).address
    (tmp_path / "lan.pem").unlink()
    async with opened(tmp_path, port=int(address.rpartition(":")[2])) as door:
        await door.open_window()
        with pytest.raises(NotAuthentic):
            await anext(listen(read_profile(profile)))
        async with running(profile) as wedge:
            await words(wedge, "box-changed")
            assert await wedge.wait() == Exit.CHECK_FAILED


async def test_a_wrong_code_pairs_nobody(tmp_path: Path) -> None:
    """The box's own words, and no profile."""
    profile = tmp_path / "wedge.json"
    async with opened(tmp_path) as door:
        view = await door.open_window()
        pairing = await start(
            "--profile", profile, "pair", base_of(view), "--fingerprint", view.fingerprint
        )
        _, said = await pairing.communicate(b"wrong\n")
        assert (pairing.returncode, b"pairing-code-wrong" in said) == (Exit.CHECK_FAILED, True)
        assert not profile.exists()


async def test_without_a_fingerprint_a_person_compares(tmp_path: Path) -> None:
    """Shown as the counter page shows it; anything but yes ends it."""
    profile = tmp_path / "wedge.json"
    async with opened(tmp_path) as door:
        view = await door.open_window()
        for answer, code in ((b"n\n", Exit.CHECK_FAILED), (b"y\n", Exit.HELD)):
            pairing = await start("--profile", profile, "pair", base_of(view))
            _, said = await pairing.communicate(answer + f"{view.code}\n".encode())
            assert view.fingerprint in said.decode()
            assert (pairing.returncode, profile.exists()) == (code, code is Exit.HELD)


def test_it_needs_the_http_library_alone(tmp_path: Path) -> None:
    """On a PC nothing else of the project's packages has to be there."""
    program = """
import importlib.abc, sys
class Away(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"msgspec", "cryptography", "aiomqtt", "peewee", "cysystemd",
                                  "evdev", "serial", "usb", "segno", "PIL"}:
            raise ImportError(name)
sys.meta_path.insert(0, Away())
from agent.wedge.__main__ import main
from agent.wedge import linux_keys, windows_keys
sys.exit(main(["--profile", sys.argv[1], "run", "--to", "stdout"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "none.json"],
        capture_output=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, b"workstation-not-paired" in done.stderr) == (Exit.CHECK_FAILED, True)


@pytest.mark.parametrize("text", ["http://box", "", "https://", "box:notaport", "ftp://x"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    """Never a connection without TLS."""
    with pytest.raises(Malformed):
        parse_address(text)


def test_addresses_and_fingerprints_as_people_copy_them() -> None:
    """With or without scheme, path, colons and blanks."""
    assert parse_address("192.0.2.7:8701") == "https://192.0.2.7:8701"
    assert parse_address("https://192.0.2.7:8701/pair") == "https://192.0.2.7:8701"
    assert parse_fingerprint("AB:" * 31 + "CD") == "ab" * 31 + "cd"
    with pytest.raises(Malformed):
        parse_fingerprint("AB:CD")


def test_a_profile_never_shows_its_token() -> None:
    """In an error or a log."""
    assert "secret" not in repr(Profile("https://box", "00", "secret"))
