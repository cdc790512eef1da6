"""How often an account may call: a bucket of tokens for each account and class of operations.

A bucket holds `burst` tokens and gains `per_second`; a call takes one. Buckets are this process's own: several API
processes allow several times as much. Time is an argument, in seconds of a clock that only moves forward.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Final, Literal

from msgspec import Struct

from openinspector.model.resource import AccountId

Class = Literal["read", "write", "heavy", "ingest"]


class Rate(Struct, frozen=True, kw_only=True):
    """How many calls at once, and how many a second in the long run. Both are above 0."""

    burst: float
    per_second: float


# Well above what a person or a tool needs (a paging client makes some 30 calls a second), well below what hurts.
DEFAULT_RATES: Final[Mapping[Class, Rate]] = {
    "read": Rate(burst=400, per_second=200),
    "write": Rate(burst=200, per_second=50),
    "heavy": Rate(burst=100, per_second=20),
    "ingest": Rate(burst=1000, per_second=200),
}
MOST_BUCKETS: Final = 40_000  # the one longest unused is forgotten, which only ever gives an account more


class Throttle:
    """The buckets of one process. Safe to use from several threads."""

    def __init__(self, rates: Mapping[Class, Rate] = DEFAULT_RATES, most_buckets: int = MOST_BUCKETS) -> None:
        self._rates = rates
        self._most_buckets = most_buckets
        self._buckets: OrderedDict[tuple[AccountId, Class], tuple[float, float]] = OrderedDict()  # tokens, at
        self._lock = Lock()

    def take(self, account: AccountId, class_: Class, now: float) -> int:
        """0 where the call may go on, else after how many whole seconds (1 at least) to try again."""
        rate = self._rates[class_]
        with self._lock:
            tokens, at = self._buckets.get((account, class_), (rate.burst, now))
            tokens = min(rate.burst, tokens + max(now - at, 0.0) * rate.per_second)
            admitted = tokens >= 1
            self._buckets[account, class_] = (tokens - admitted, max(now, at))
            self._buckets.move_to_end((account, class_))
            if len(self._buckets) > self._most_buckets:
                self._buckets.popitem(last=False)
        return 0 if admitted else max(1, math.ceil((1 - tokens) / rate.per_second))
