"""No fault of the list is without a test, and no test that the list names is gone."""

import ast
from pathlib import Path

import pytest

from tests.faults.index import FAULTS

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {*range(1, 15), *range(20, 24)}


def test_every_fault_has_its_tests() -> None:
    """Those that concern box, broker and ingest."""
    assert set(FAULTS) == NUMBERS


@pytest.mark.parametrize("number", FAULTS)
def test_the_tests_are_there(number: int) -> None:
    """Under the names that the index gives."""
    for each in FAULTS[number].tests:
        file, _, name = each.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, kinds)}, each
