"""Instants and durations with their uncertainty: closed intervals in integer nanoseconds, and the one rounding rule."""

from __future__ import annotations

from typing import NamedTuple

_MS = 1_000_000


class Interval(NamedTuple):
    """Something lies between ``earliest`` and ``latest``, both in ns (an instant, or the length of a span)."""

    earliest: int
    latest: int

    def since(self, start: Interval) -> Interval:
        """The span from ``start`` to this instant; negative where this one came first."""
        return Interval(self.earliest - start.latest, self.latest - start.earliest)

    def widened(self, by: int) -> Interval:
        """Both ends moved outwards by ``by`` ns."""
        return Interval(self.earliest - by, self.latest + by)

    def seconds(self, zero: int = 0) -> tuple[float, float]:
        """Both ends in seconds since ``zero``, rounded."""
        return seconds(self.earliest - zero), seconds(self.latest - zero)


NOTHING = Interval(0, 0)
"""The span of what never had to happen."""


def point(t: int) -> Interval:
    """An instant that was stamped where it happened."""
    return Interval(t, t)


def later(intervals: list[Interval]) -> Interval:
    """The instant by which all of them have happened."""
    return Interval(max(i.earliest for i in intervals), max(i.latest for i in intervals))


def seconds(ns: int) -> float:
    """Nanoseconds as seconds with three decimals, halves upwards: the only rounding anywhere on a card."""
    return ((ns + _MS // 2) // _MS) / 1000
