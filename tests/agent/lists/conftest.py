"""The fixtures of this package: a box's lists over the answers of a real centre."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.agent.lists.box import ListBox, open_list_box
from tests.central.lists.centre import ListCentre, open_list_centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[ListCentre]:
    (tmp_path / "central").mkdir()
    with open_list_centre(tmp_path / "central") as centre:
        yield centre


@pytest.fixture
async def box(centre: ListCentre, tmp_path: Path) -> AsyncIterator[ListBox]:
    async with open_list_box(tmp_path, centre) as box:
        yield box
