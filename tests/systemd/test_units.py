"""The services as systemd itself judges them, and what ``make install`` puts where."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "systemd"
UNITS = sorted(unit.name for unit in FOLDER.glob("*.service"))
MOST_EXPOSED = 2.0
COMMANDS = {"onecode-agent": "agent", "onecode-central": "central"}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run to the end; the output is kept, a failure is shown with it."""
    done = subprocess.run(
        [*map(str, command)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root directory with both sides installed."""
    root = tmp_path_factory.mktemp("root")
    run("make", "-C", ROOT, "install", f"DESTDIR={root}")
    yield root
    run("make", "-C", ROOT, "uninstall", f"DESTDIR={root}")
    assert not [path for path in root.rglob("*") if path.is_file()], "uninstall left files"


def test_all_three_services_are_there() -> None:
    """Box, central and broker each have a unit that tells systemd when it is ready."""
    assert {"onecode-agent.service", "onecode-central.service", "onecode-broker.service"} <= set(
        UNITS
    )
    for unit in ("onecode-agent", "onecode-central"):
        text = (FOLDER / f"{unit}.service").read_text()
        assert "Type=notify" in text
        assert "WatchdogSec=" in text


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_exposes_little(unit: str) -> None:
    """``systemd-analyze security`` gives at most 2.0."""
    report = run("systemd-analyze", "security", "--offline=true", FOLDER / unit).stdout
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", report)
    assert exposure, report
    assert float(exposure[1]) <= MOST_EXPOSED, report


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_one_that_systemd_understands(unit: str, installed: Path, tmp_path: Path) -> None:
    """``systemd-analyze verify`` has nothing to say of the installed unit."""
    text = (installed / "usr/lib/systemd/system" / unit).read_text()
    for command in COMMANDS:
        text = text.replace(f"/usr/bin/{command}", str(installed / "usr/bin" / command))
    # What it wants of others is not installed here, only below the test's root.
    text = re.sub(r"^(Wants|After|Requires|Requisite)=.*$", "", text, flags=re.MULTILINE)
    text = text.replace("file:///usr/share", f"file://{installed}/usr/share")
    copy = tmp_path / unit
    copy.write_text(text)
    report = run("systemd-analyze", "verify", "--man=no", copy)
    assert not report.stdout + report.stderr


@pytest.mark.parametrize(("command", "package"), COMMANDS.items())
def test_an_installed_command_starts_from_its_own_library(
    command: str, package: str, installed: Path
) -> None:
    """Each side runs from what was installed for it, and holds nothing of the other."""
    side = {"agent": "box", "central": "central"}[package]
    library = installed / "usr/lib/onecode" / side
    launcher = (installed / "usr/bin" / command).read_text()
    assert f'"/usr/lib/onecode/{side}"' in launcher
    start = (
        f"import sys; sys.path.insert(0, {str(library)!r}); import {package}.__main__ as m;"
        " print(m.__file__); sys.exit(m.main(['--help']))"
    )
    shown = run(sys.executable, "-I", "-S", "-c", start).stdout
    assert shown.splitlines()[0] == str(library / package / "__main__.py")
    other = {"agent": "central", "central": "agent"}[package]
    assert not (library / other).exists()


def test_users_are_what_sysusers_accepts(installed: Path, tmp_path: Path) -> None:
    """``systemd-sysusers`` makes both users in an empty root."""
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", installed / "usr/lib/sysusers.d/onecode.conf")
    users = (tmp_path / "etc/passwd").read_text()
    assert "onecode-box:" in users
    assert "onecode-central:" in users


def test_folders_belong_to_their_service(installed: Path, tmp_path: Path) -> None:
    """``systemd-tmpfiles`` makes each state folder, closed to everyone else."""
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", installed / "usr/lib/sysusers.d/onecode.conf")
    file = installed / "usr/lib/tmpfiles.d/onecode.conf"
    run("systemd-tmpfiles", f"--root={tmp_path}", "--create", file)
    for name in ("onecode-box", "onecode-central"):
        assert (tmp_path / "var/lib" / name).stat().st_mode & 0o777 == 0o700
