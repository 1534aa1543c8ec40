"""Sentences from ids and numbers: what a check found, and what a run cannot show, in English or Japanese.

The card holds ids and numbers alone. Their words lie with the domain that counts or measures them (``drills.domains``),
or with the judge (``drills.judge.words``). An id without words, such as one of a later version, stands for itself.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Protocol

from drills.domains.registry import DOMAINS
from drills.judge.scorecard import GoverningCell, LimitCell, Scorecard
from drills.judge.text import Text
from drills.judge.words import NAMES
from drills.record.arm import Arm
from drills.record.history import Count, Reason, Value
from reports.ends import ended
from reports.texts import Lang, known, say

PLACE = re.compile(r"\{([\w.]+)\}")
"""Of a quantity in a governing condition: their names have dots."""
BETWEEN = {"en": "; ", "ja": "。"}
GREAT = 1000
"""From here on a number is shown whole."""
LISTED = {"en": ", ", "ja": "、"}


class Found(Protocol):
    """What a check found: its result, or its cell on a card."""

    @property
    def counts(self) -> Sequence[Count]:
        """The bad ones among them are told; all, where none is bad and nothing else is to be said."""

    @property
    def reasons(self) -> Sequence[Reason]:
        """Each is told."""


def sentence(lang: Lang, found: Found) -> str:
    """What was found, in words."""
    bad = [count for count in found.counts if count.bad]
    shown = bad or ([] if found.reasons else found.counts)
    return BETWEEN[lang].join(
        [*(reason(lang, each) for each in found.reasons), *(_count(lang, each) for each in shown)]
    )


def reason(lang: Lang, found: Reason) -> str:
    """One reason in words."""
    return _said(lang, found.id, found.values)


def limit(lang: Lang, cell: LimitCell) -> str:
    """Something that the run cannot show; the drill's own words as its author has put them."""
    if cell.words is not None:
        return cell.words.get(lang) or cell.words.get("en") or ""
    words = BETWEEN[lang].join(reason(lang, each) for each in cell.reasons)
    return words if cell.about is None else f"{_about(lang, cell.about)}: {words}"


def _about(lang: Lang, about: str) -> str:
    """A milestone, an engine, a metric or something that the target does not offer; a check by its id."""
    if about in DOMAINS.metrics:
        return metric_name(lang, about)
    return known(lang, f"thing.{about}", _name(lang, "about", about))


def limits(card: Scorecard, lang: Lang) -> list[str]:
    """All that the run cannot show."""
    return [limit(lang, cell) for cell in card.limits]


def governing(cell: GoverningCell, lang: Lang) -> str:
    """The condition in words, numbers with three digits, great ones whole; a dash for what is not known."""
    numbers = {**cell.numbers, "left": cell.left, "right": cell.right}
    filled = {name: "–" if number is None else _shown(number) for name, number in numbers.items()}
    filled["relation"] = "≤" if cell.left is not None and cell.right is not None and cell.left <= cell.right else ">"
    template = cell.words.get(lang) or cell.words.get("en", "")
    return PLACE.sub(lambda place: filled.get(place[1], place[0]), template)


def _shown(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= GREAT else f"{number:.3g}"


def metric_name(lang: Lang, metric: str, window: str = "all", of: str | None = None) -> str:
    """What a metric is called, with its window and service where they are not the whole."""
    registered = DOMAINS.metrics.get(metric)
    name = metric if registered is None else in_language(lang, registered.words)
    about = [say(lang, f"window.{window}")] if window != "all" else []
    about += [_name(lang, "service", of)] if of is not None else []
    return say(lang, "metric.of", name=name, about=LISTED[lang].join(about)) if about else name


def arm_name(lang: Lang, arm: str) -> str:
    """What an arm is called."""
    known_as = Arm.parse(arm)
    detail = known_as.detail.replace("-", " ") if lang == "en" else known_as.detail
    return say(lang, f"arm.{known_as.kind}", detail=detail)


def service_name(lang: Lang, service: str) -> str:
    """What a service is called; its own id where nobody has a word for it."""
    return _name(lang, "service", service)


def in_language(lang: Lang, text: Text) -> str:
    """One of its two languages."""
    return text.ja if lang == "ja" else text.en


def _count(lang: Lang, found: Count) -> str:
    return _said(lang, found.id, {"bad": found.bad, "of": found.of})


def _said(lang: Lang, id_: str, values: dict[str, Value]) -> str:
    text = DOMAINS.words.get(id_)
    if text is None:
        return " ".join([id_, *(f"{name}={value}" for name, value in values.items())])
    return string.Formatter().vformat(in_language(lang, text), (), _Filled(lang, values))


class _Filled(dict[str, str]):
    """Values by place, each in the language asked for; a place that nothing fills is a dash."""

    def __init__(self, lang: Lang, values: dict[str, Value]) -> None:
        super().__init__({name: _value(lang, name, value) for name, value in values.items()})

    def __missing__(self, key: str) -> str:
        return "–"


def _value(lang: Lang, place: str, value: Value) -> str:
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(each, float) for each in value):
            low, high = value
            return str(low) if low == high else f"{low}–{high}"
        return LISTED[lang].join(_name(lang, place.removesuffix("s"), str(each)) for each in value)
    if place == "words":
        return ended(lang, str(value))
    return _name(lang, place, str(value))


def _name(lang: Lang, place: str, value: str) -> str:
    text = NAMES.get(f"{place}.{value}")
    return value if text is None else in_language(lang, text)
