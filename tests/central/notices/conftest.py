"""A centre at a broker, as ingest's tests have it."""

from tests.central.ingest.conftest import wire

__all__ = ["wire"]
