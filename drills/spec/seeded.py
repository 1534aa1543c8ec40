"""Values that a run's seed decides: a fixed one, ``{between: [a, b]}``, or a bare list of which one is taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from drills.spec.reader import Node, describe


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """The same in every run."""

    value: Any


class Between(msgspec.Struct, frozen=True, tag="between"):
    """Uniform in ``[low, high]``; a whole number when both are."""

    low: int | float
    high: int | float


class OneOf(msgspec.Struct, frozen=True, tag="one-of"):
    """One of these, equally likely."""

    values: tuple[Any, ...]


Draw = Fixed | Between | OneOf


def drawn(node: Node, read: Callable[[Node], Any]) -> Draw:
    """Read a value or a range of values; ``read`` reads a single one and raises BadInput."""
    if isinstance(node.value, dict) and "between" in node.value:
        return _between(node.fields(("between",))["between"], read)
    if isinstance(node.value, list):
        return OneOf(tuple(read(item) for item in node.items("a list to draw one from", least=1)))
    return Fixed(read(node))


def _between(node: Node, read: Callable[[Node], Any]) -> Between:
    ends = node.items("a list of two, [lowest, highest]")
    if len(ends) != 2:
        raise node.expected("a list of two, [lowest, highest]")
    low, high = (read(end) for end in ends)
    for end, value in zip(ends, (low, high), strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise end.bad(f"{end.name}: found {describe(value)}; only numbers and times have a between")
    if not low < high:
        raise node.bad(f"{node.name}: the first must be less than the second")
    return Between(low, high)


def extremes(draw: Draw) -> tuple[Any, ...]:
    """The values that must be valid for every draw to be: both ends of a range, each of a list."""
    if isinstance(draw, Between):
        return (draw.low, draw.high)
    return draw.values if isinstance(draw, OneOf) else (draw.value,)


def corners(params: Mapping[str, Draw]) -> Iterator[dict[str, Any]]:
    """Parameter sets that together show each extreme of each parameter at least once."""
    values = {name: extremes(draw) for name, draw in params.items()}
    for turn in range(max(map(len, values.values()), default=1)):
        yield {name: found[min(turn, len(found) - 1)] for name, found in values.items()}


def sample(draw: Draw, rng: random.Random) -> Any:
    """Draw one value; a fixed one consumes nothing of ``rng``."""
    if isinstance(draw, Fixed):
        return draw.value
    if isinstance(draw, OneOf):
        return rng.choice(draw.values)
    if isinstance(draw.low, int) and isinstance(draw.high, int):
        return rng.randint(draw.low, draw.high)
    return rng.uniform(draw.low, draw.high)
