"""Print states: one table, complete, and never a way back to sending."""

from shared.devices import PRINT_STEPS, PrintState


def test_every_state_has_its_row() -> None:
    """And every step leads to a state of the table."""
    assert set(PRINT_STEPS) == set(PrintState)
    assert all(steps <= set(PrintState) for steps in PRINT_STEPS.values())


def test_nothing_is_resent_by_itself() -> None:
    """Only a queued label is sent; once bytes have left, no state leads back."""
    assert [state for state, to in PRINT_STEPS.items() if PrintState.SENDING in to] == [
        PrintState.QUEUED
    ]
    assert not any(PrintState.QUEUED in to for to in PRINT_STEPS.values())


def test_failed_means_that_no_byte_has_left() -> None:
    """So nothing that was sent, and nothing of unknown outcome, ever becomes FAILED."""
    can_fail = {state for state, to in PRINT_STEPS.items() if PrintState.FAILED in to}
    assert can_fail == {PrintState.QUEUED, PrintState.SENDING}


def test_doubt_ends_only_with_proof() -> None:
    """UNKNOWN becomes CONFIRMED, or stays; CONFIRMED and FAILED are ends."""
    assert PRINT_STEPS[PrintState.UNKNOWN] == {PrintState.CONFIRMED}
    assert PRINT_STEPS[PrintState.CONFIRMED] == frozenset()
    assert PRINT_STEPS[PrintState.FAILED] == frozenset()


def test_every_state_can_be_reached() -> None:
    """From QUEUED on."""
    reached, open_states = set[PrintState](), {PrintState.QUEUED}
    while open_states:
        reached |= open_states
        open_states = {to for state in open_states for to in PRINT_STEPS[state]} - reached
    assert reached == set(PrintState)
