"""Handshakes by name: how many began, how many came to their end, the share that did not, how many resumed a session.

To a server a certificate that customers do not accept looks like customers who hang up: what it has of it is the
difference between the two counts, by name.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

WINDOW_S = 2.0
INTERVAL_S = 0.25
LEAST = 3
"""Fewer handshakes than that within the window tell nothing."""


class Handshakes:
    """The counts of each name, and over the last ``WINDOW_S`` the share of those that failed."""

    def __init__(
        self, names: Iterable[str], registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._begun = dict.fromkeys(names, 0)
        self._good = dict.fromkeys(self._begun, 0)
        self._past: deque[tuple[float, dict[str, tuple[int, int]]]] = deque()
        self._counter = Counter("edge_name_accepts", "Handshakes that began", ("name",), registry=registry)
        self._counter_good = Counter("edge_name_accepts_good", "Of these, completed", ("name",), registry=registry)
        self._counter_resumed = Counter(
            "edge_name_resumed", "Of these, of a session of before", ("name",), registry=registry
        )
        self._ratio = Gauge(
            "edge_handshake_failure_ratio", f"Of the last {WINDOW_S:g} s, failed", ("name",), registry=registry
        )
        for name in self._begun:
            self._counter.labels(name), self._counter_good.labels(name), self._ratio.labels(name)
            self._counter_resumed.labels(name)
        self.look()

    def begun(self, name: str) -> None:
        """Somebody asks for this name."""
        self._begun[name] += 1
        self._counter.labels(name).inc()

    def good(self, name: str, *, resumed: bool = False) -> None:
        """The handshake came to its end; ``resumed``: nothing was shown in it."""
        self._good[name] += 1
        self._counter_good.labels(name).inc()
        if resumed:
            self._counter_resumed.labels(name).inc()

    def look(self) -> None:
        """Keep the counts as of now, and the share up to date."""
        now = self._clock()
        self._past.append((now, {name: (self._begun[name], self._good[name]) for name in self._begun}))
        while len(self._past) > 1 and self._past[1][0] <= now - WINDOW_S:
            self._past.popleft()
        for name in self._begun:
            self._ratio.labels(name).set(self.failed(name))

    def failed(self, name: str) -> float:
        """Of the handshakes that began within the window; 0 where they were too few."""
        begun, good = self._past[0][1][name]
        new = self._begun[name] - begun
        return max(0.0, 1 - (self._good[name] - good) / new) if new >= LEAST else 0.0
