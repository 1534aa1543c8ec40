"""The service level as the api itself sees it, for its gauges: which share of requests is bad right now.

Bad is later than the limit, or a failure that is not the customer's own and not a planned closure; and a request still
in flight after the limit, which is how a stall shows before anything has ended. A planned closure counts as served
here, since who closed the service needs no page for it; what it costs customers is for whoever judges the service.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from targets.brokerage.config import ApiConfig

WINDOWS = ("short", "long")


@dataclass(slots=True)
class ServiceLevel:
    """Requests of one service; times in ns of CLOCK_MONOTONIC."""

    config: ApiConfig
    _ended: deque[tuple[int, bool]] = field(default_factory=deque)
    _flying: dict[int, int] = field(default_factory=dict)
    _count: int = 0

    @property
    def in_flight(self) -> int:
        """Requests begun and not ended."""
        return len(self._flying)

    def begin(self, now: int) -> int:
        """A request has come in; returns its ticket."""
        self._count += 1
        self._flying[self._count] = now
        return self._count

    def end(self, ticket: int, now: int, failed: bool) -> None:
        """The request was answered."""
        late = now - self._flying.pop(ticket) > self._limit
        self._ended.append((now, failed or late))
        while self._ended and now - self._ended[0][0] > self._width("long"):
            self._ended.popleft()

    def bad_ratio(self, window: str, now: int) -> float:
        """Share of bad requests in the window, 0 where there are too few to say."""
        width = self._width(window)
        judged = [bad for at, bad in self._ended if now - at <= width]
        judged += [True for began in self._flying.values() if now - began > self._limit]
        return sum(judged) / len(judged) if len(judged) >= self.config.slo_least_events else 0.0

    def burn(self, now: int) -> float:
        """How many times faster than sustainable the error budget burns: the smaller of both windows."""
        return min(self.bad_ratio(window, now) for window in WINDOWS) / self.config.slo_budget

    def ratios(self, now: int) -> Iterator[tuple[str, float]]:
        """(window, bad ratio) for each window."""
        for window in WINDOWS:
            yield window, self.bad_ratio(window, now)

    @property
    def _limit(self) -> int:
        return int(self.config.slo_latency_s * 1e9)

    def _width(self, window: str) -> int:
        return int((self.config.slo_short_s if window == "short" else self.config.slo_long_s) * 1e9)
