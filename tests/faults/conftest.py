"""The world of the fault tests: one for each module; its rows add up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A broker, a central and a box that run."""
    directory: Path = tmp_path_factory.mktemp("world")
    with World(directory) as world:
        yield world
