"""The fixture of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.lists.centre import ListCentre, open_list_centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[ListCentre]:
    with open_list_centre(tmp_path) as centre:
        yield centre
