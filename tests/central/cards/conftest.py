"""The fixture of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.people import People, open_people


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    with open_people(tmp_path) as people:
        yield people
