"""The world of the fault tests, one for each module."""

from tests.faults.conftest import world

__all__ = ["world"]
