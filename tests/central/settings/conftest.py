"""The fixtures of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from central.config import CentralFiles
from tests.central.ingest.boxes import PaperBox, add_box
from tests.central.ingest.centre import Centre, open_centre
from tests.central.ingest.wire import Wire, prepare_broker


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with open_centre(tmp_path) as centre:
        yield centre


@pytest.fixture
def box(centre: Centre) -> PaperBox:
    return add_box(centre)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    config, broker, authority = prepare_broker(CentralFiles(tmp_path))
    with broker, open_centre(tmp_path, config) as centre:
        yield Wire(centre, broker, authority)
