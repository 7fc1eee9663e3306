"""What holds for every test."""

import pytest
from hypothesis import settings

# A busy machine is no finding: examples are judged by what they do, not by how long they take.
settings.register_profile("onecode", deadline=None)
settings.load_profile("onecode")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take whole files, so that what a file sets up is set up once; the demonstrations,
    which look for the same ports, are one file to them."""
    for item in items:
        name = item.path.name if item.path.name == "test_demo.py" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(name))
