"""Which faults strike when: the ``timeline:`` of a drill, and how it is drawn from the seed.

``at`` counts from the end of the baseline. The draw depends on the seed and the drill's name alone, so arms with the
same seed meet the same fault at the same instant.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from drills.record.history import PlannedFault
from drills.spec.faultform import Fault
from drills.spec.forms import Kind, Schema
from drills.spec.reader import Node
from drills.spec.seeded import Draw, Drawn, drawn, ranged, sample
from drills.spec.values import TIME, Time
from drills.spec.vocabulary import Vocabulary

UNTIL_JUDGED = "until-judged"


class _Lasting(Kind):
    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Draw[int] | None:
        if node.value == UNTIL_JUDGED:
            return None
        if isinstance(node.value, str) and node.value[:1].isalpha():
            raise node.expected(f"a time such as 5s, or {UNTIL_JUDGED}")
        return drawn(node, lambda item: item.time(positive=True))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"anyOf": [{"const": UNTIL_JUDGED}, *ranged(TIME)["anyOf"]]}


if TYPE_CHECKING:
    Lasting: TypeAlias = Draw[int] | None
else:
    Lasting = _Lasting


class TimedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault with its onset and duration in ns (``lasts`` None: until judged)."""

    at: Drawn[Time]
    lasts: Lasting = msgspec.field(name="for")
    fault: Fault


def draw_faults(faults: tuple[TimedFault, ...], drill: str, seed: int) -> list[PlannedFault]:
    """Each fault's onset, duration and parameters for this seed; ``index`` is its place in the file."""
    rng = random.Random(f"{drill}/{seed}")
    return [_draw(index, timed, rng) for index, timed in enumerate(faults)]


def _draw(index: int, timed: TimedFault, rng: random.Random) -> PlannedFault:
    at = sample(timed.at, rng)
    lasts = None if timed.lasts is None else sample(timed.lasts, rng)
    params = {name: sample(draw, rng) for name, draw in timed.fault.params.items()}
    return PlannedFault(index, timed.fault.kind, at, lasts, params)
