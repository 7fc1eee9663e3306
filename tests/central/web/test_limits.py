"""Buckets: how often one name may ask, and how many names are known."""

from central.web.limits import Buckets


def test_a_bucket_empties_and_fills() -> None:
    """A burst, then the rate; the answer is the seconds to wait."""
    buckets = Buckets(rate=2.0, burst=3.0)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take("a", 0.5) == 0.0
    assert buckets.take("b", 0.5) == 0.0
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_what_costs_more_empties_faster() -> None:
    """Where a secret may be guessed one request takes several."""
    buckets = Buckets(rate=1.0, burst=10.0)
    assert [buckets.take("a", 0.0, 5.0) for _ in range(3)] == [0.0, 0.0, 5.0]


def test_names_are_bounded() -> None:
    """A flood of names takes no more memory than is allowed; the oldest are forgotten."""
    buckets = Buckets(rate=1.0, burst=1.0, most=3)
    for name in "abcd":
        assert buckets.take(name, 0.0) == 0.0
    assert buckets.take("a", 0.0) == 0.0  # forgotten, so full again
    assert buckets.take("d", 0.0) == 1.0
