"""The pace of a drill: as its file says, for a robot; or slowed down under ``pace: {person: …}``, for a person.

A person needs minutes where a robot needs seconds. Business time then runs less fast, what the triggers put into the
target lasts longer, and limits and cap leave minutes. All else is the same drill: the same load, faults and checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from drills.record.history import NS, Objective
from drills.spec.faultform import read_fault
from drills.spec.forms import Kind, Schema
from drills.spec.reader import Node
from drills.spec.timeline import TimedFault
from drills.spec.vocabulary import Vocabulary

ROBOT, PERSON = "robot", "person"
PACES = (ROBOT, PERSON)
FASTEST = 3600
READING = 30 * NS
"""What a person may take to read a step and decide, beyond the step's own limit, ns."""


class _Triggers(Kind):
    """For each fault of the timeline, in order, the fields that differ; kept as nodes until the timeline is read."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[Node, ...]:
        items = node.items("a list: for each fault of the timeline the fields that differ", least=1)
        for item in items:
            item.mapping("a mapping of a fault's fields")
        return tuple(items)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"type": "array", "items": {"type": "object"}, "minItems": 1}


class _Factor(Kind):
    """Business seconds a second."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> int:
        return node.integer(1, FASTEST)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"type": "integer", "minimum": 1, "maximum": FASTEST}


if TYPE_CHECKING:
    Triggers: TypeAlias = tuple[Node, ...]
    Factor: TypeAlias = int
else:
    Triggers, Factor = _Triggers, _Factor


class Slower(msgspec.Struct, frozen=True, kw_only=True):
    """What differs at a person's pace, as read; ``compression`` None: as the target has it. Times in ns."""

    compression: int | None
    cap: int
    timeline: tuple[TimedFault, ...]
    objectives: tuple[Objective, ...]


def triggered(
    root: Node, timeline: Sequence[TimedFault], triggers: Triggers, words: Vocabulary
) -> Iterator[TimedFault]:
    """The timeline with its faults as the triggers change them; BadInput where one has no such field."""
    if len(triggers) > len(timeline):
        raise triggers[len(timeline)].bad(f"{triggers[len(timeline)].name}: the timeline has no such fault")
    for index, timed in enumerate(timeline):
        if index >= len(triggers):
            yield timed
            continue
        written = root.child("timeline").child(index).child("fault")
        changed = Node(root.doc, triggers[index].place, {**written.value, **triggers[index].value})
        yield msgspec.structs.replace(timed, fault=read_fault(changed, words))


def with_limits_of(usual: Sequence[Objective], others: Sequence[Objective]) -> tuple[Objective, ...]:
    """The objectives with the limits of ``others`` where those are of the same metric, window and service."""
    limits: Mapping[str, Objective] = {each.id: each for each in others}
    return tuple(limits.get(each.id, each) for each in usual)
