"""The embedded evaluator's alerts, judged by Prometheus: of each rule, at each evaluation, labels and annotations.

promtool evaluates all groups at one interval, which is what both monitors do with this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.brokerage.monitor.evaluate import DuplicateAlert, evaluate
from targets.brokerage.monitor.rules import Rule, load_all, parse_rules
from targets.brokerage.monitor.service import RULES

from . import embedded
from .drawn import FEW, Drawn, drawings, series_for
from .embedded import Firing
from .promtool import Case, Promtool
from .series import QUIET, STEP_NS, Series, edge, of, shapes, unselected

pytestmark = pytest.mark.real

GROUPS = load_all(RULES)
RULE = {rule.alert: rule for group in GROUPS for rule in group.rules}
NAMES = tuple(RULE)
LOOKBACK_NS = 300_000_000_000


def case(name: str, *series: Series) -> Case:
    return Case(name, series, embedded.firing(GROUPS, series))


def fires_at(firing: Sequence[Sequence[Firing]], name: str) -> tuple[int, ...]:
    return tuple(
        step for step, alerts in enumerate(firing) if any(alert.labels["alertname"] == name for alert in alerts)
    )


@pytest.mark.parametrize("rule", RULE.values(), ids=NAMES)
def test_each_rule_fires_where_prometheus_fires_it(promtool: Promtool, rule: Rule) -> None:
    cases = []
    for shape in shapes(rule):
        cases.append(case(shape.name, of(rule, shape)))
        assert fires_at(cases[-1].firing, rule.alert) == shape.fires_at, shape.name
    verdict = promtool.test(RULES, NAMES, cases)
    assert verdict.agrees, verdict.said


@pytest.mark.parametrize("rule", [rule for rule in RULE.values() if rule.expr.matchers], ids=lambda rule: rule.alert)
def test_what_a_rule_does_not_select_never_fires_it(promtool: Promtool, rule: Rule) -> None:
    yes, _ = edge(rule.expr)
    cases = [case(str(labels), Series(rule.expr.metric, labels, (yes,) * 20)) for labels in unselected(rule.expr)]
    assert not any(fires_at(each.firing, rule.alert) for each in cases)
    verdict = promtool.test(RULES, NAMES, cases)
    assert verdict.agrees, verdict.said


def test_all_series_quiet_side_by_side(promtool: Promtool) -> None:
    series = [
        replace(of(rule, shape), labels={**of(rule, shape).labels, "job": job})
        for rule in RULE.values()
        for shape in shapes(rule)
        if len(shape.values) == QUIET
        for job in ("api", "batch")
    ]
    # what is just below one rule's threshold may be above that of another rule on the same metric
    quiet = case("quiet", *(each for each in series if not any(case("alone", each).firing)))
    assert len(quiet.series) > len(RULE)
    assert not any(quiet.firing)
    verdict = promtool.test(RULES, NAMES, [quiet])
    assert verdict.agrees, verdict.said


@FEW
@given(st.data())
def test_drawn_series_on_our_rules(promtool: Promtool, data: st.DataObject) -> None:
    verdict = promtool.test(RULES, NAMES, [case("drawn", *data.draw(series_for(GROUPS)))])
    assert verdict.agrees, verdict.said


@FEW
@given(drawings())
def test_drawn_series_on_drawn_rules_of_the_subset(promtool: Promtool, drawn: Drawn) -> None:
    names = sorted({rule.alert for group in drawn.groups for rule in group.rules})
    found = Case("drawn", drawn.series, embedded.firing(drawn.groups, drawn.series))
    verdict = promtool.test([promtool.written(drawn.text)], names, [found])
    assert verdict.agrees, verdict.said


def later(firing: Sequence[Sequence[Firing]]) -> Sequence[Sequence[Firing]]:
    return [(), *firing[:-1]]


def earlier(firing: Sequence[Sequence[Firing]]) -> Sequence[Sequence[Firing]]:
    return [*firing[1:], ()]


def dropped(firing: Sequence[Sequence[Firing]]) -> Sequence[Sequence[Firing]]:
    last = max(step for step, alerts in enumerate(firing) if alerts)
    return [() if step == last else alerts for step, alerts in enumerate(firing)]


def relabelled(firing: Sequence[Sequence[Firing]]) -> Sequence[Sequence[Firing]]:
    return [[replace(alert, labels={**alert.labels, "severity": "none"}) for alert in alerts] for alerts in firing]


def reworded(firing: Sequence[Sequence[Firing]]) -> Sequence[Sequence[Firing]]:
    return [[replace(alert, annotations={"summary": "other"}) for alert in alerts] for alerts in firing]


@pytest.mark.parametrize("wrong", [later, earlier, dropped, relabelled, reworded])
@pytest.mark.parametrize("rule", [RULE["LockWait"], RULE["ServiceDown"]], ids=lambda rule: rule.alert)
def test_promtool_refuses_an_expectation_that_is_wrong(
    promtool: Promtool, rule: Rule, wrong: Callable[[Sequence[Sequence[Firing]]], Sequence[Sequence[Firing]]]
) -> None:
    right = case("control", *(of(rule, shape) for shape in shapes(rule) if shape.name == "fires and resolves"))
    assert promtool.test(RULES, NAMES, [right]).agrees
    verdict = promtool.test(RULES, NAMES, [replace(right, firing=wrong(right.firing))])
    assert not verdict.agrees
    assert f"alertname: {rule.alert}, time:" in verdict.said
    assert "exp:" in verdict.said


HIDING = """
groups: [{name: g, rules: [{alert: A, expr: m > 1, labels: {link: x}}]}]
"""


def test_labels_that_hide_the_difference_are_an_error_of_both(promtool: Promtool) -> None:
    series = [Series("m", {"link": link}, (2.0,)) for link in "AB"]
    ((group,), written) = parse_rules(HIDING, "hiding.yml"), promtool.written(HIDING)
    with pytest.raises(DuplicateAlert):
        evaluate(group.rules[0], embedded.scrape(series, 0), 0, {})
    verdict = promtool.test([written], ["A"], [Case("hiding", series, [()])])
    assert not verdict.agrees
    assert "same labelset after applying alert labels" in verdict.said


def test_only_where_nothing_marks_the_end_of_a_series_does_prometheus_hold_on(promtool: Promtool) -> None:
    """The difference that README.md names: PromQL looks back 5 min, we never do."""
    rule = RULE["LockWait"]
    (vanishing,) = (of(rule, shape) for shape in shapes(rule) if shape.name == "vanishes")
    marked = case("marked", vanishing)
    fired = vanishing.values.index(None)
    last = fired - 1 + LOOKBACK_NS // STEP_NS  # the evaluation that finds the last sample just in time
    cut = replace(vanishing, values=vanishing.values[:fired])
    holds_on = [*marked.firing[:fired], *[marked.firing[fired - 1]] * (last - fired + 1), (), ()]
    assert promtool.test(RULES, NAMES, [marked]).agrees
    assert not promtool.test(RULES, NAMES, [replace(marked, series=[cut])]).agrees
    verdict = promtool.test(RULES, NAMES, [Case("unmarked", [cut], holds_on)])
    assert verdict.agrees, verdict.said
