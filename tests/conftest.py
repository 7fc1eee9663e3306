"""What holds for every test."""

import pytest
from hypothesis import settings

# A busy machine is no finding: examples are judged by what they do, not by how long they take.
settings.register_profile("onecode", deadline=None)
settings.load_profile("onecode")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the random part is, and which one: ``make faults ARGS="--kills 1000 --seed 7"``."""
    parser.addoption("--kills", type=int, default=10, help="random kills of box and central")
    parser.addoption("--seed", type=int, default=1, help="of the first random kill")
    parser.addoption("--cuts", type=int, default=24, help="power cuts of the whole agent")
