"""The condition under which a drill's incident happens, as the drill states it: a template, and what its sides are.

``left: [[load.orders, load.repayment], load.hot_share, api.lock_timeout_s]`` multiplies, what stands in brackets is
added up first; ``{times: […], over: […]}`` divides as well. Quantities come from the load (its services' rates and
``load.hot_share``; ``load.step`` and ``load.step_s`` where the timeline steps it up), from the target's settings and
from what is measured (``measured.METRIC``); a number typed in is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from drills.errors import unknown
from drills.record.history import Governing, Product
from drills.spec.forms import Kind, Schema, decode, schema_of
from drills.spec.metrics import metrics
from drills.spec.reader import Node
from drills.spec.stepped import STEP, STEP_S
from drills.spec.values import Slug, Text, closed, enum, listed
from drills.spec.vocabulary import Vocabulary

PLACE = re.compile(r"\{([^{}]*)\}")
MEASURED = "measured."
RELATION = "relation"
"""The place of what the run showed: the left side was more than the right one, or it was not."""


def known(words: Vocabulary) -> tuple[str, ...]:
    """Every quantity that a side may be made of, whichever the load."""
    numbers = dict.fromkeys(name for each in words.quantities.values() for name in each)
    return (*numbers, STEP, STEP_S, *(f"{MEASURED}{name}" for name in metrics()))


class _Side(Kind):
    """A product of quantities; those in brackets are added up, and ``over`` divides."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Product:
        assert words is not None
        return _product(node, known(words))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        quantity = enum(known(words))
        groups = listed({"anyOf": [quantity, listed(quantity)]})
        return {"anyOf": [groups, closed({"times": groups, "over": groups}, ("times",))]}


class _Condition(Kind):
    """As it is written; what is known of its quantities depends on the drill's load (``settled``)."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Governing:
        form = decode(GoverningForm, node, words)
        names = (*_used(form.left, form.right), "left", "right", RELATION)
        for lang, text in (("en", form.en), ("ja", form.ja)):
            for place in PLACE.findall(text):
                if place not in names:
                    raise node.child(lang).bad(f"governing.{lang}: {unknown('quantity', place, names)}")
            if RELATION not in PLACE.findall(text):
                says = f"governing.{lang}: needs {{{RELATION}}} between its sides: > where the run met it, else ≤"
                raise node.child(lang).bad(says)
        return Governing(form.id, {"en": form.en, "ja": form.ja}, form.left, form.right, known={})

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return schema_of(GoverningForm, words)


if TYPE_CHECKING:
    Side: TypeAlias = Product
    Condition: TypeAlias = Governing
else:
    Side, Condition = _Side, _Condition


class GoverningForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The condition: words with quantities as ``{places}``, and its two sides."""

    id: Slug
    en: Text
    ja: Text
    left: Side
    right: Side


def settled(root: Node, condition: Governing | None, quantities: Mapping[str, float]) -> Governing | None:
    """With the numbers that the drill's load and target give; BadInput for one that they do not."""
    if condition is None:
        return None
    used = _used(condition.left, condition.right)
    absent = [name for name in used if name not in quantities and not name.startswith(MEASURED)]
    if absent:
        place = root.child("governing")
        raise place.bad(f"governing: {unknown('quantity', absent[0], tuple(quantities))}", at_key=True)
    numbers = {name: quantities[name] for name in used if name in quantities}
    return msgspec.structs.replace(condition, known=numbers)


def _used(*sides: Product) -> list[str]:
    return sorted({name for side in sides for group in (*side.times, *side.over) for name in group})


def _product(node: Node, names: Collection[str]) -> Product:
    if isinstance(node.value, dict):
        fields = node.fields(("times",), ("over",))
        over = _groups(fields["over"], names) if "over" in fields else []
        return Product(_groups(fields["times"], names), over)
    return Product(_groups(node, names))


def _groups(node: Node, names: Collection[str]) -> list[list[str]]:
    items = node.items("a list of quantities", least=1)
    return [
        [_quantity(each, names) for each in (item.items(least=1) if isinstance(item.value, list) else [item])]
        for item in items
    ]


def _quantity(node: Node, names: Collection[str]) -> str:
    if isinstance(node.value, int | float):
        raise node.expected("the name of a quantity; a number is computed from load, settings and measurement")
    return node.one_of(names, "quantity")
