"""What holds for every test."""

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, LoadScopeScheduling

# A busy machine is no finding: examples are judged by what they do, not by how long they take.
settings.register_profile("onecode", deadline=None)
settings.load_profile("onecode")

_DEMONSTRATION = "test_demo.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the random part is, and which one: ``make faults ARGS="--kills 1000 --seed 7"``."""
    parser.addoption("--kills", type=int, default=10, help="random kills of box and central")
    parser.addoption("--seed", type=int, default=1, help="of the first random kill")
    parser.addoption("--cuts", type=int, default=24, help="power cuts of the whole agent")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """A file's tests stay together, for they share what was dear to start."""
    return _ByFile(config, log)


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        # Demonstrations look for the same ports, so one follows the other.
        return _DEMONSTRATION if file.endswith(_DEMONSTRATION) else file
