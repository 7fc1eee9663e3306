"""The table of kills is whole: no edge of any state machine is without one, or without a reason."""

import pytest

from tests.agent.offline_queue.test_crash import KILLED_EDGES as QUEUE_KILLS
from tests.faults import test_joining, test_killed, test_prints, test_settings, test_temporary
from tests.faults.edges import NOT_KILLED, PARTS, name_edges
from tests.faults.test_old_databases import KILLED_EDGES as MIGRATION_KILLS

KILLED = {
    *test_killed.BOX_EDGES,
    *test_killed.CENTRAL_EDGES,
    *test_temporary.ALONE_EDGES,
    *test_temporary.RETURN_EDGES,
    *test_temporary.CENTRAL_EDGES,
    *(edge for edge, _ in test_settings.EDGES),
    *(f"printing:{edge}" for edge in test_prints.ENDS),
    *(f"join:{edge}" for edge in (*test_joining.JOINING, *test_joining.RENEWING)),
    *(f"queue:{edge}" for edge in QUEUE_KILLS),
    *(f"file:{edge}" for edge in MIGRATION_KILLS),
}


@pytest.mark.parametrize("part", PARTS)
def test_fault_01_every_edge_is_killed_at(part: str) -> None:
    """Or says why not."""
    assert name_edges(part) - KILLED == {each for each in NOT_KILLED if each.startswith(part)}


def test_the_table_names_edges_that_exist() -> None:
    """A renamed edge would be killed at never."""
    assert KILLED | NOT_KILLED.keys() <= {each for part in PARTS for each in name_edges(part)}
