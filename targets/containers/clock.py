"""Whether containers stamp with this machine's CLOCK_MONOTONIC: looked at, never corrected.

A stamp made in a container lies between one taken here before it was asked for and one taken here when it had come.
On another clock, such as that of a virtual machine or of a time namespace, it lies outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from targets.target import TargetError

LOOKS = 5


@dataclass(frozen=True, slots=True)
class Bracket:
    """Three stamps in the order in which they were taken, ns: here, in the container, here."""

    before: int
    inside: int
    after: int

    @property
    def holds(self) -> bool:
        """Whether the container's can be of this machine's clock."""
        return self.before <= self.inside <= self.after

    @property
    def width(self) -> int:
        """How far the two clocks could differ without being seen to, ns."""
        return self.after - self.before

    @property
    def off(self) -> int:
        """How far outside the container's stamp lies, ns; above 0 it is ahead, below behind."""
        return max(self.inside - self.after, 0) + min(self.inside - self.before, 0)


def brackets(stamp: Callable[[], int], looks: int = LOOKS) -> list[Bracket]:
    """Some in a row; ``stamp`` asks a container for its CLOCK_MONOTONIC."""
    return [Bracket(time.monotonic_ns(), stamp(), time.monotonic_ns()) for _ in range(looks)]


def shared(seen: list[Bracket]) -> str:
    """That all of them hold, with the narrowest one's width; TargetError with how far the worst is off if one does not.

    For the card.
    """
    worst = max(seen, key=lambda each: abs(each.off))
    if not worst.holds:
        raise TargetError(
            f"containers have another clock than this machine: a stamp made inside lies {abs(worst.off) / 1e6:.3f} ms "
            f"{'after' if worst.off > 0 else 'before'} the moment at which it was made, so no instant of theirs can be"
            " dated; run the engine on this very machine, not in a virtual one or another time namespace"
        )
    narrowest = min(each.width for each in seen)
    return f"CLOCK_MONOTONIC shared with containers, {len(seen)} looks, to within {narrowest / 1e6:.3f} ms"
