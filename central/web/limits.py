"""How often one token or one address may ask: a bucket each, in memory, bounded in number. Pure.

A bucket holds ``burst`` requests and fills with ``rate`` a second. When there are too many
buckets the longest unused ones are forgotten: whoever fills the table gains a full bucket, which
is what a new address has anyway.
"""

from collections import OrderedDict

MOST_BUCKETS = 10_000


class Buckets:
    """Buckets by name. ``take`` is given the time, in seconds of any clock that never goes back."""

    def __init__(self, rate: float, burst: float, most: int = MOST_BUCKETS) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: float, cost: float = 1.0) -> float:
        """Take ``cost`` requests; 0 when they were there, else the seconds until they will be."""
        buckets = self._buckets
        left, since = buckets.get(name, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        wait = 0.0
        if left >= cost:
            left -= cost
        else:
            wait = (cost - left) / self._rate
        buckets[name] = (left, now)
        buckets.move_to_end(name)
        if len(buckets) > self._most:
            buckets.popitem(last=False)
        return wait
