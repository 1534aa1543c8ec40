"""The evaluator against series whose alerts can be computed by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.brokerage.monitor.evaluate import Change, DuplicateAlert, Sample, State, evaluate
from targets.brokerage.monitor.rules import Rule, parse_expr

STEP = 250_000_000


def rule(expr: str = "m > 1", hold_ns: int = 0, labels: Mapping[str, str] | None = None) -> Rule:
    return Rule("g", "A", parse_expr(expr), hold_ns, labels or {}, {"summary": "on {{ $labels.link }}"})


def series(value: float, metric: str = "m", **labels: str) -> Sample:
    return Sample(metric, tuple(sorted(labels.items())), value)


def play(under: Rule, steps: Sequence[Sequence[Sample]]) -> list[Change]:
    """All changes of a sequence of evaluations, one each STEP, from 0."""
    state: State = {}
    found: list[Change] = []
    for index, samples in enumerate(steps):
        state, changes = evaluate(under, samples, index * STEP, state)
        found += changes
    return found


def instants(changes: Sequence[Change]) -> list[tuple[str, int]]:
    return [(change.status, change.t_ns // STEP) for change in changes]


def test_without_for_it_fires_at_once_and_resolves_when_it_ends() -> None:
    values = [0, 2, 2, 1, 2]
    assert instants(play(rule(), [[series(v)] for v in values])) == [("firing", 1), ("resolved", 3), ("firing", 4)]


def test_for_counts_from_the_first_evaluation_that_held() -> None:
    changes = play(rule(hold_ns=3 * STEP), [[series(2)]] * 6)
    assert instants(changes) == [("firing", 3)]
    assert changes[0].alert.active_ns == 0
    assert changes[0].alert.fired_ns == 3 * STEP


def test_a_gap_while_pending_starts_again_and_says_nothing() -> None:
    values = [2, 2, 0, 2, 2, 2, 0]
    assert instants(play(rule(hold_ns=2 * STEP), [[series(v)] for v in values])) == [("firing", 5), ("resolved", 6)]


def test_a_series_that_vanishes_resolves() -> None:
    assert instants(play(rule(), [[series(2)], [], []])) == [("firing", 0), ("resolved", 1)]


def test_each_label_set_is_an_alert_of_its_own() -> None:
    steps = [
        [series(2, link="A"), series(0, link="B")],
        [series(2, link="A"), series(2, link="B")],
        [series(2, link="B")],
    ]
    found = [(c.status, dict(c.alert.labels)["link"], c.t_ns // STEP) for c in play(rule(), steps)]
    assert found == [("firing", "A", 0), ("firing", "B", 1), ("resolved", "A", 2)]


def test_labels_and_annotations_of_an_alert() -> None:
    (change,) = play(rule(labels={"severity": "page", "job": "ours"}), [[series(2, link="A", job="gateway")]])
    assert dict(change.alert.labels) == {"alertname": "A", "severity": "page", "job": "ours", "link": "A"}
    assert change.alert.annotations == {"summary": "on A"}
    assert change.alert.value == 2


def test_annotations_may_show_the_metric_s_name_but_not_the_rule_s_labels() -> None:
    shown = {"summary": "{{ $labels.__name__ }}/{{ $labels.severity }}/{{ $labels.alertname }}"}
    under = Rule("g", "A", parse_expr("m > 1"), 0, {"severity": "page"}, shown)
    (change,) = play(under, [[series(2, link="A")]])
    assert change.alert.annotations == {"summary": "m//"}
    assert "__name__" not in dict(change.alert.labels)


def test_only_selected_series_count() -> None:
    steps = [[series(9, link="B"), series(9, metric="n", link="A"), series(0, link="A")]]
    assert play(rule('m{link="A"} > 1'), steps) == []


@pytest.mark.parametrize("op", [">", "<", ">=", "<=", "=="])
def test_nan_satisfies_nothing(op: str) -> None:
    assert play(rule(f"m {op} 1"), [[series(math.nan)]] * 3) == []


def test_nan_is_different_from_any_number() -> None:
    assert instants(play(rule("m != 1"), [[series(math.nan)]])) == [("firing", 0)]


def test_nan_ends_a_condition() -> None:
    assert instants(play(rule(), [[series(2)], [series(math.nan)]])) == [("firing", 0), ("resolved", 1)]


def test_infinity_is_a_number() -> None:
    assert instants(play(rule(), [[series(math.inf)], [series(-math.inf)]])) == [("firing", 0), ("resolved", 1)]


def test_labels_that_hide_the_difference_are_an_error_and_change_nothing() -> None:
    hiding = rule(labels={"link": "x"})
    state, _ = evaluate(hiding, [series(2, link="A")], 0, {})
    with pytest.raises(DuplicateAlert, match="A: more than one series"):
        evaluate(hiding, [series(2, link="A"), series(2, link="B")], STEP, state)
    assert len(state) == 1


@given(st.lists(st.floats(max_value=1.0) | st.just(math.nan), max_size=40), st.integers(0, 4))
def test_a_quiet_series_never_fires(values: list[float], hold: int) -> None:
    assert play(rule(hold_ns=hold * STEP), [[series(v)] for v in values]) == []


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 2_000_000_000))
def test_a_step_fires_within_one_evaluation_of_the_computed_instant(onset: int, length: int, hold_ns: int) -> None:
    values = [0] * onset + [2] * length + [0]
    changes = play(rule(hold_ns=hold_ns), [[series(v)] for v in values])
    steps = -(-hold_ns // STEP)
    if steps >= length:
        assert changes == []
    else:
        fired, resolved = changes
        assert 0 <= fired.t_ns - (onset * STEP + hold_ns) < STEP
        assert instants([resolved]) == [("resolved", onset + length)]


@given(
    st.lists(st.dictionaries(st.sampled_from("ABC"), st.sampled_from([0.0, 2.0, math.nan]), max_size=3), max_size=25)
)
def test_changes_alternate_for_each_label_set(steps: list[dict[str, float]]) -> None:
    changes = play(rule(hold_ns=STEP), [[series(v, link=k) for k, v in step.items()] for step in steps])
    for link in "ABC":
        own = [c.status for c in changes if dict(c.alert.labels)["link"] == link]
        assert own == ["firing", "resolved"] * (len(own) // 2) + ["firing"] * (len(own) % 2)
