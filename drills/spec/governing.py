"""The condition under which a drill's incident happens, as the drill states it: a template, and what its sides are.

``left: [[load.orders, load.repayment], load.hot_share, api.lock_timeout_s]`` multiplies, what stands in brackets is
added up first; ``{times: […], over: […]}`` divides as well. Quantities come from the load (its services' rates and
``load.hot_share``), from the target's settings and from what is measured (``measured.METRIC``); a number typed in is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from drills.errors import unknown
from drills.record.history import Governing, Product
from drills.spec.metrics import metrics
from drills.spec.reader import Node

PLACE = re.compile(r"\{([^{}]*)\}")
SIDES = ("left", "right")
MEASURED = "measured."


def governing(node: Node | None, quantities: Mapping[str, float]) -> Governing | None:
    """Read it; ``quantities`` are those of the drill's load and of the target."""
    if node is None:
        return None
    fields = node.fields(("id", "en", "ja", *SIDES))
    left, right = (_product(fields[side], quantities) for side in SIDES)
    used = {name for side in (left, right) for group in (*side.times, *side.over) for name in group}
    for lang in ("en", "ja"):
        for place in PLACE.findall(fields[lang].text()):
            if place not in (*used, *SIDES):
                raise fields[lang].bad(f"governing.{lang}: {unknown('quantity', place, (*sorted(used), *SIDES))}")
    return Governing(
        id=fields["id"].slug(),
        words={lang: fields[lang].text() for lang in ("en", "ja")},
        left=left,
        right=right,
        known={name: quantities[name] for name in sorted(used) if name in quantities},
    )


def _product(node: Node, quantities: Mapping[str, float]) -> Product:
    if isinstance(node.value, dict):
        fields = node.fields(("times",), ("over",))
        over = _groups(fields["over"], quantities) if "over" in fields else []
        return Product(_groups(fields["times"], quantities), over)
    return Product(_groups(node, quantities))


def _groups(node: Node, quantities: Mapping[str, float]) -> list[list[str]]:
    items = node.items("a list of quantities", least=1)
    return [
        [_quantity(each, quantities) for each in (item.items(least=1) if isinstance(item.value, list) else [item])]
        for item in items
    ]


def _quantity(node: Node, quantities: Mapping[str, float]) -> str:
    if isinstance(node.value, int | float):
        raise node.expected("the name of a quantity; a number is computed from load, settings and measurement")
    known = (*quantities, *(f"{MEASURED}{name}" for name in metrics()))
    return node.one_of(known, "quantity")
