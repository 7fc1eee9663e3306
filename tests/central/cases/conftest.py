"""Central's features on a real database, and two boxes that are of the fleet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.crypto import STD
from tests.central.people import BOX, OTHER_BOX, People, open_people


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    with open_people(tmp_path) as people:
        for box in (BOX, OTHER_BOX):
            people.add_box(box, STD.new_signing_key())
        yield people
