"""Where things stand: import rules that import-linter cannot say, locks, and the box alone."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SIDES = ("agent", "central", "shared")
BOX_PYTHON = ROOT / ".venv-box/bin/python"

TABLES = {"shared/words.py"}
"""Files that are one table of data, read entry by entry."""

# One third-party library, one importing file on each side (HOUSE, Who may import whom).
ONE_IMPORTER = {
    "aiomqtt": {"agent/transport/mqtt.py", "central/ingest/mqtt.py"},
    "paho": {"agent/transport/mqtt.py", "central/ingest/mqtt.py"},
    "evdev": {"agent/drivers/scanner_hid.py"},
    "serial": {"agent/drivers/serial_port.py"},
    "usb": {"agent/drivers/printer_usb.py"},
    "pyudev": {"agent/drivers/hotplug.py"},
    "segno": {"shared/qr.py"},
    "cysystemd": {"shared/systemd.py"},
    "psycopg": set[str](),
    "rich": {"central/tables.py"},
    "jinja2": {"central/web/pages.py"},
}


def list_modules(*folders: str) -> list[Path]:
    """Every module of the named top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def list_imports(path: Path) -> Iterator[str]:
    """The dotted names a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(library: str) -> set[str]:
    """The product's files that import a top-level library."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in list_modules(*SIDES)
        if any(name.split(".")[0] == library for name in list_imports(path))
    }


@pytest.mark.parametrize("library", ONE_IMPORTER)
def test_one_library_has_one_importing_file(library: str) -> None:
    """A device or line library is known to the one file that wraps it, and to no other."""
    assert importers(library) <= ONE_IMPORTER[library]


def test_no_feature_reaches_into_anothers_store() -> None:
    """In central a store belongs to its feature; others ask its service.

    What lies beside the features puts them together and is not meant.
    """
    wrong = []
    for path in (ROOT / "central").glob("*/**/*.py"):
        here = path.relative_to(ROOT).parts[1]
        for name in list_imports(path):
            parts = name.split(".")
            foreign = parts[:1] == ["central"] and parts[1:2] != [here]
            if foreign and parts[2:3] == ["store"]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


@pytest.mark.parametrize("noun", ["states.py", "verdicts.py", "link_states.py"])
def test_tables_and_decisions_are_pure(noun: str) -> None:
    """State tables and verdicts do no I/O: they import no database, socket or loop."""
    impure = {"asyncio", "socket", "sqlite3", "peewee", "aiomqtt", "aiohttp", "os", "pathlib"}
    found = [path for path in list_modules("agent", "central") if path.name == noun]
    assert found
    for path in found:
        assert not {name.split(".")[0] for name in list_imports(path)} & impure, path


def test_no_file_is_larger_than_a_reader_can_hold() -> None:
    """Near 400 lines there is a second noun inside (HOUSE, Sizes)."""
    long = [
        path.relative_to(ROOT).as_posix()
        for path in list_modules(*SIDES, "demo", "tests")
        if len(path.read_text(encoding="utf-8").splitlines()) > 400
    ]
    assert set(long) <= TABLES


def test_every_module_says_what_it_is() -> None:
    """A module that holds anything opens with a docstring."""
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in list_modules(*SIDES, "demo", "tests")
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body
        and not ast.get_docstring(tree)
    ]
    assert not silent


def test_every_locked_package_has_a_hash() -> None:
    """Each requirement of each lock is pinned and hashed, and no lock names a host."""
    for lock in ("build", "box", "central", "dev"):
        text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
        entries = re.split(r"\n(?=\S)", text.strip())
        assert entries
        for entry in entries:
            assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry
        assert "://" not in text


def test_box_lock_has_only_the_boxs_packages() -> None:
    """The box is installed without central's packages and never with psycopg."""
    locked = set(
        re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements/box.txt").read_text(), re.MULTILINE)
    )
    assert {"evdev", "pyserial", "pyusb", "segno", "pillow"} <= locked
    assert not locked & {"rich", "psycopg", "psycopg-binary", "asyncpg", "pytest"}


def test_box_environment_stands_alone() -> None:
    """The box's environment imports all of agent, and has no central, rich or psycopg."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in list_modules("agent", "shared")
        if path.name != "__main__.py"
    ]
    program = f"""
import importlib, importlib.util, sys
for name in {modules!r}:
    importlib.import_module(name)
for name in ("central", "rich", "psycopg", "pytest"):
    assert importlib.util.find_spec(name) is None, name
assert "site-packages" in sys.modules["agent"].__file__, sys.modules["agent"].__file__
"""
    done = subprocess.run(
        [BOX_PYTHON, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_box_command_works_in_its_environment() -> None:
    """``onecode-agent`` is installed with the box, and says how it is used."""
    done = subprocess.run(
        [BOX_PYTHON.with_name("onecode-agent"), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout
    assert not BOX_PYTHON.with_name("onecode-central").exists()


def test_box_wheel_carries_what_is_not_python() -> None:
    """Migrations, logo and whatever else lies beside the code come with the installed box."""
    beside = {
        path.relative_to(ROOT).as_posix()
        for folder in ("agent", "shared")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    home = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    missing = {name for name in beside if not (ROOT / ".venv-box" / home / name).is_file()}
    assert not missing


def test_clean_removes_what_git_ignores() -> None:
    """``make clean`` removes exactly what .gitignore names; every stamp lies inside of that."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "clean -fdXq" in makefile
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    for stamp in re.findall(r"^(?:DEV|BOX|NODE|LOCKER) := ([^/\n]+)/", makefile, re.MULTILINE):
        assert f"/{stamp}/" in ignored


def test_commands_are_declared_once() -> None:
    """The command lines of both sides are the project's only scripts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["scripts"]) == {
        "onecode-agent",
        "onecode-central",
        "onecode-wedge",
    }
