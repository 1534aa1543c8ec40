"""The edge's rate limit: a bucket of tokens, one a request, refilled at the rate up to a second's worth."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimit:
    """``per_s`` requests a second are let in; 0: all of them."""

    def __init__(self, per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.set(per_s)

    def set(self, per_s: int) -> None:
        """Another rate from now on, beginning with a full bucket."""
        self.per_s = per_s
        self._tokens = float(max(per_s, 1))
        self._at = self._clock()

    def admits(self) -> bool:
        """Whether the request that has come now is let in."""
        if not self.per_s:
            return True
        now = self._clock()
        self._tokens = min(max(self.per_s, 1.0), self._tokens + (now - self._at) * self.per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
