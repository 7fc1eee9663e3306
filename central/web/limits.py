"""How often one token or one address may ask: a bucket each, in memory, bounded in number. Pure.

A bucket holds ``burst`` requests and fills with ``rate`` a second. When there are too many
buckets the oldest ones are forgotten: whoever fills the table gains a full bucket, which is what
a new address has anyway.
"""

MOST_BUCKETS = 10_000


class Buckets:
    """Buckets by name. ``take`` is given the time, in seconds of any clock that never goes back."""

    def __init__(self, rate: float, burst: float, most: int = MOST_BUCKETS) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: dict[str, list[float]] = {}

    def take(self, name: str, now: float, cost: float = 1.0) -> float:
        """Take ``cost`` requests; 0 when they were there, else the seconds until they will be."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._add(name, now)
        left = min(self._burst, bucket[0] + (now - bucket[1]) * self._rate)
        bucket[1] = now
        if left < cost:
            bucket[0] = left
            return (cost - left) / self._rate
        bucket[0] = left - cost
        return 0.0

    def _add(self, name: str, now: float) -> list[float]:
        if len(self._buckets) >= self._most:
            del self._buckets[next(iter(self._buckets))]
        bucket = self._buckets[name] = [self._burst, now]
        return bucket
