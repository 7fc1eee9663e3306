"""The renderer of a test run: Node starts once."""

from collections.abc import Iterator

import pytest

from tests.labels.renderer import ZplRenderer


@pytest.fixture(scope="session")
def renderer() -> Iterator[ZplRenderer]:
    with ZplRenderer() as made:
        yield made
