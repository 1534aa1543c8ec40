"""Values that a run's seed decides: a fixed one, ``{between: [a, b]}``, or a bare list of which one is taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec

from drills.spec.forms import Kind, Schema, schema_of
from drills.spec.reader import Node, describe
from drills.spec.values import closed, listed
from drills.spec.vocabulary import Vocabulary

Value = TypeVar("Value")


class Fixed(msgspec.Struct, Generic[Value], frozen=True):
    """The same in every run."""

    value: Value


class Between(msgspec.Struct, Generic[Value], frozen=True):
    """Uniform in ``[low, high]``, which are numbers; a whole number when both are."""

    low: Value
    high: Value


class OneOf(msgspec.Struct, Generic[Value], frozen=True):
    """One of these, equally likely."""

    values: tuple[Value, ...]


Draw: TypeAlias = Fixed[Value] | Between[Value] | OneOf[Value]


class _Drawn(Kind):
    """One ``item``, or a range of them, or a list of which one is drawn."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Draw[Any]:
        return drawn(node, lambda each: cls.item.read(each, words))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return ranged(schema_of(cls.item, words))


if TYPE_CHECKING:
    Drawn: TypeAlias = Draw[Value]
else:
    Drawn = _Drawn


def ranged(value: Schema) -> Schema:
    """The schema of one of these, a range of them or a list of which one is drawn."""
    ends = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    return {"anyOf": [value, closed({"between": ends}), listed(value)]}


def drawn(node: Node, read: Callable[[Node], Any]) -> Draw[Any]:
    """Read a value or a range of values; ``read`` reads a single one and raises BadInput."""
    if isinstance(node.value, dict) and "between" in node.value:
        return _between(node.fields(("between",))["between"], read)
    if isinstance(node.value, list):
        return OneOf(tuple(read(item) for item in node.items("a list to draw one from", least=1)))
    return Fixed(read(node))


def _between(node: Node, read: Callable[[Node], Any]) -> Between[Any]:
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


def extremes(draw: Draw[Value]) -> tuple[Value, ...]:
    """The values that must be valid for every draw to be: both ends of a range, each of a list."""
    if isinstance(draw, Between):
        return (draw.low, draw.high)
    return draw.values if isinstance(draw, OneOf) else (draw.value,)


def corners(params: Mapping[str, Draw[Any]]) -> Iterator[dict[str, Any]]:
    """Parameter sets that together show each extreme of each parameter at least once."""
    values = {name: extremes(draw) for name, draw in params.items()}
    for turn in range(max(map(len, values.values()), default=1)):
        yield {name: found[min(turn, len(found) - 1)] for name, found in values.items()}


def sample(draw: Draw[Any], rng: random.Random) -> Any:
    """Draw one value; a fixed one consumes nothing of ``rng``."""
    if isinstance(draw, Fixed):
        return draw.value
    if isinstance(draw, OneOf):
        return rng.choice(draw.values)
    if isinstance(draw.low, int) and isinstance(draw.high, int):
        return rng.randint(draw.low, draw.high)
    return rng.uniform(draw.low, draw.high)
