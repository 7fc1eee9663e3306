"""The fixtures of this package: a served centre with a small world in it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.central.web.seeding import World, make_world
from tests.central.web.serving import Served, make_centre, serve_web


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Made once; each test has a copy."""
    directory = tmp_path_factory.mktemp("made") / "centre"
    make_centre(directory)
    return directory, make_world(directory, persons=2)


@pytest.fixture
def world(tmp_path: Path, made: tuple[Path, World]) -> World:
    """A centre of the test's own in ``tmp_path/centre``."""
    directory, world = made
    shutil.copytree(directory, tmp_path / "centre")
    return world


@pytest.fixture
async def served(tmp_path: Path, world: World) -> AsyncIterator[Served]:
    async with serve_web(tmp_path / "centre") as served:
        yield served
