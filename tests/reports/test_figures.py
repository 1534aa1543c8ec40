"""Numbers as people read them: no sign before an interval of time."""

from __future__ import annotations

import pytest

from reports.figures import DASH, measured
from reports.terminal import render_card
from reports.texts import Lang

from .cards import RUN, passed

SPANS: list[tuple[tuple[float, float] | None, str, str]] = [
    (None, DASH, DASH),
    ((0, 0), "0 s", "0 s"),
    ((2.04, 2.1), "2.0–2.1 s", "2.0–2.1 s"),
    ((2.11, 2.12), "2.1 s", "2.1 s"),
    ((-5.3, -5.2), "5.2–5.3 s before", "5.2–5.3 s 前"),
    ((-5.21, -5.2), "5.2 s before", "5.2 s 前"),
    ((-0.25, 0), "0–0.25 s before", "0–0.25 s 前"),
    ((-0.1, 1.5), "0.10 s before to 1.5 s after", "0.10 s 前～1.5 s 後"),
]


@pytest.mark.parametrize(("span", "en", "ja"), SPANS)
def test_a_span_of_time(span: tuple[float, float] | None, en: str, ja: str) -> None:
    assert measured(span, "s") == en
    assert measured(span, "s", "ja") == ja


@pytest.mark.parametrize(("lang", "words"), [("en", "5.2–5.4 s before"), ("ja", "5.2–5.4 s 前")])
def test_an_objective_that_was_met_before_its_time(lang: Lang, words: str) -> None:
    card = passed()
    card["objectives"][0] |= {"id": "reconcile", "measured": [-5.4, -5.2]}
    text = render_card(card, None, RUN, lang=lang).plain
    assert words in text
    assert "-5" not in text
