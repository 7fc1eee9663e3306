"""Documents say what is so: links lead somewhere, commands exist, the message page is current."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


def read(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def list_layers() -> Iterator[str]:
    """Every package of the agent, and every feature of central."""
    for side in ("agent", "central"):
        yield from (
            f"{side}/{folder.name}"
            for folder in (ROOT / side).iterdir()
            if (folder / "__init__.py").is_file()
        )


def test_message_page_is_what_the_code_says() -> None:
    """docs/messages.md names every message, field and topic as they are in the code now."""
    build_page = runpy.run_path(str(ROOT / "docs/build_messages.py"))["build_page"]
    assert read("docs/messages.md") == build_page(), "run: python docs/build_messages.py"


@pytest.mark.parametrize("page", NAMES)
def test_links_lead_somewhere(page: str) -> None:
    """Each relative link of a page is a file or folder of the project."""
    for target in re.findall(r"\]\(([^)#]+)", read(page)):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", NAMES)
def test_named_make_targets_exist(page: str) -> None:
    """A page names no ``make`` target that the Makefile lacks."""
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", read(page))) <= targets


def test_readme_opens_with_the_one_apt_line() -> None:
    """README's first line installs exactly what a new machine gets before the checks run."""
    packages = read("requirements/apt.txt").split()
    assert packages == sorted(packages)
    assert f"apt-get install -y {' '.join(packages)}`" in read("README.md").splitlines()[0]


def test_readme_names_every_folder() -> None:
    """The layout table has each top-level folder that is kept."""
    for folder in ("agent", "central", "demo", "docs", "requirements", "shared", "tests"):
        assert f"| `{folder}/` |" in read("README.md")


def test_every_layer_stands_in_the_architecture() -> None:
    """Each package of the agent and each feature of central is in the layer table."""
    table = read("ARCHITECTURE.md")
    assert not [layer for layer in list_layers() if f"`{layer}`" not in table]


def test_decisions_are_numbered_and_whole() -> None:
    """ADRs count up from 0001; each has status, context, decision and consequences."""
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    for number, record in enumerate(records, start=1):
        text = record.read_text(encoding="utf-8")
        assert record.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number:04d}: ")
        for part in ("Status: ", "## Context", "## Decision", "## Consequences"):
            assert part in text, record.name
