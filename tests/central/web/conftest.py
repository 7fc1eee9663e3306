"""The fixtures of this package: a served centre with a small world in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.central.web.seeding import World, make_world
from tests.central.web.serving import Served, make_centre, serve_web


@pytest.fixture
def world(tmp_path: Path) -> World:
    make_centre(tmp_path / "centre")
    return make_world(tmp_path / "centre", persons=2)


@pytest.fixture
async def served(tmp_path: Path, world: World) -> AsyncIterator[Served]:
    async with serve_web(tmp_path / "centre") as served:
        yield served
