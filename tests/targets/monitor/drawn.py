"""Rule files of the subset and series around their thresholds, drawn by hypothesis."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from targets.brokerage.monitor.rules import Group, Rule, parse_rules

from .series import Series, Value, edge, selected, unselected

FEW = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # not shrunk, which takes minutes: promtool names series and instant
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""How much of everything drawn CI judges."""

METRICS = ("m", "n:sum_5m", "up")
LABELS = ("job", "link", "severity", "alertname", "_x")
TEXT = st.text("aB 0-_é日<>&{}$,=|'", max_size=6)
NUMBERS = ("0", "1", "-0.5", "14.4", "1e3", ".25", "2.", "-1E-7", "+3")
TEMPLATES = tuple(f"{{{{ $labels.{name} }}}}" for name in (*LABELS, "id", "none", "__name__"))
FORS = ("0", "1ms", "249ms", "250ms", "251ms", "500ms", "750ms", "1s1ms")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rule file, as written and as we read it, and series for it."""

    text: str
    groups: tuple[Group, ...]
    series: tuple[Series, ...]


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """An expression of the subset."""
    matchers = draw(
        st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(("=", "!=")), TEXT), max_size=2).map(
            lambda found: ", ".join(f'{label}{op}"{value}"' for label, op, value in found)
        )
    )
    metric, op = draw(st.sampled_from(METRICS)), draw(st.sampled_from((">", "<", ">=", "<=", "==", "!=")))
    braces = f"{{{matchers}}}" if matchers or draw(st.booleans()) else ""
    return f"{metric}{braces} {op} {draw(st.sampled_from(NUMBERS))}"


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    """A rule file of one or two groups, in YAML's JSON.

    No rule sets the label ``id``, which tells series apart. Each sets ``rule``, because promtool takes it for an error
    when two rules give the same alert; Prometheus itself only logs it.
    """
    shown = st.lists(TEXT.map(lambda text: text.replace("{", "")) | st.sampled_from(TEMPLATES), min_size=1, max_size=3)
    rule = st.fixed_dictionaries(
        {"alert": st.sampled_from(("A", "B", "C d")), "expr": expressions()},
        optional={
            "for": st.sampled_from(FORS),
            "labels": st.dictionaries(
                st.sampled_from(("severity", "link", "job")), TEXT.filter(templateless), max_size=2
            ),
            "annotations": st.dictionaries(
                st.sampled_from(("summary", "runbook")), shown.map("".join).filter(bool), max_size=2
            ),
        },
    )
    groups = draw(st.lists(st.lists(rule, min_size=1, max_size=3), min_size=1, max_size=2))
    numbered = [
        [{**rule, "labels": rule.get("labels", {}) | {"rule": f"{group}.{index}"}} for index, rule in enumerate(rules)]
        for group, rules in enumerate(groups)
    ]
    named = [{"name": f"g{group}", "rules": rules} for group, rules in enumerate(numbered)]
    return json.dumps({"groups": named}, ensure_ascii=False)


def templateless(text: str) -> bool:
    """Whether it may be a rule's label: something, and no template."""
    return text != "" and "{{" not in text


@st.composite
def courses(draw: st.DrawFn, rule: Rule) -> tuple[Value, ...]:
    """Runs of values on either side of the rule's threshold, next to it, and beyond numbers."""
    yes, no = edge(rule.expr)
    far = (yes, yes, no, no, None, math.nan, math.inf, -math.inf, 0.0, 1.0)
    runs = draw(st.lists(st.tuples(st.sampled_from(far), st.integers(1, 6)), min_size=1, max_size=8))
    return tuple(value for value, length in runs for _ in range(length))


@st.composite
def series_for(draw: st.DrawFn, groups: Sequence[Group]) -> tuple[Series, ...]:
    """One to three series for each rule, selected or nearly so, with labels of their own."""
    found: list[Series] = []
    for rule in (rule for group in groups for rule in group.rules):
        for _ in range(draw(st.integers(1, 3))):
            own = draw(st.dictionaries(st.sampled_from(LABELS), TEXT, max_size=3))
            meant = draw(st.sampled_from([selected(rule.expr), *unselected(rule.expr), {}]))
            found.append(Series(rule.expr.metric, own | meant | {"id": str(len(found))}, draw(courses(rule))))
    length = max(len(each.values) for each in found)  # what ends is scraped on without it, hence marked as stale
    return tuple(replace(each, values=each.values + (None,) * (length - len(each.values))) for each in found)


@st.composite
def drawings(draw: st.DrawFn) -> Drawn:
    """A rule file of the subset, and series for it."""
    text = draw(rule_files())
    groups = parse_rules(text, "drawn.yml")
    return Drawn(text, groups, draw(series_for(groups)))
