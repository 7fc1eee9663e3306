"""A centre that answers, and an empty box directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config import BoxFiles
from tests.agent.enrolment.peer import Peer, serving


@pytest.fixture
def files(tmp_path: Path) -> BoxFiles:
    """Where the box will be."""
    return BoxFiles(tmp_path / "box")


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    """A centre."""
    with serving(Peer(), tmp_path) as peer:
        yield peer
