"""When a volume, or a counter, is used up; said only while it fills steadily: during a large copy it is nonsense."""

from __future__ import annotations

from collections import deque

WINDOW_S = 2.0
LATELY_S = 30.0
STEADY = 2.0
"""The faster half of the window may be at most so many times as fast as the slower one."""


class Forecast:
    """Takes how much is written, again and again; says when nothing more will fit."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, float]] = deque()
        self._last: tuple[float, float] | None = None

    def note(self, at_s: float, used: float) -> None:
        """So many bytes are in use at this instant, in seconds of one clock."""
        self._seen.append((at_s, used))
        while len(self._seen) > 2 and self._seen[1][0] <= at_s - self._window_s:
            self._seen.popleft()
        if (pace := self.per_s()) is not None:
            self._last = at_s, pace

    def last_per_s(self) -> float | None:
        """The last pace that was steady, bytes a second; None where that was long ago, or never."""
        if self._last is None or self._seen[-1][0] - self._last[0] > LATELY_S:
            return None
        return self._last[1]

    def per_s(self) -> float | None:
        """Bytes a second, while both halves of the window agree; None while it does not grow, or not steadily."""
        if not self._seen or self._seen[-1][0] - self._seen[0][0] < self._window_s:
            return None
        first, last = self._seen[0], self._seen[-1]
        middle = min(self._seen, key=lambda each: abs(each[0] - (first[0] + last[0]) / 2))
        halves = sorted((_slope(first, middle), _slope(middle, last)))
        if halves[0] <= 0 or halves[1] > STEADY * halves[0]:
            return None
        return _slope(first, last)

    def seconds_to_full(self, free: float) -> float | None:
        """How long until ``free`` bytes are gone at this pace; None while there is no forecast."""
        pace = self.per_s()
        return None if pace is None else free / pace


def _slope(first: tuple[float, float], last: tuple[float, float]) -> float:
    took = last[0] - first[0]
    return (last[1] - first[1]) / took if took > 0 else 0.0
