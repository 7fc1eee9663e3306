"""The fixtures of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.ingest.boxes import PaperBox, add_box
from tests.central.ingest.centre import Centre, open_centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with open_centre(tmp_path) as centre:
        yield centre


@pytest.fixture
def box(centre: Centre) -> PaperBox:
    return add_box(centre)
