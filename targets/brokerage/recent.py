"""What has been going on lately: how much of it, and which share of what ended went one way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class RecentRate:
    """How many a second, over the last ``window_s`` seconds."""

    def __init__(self, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s, self._clock = window_s, clock
        self._came: deque[float] = deque()

    def note(self) -> None:
        """One more."""
        self._came.append(self._clock())

    def per_s(self) -> float:
        """0 and more."""
        while self._came and self._came[0] < self._clock() - self._window_s:
            self._came.popleft()
        return len(self._came) / self._window_s


class RecentShare:
    """Of the last ``window_s`` seconds; 0 while there are fewer than ``least`` to say."""

    def __init__(self, window_s: float, least: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s, self._least, self._clock = window_s, least, clock
        self._ended: deque[tuple[float, bool]] = deque()

    def note(self, went: bool) -> None:
        """One more has ended, and went that way or not."""
        self._ended.append((self._clock(), went))

    def ratio(self) -> float:
        """From 0 to 1."""
        while self._ended and self._ended[0][0] < self._clock() - self._window_s:
            self._ended.popleft()
        if len(self._ended) < self._least:
            return 0.0
        return sum(went for _, went in self._ended) / len(self._ended)

    def clear(self) -> None:
        """Forget all of it."""
        self._ended.clear()
