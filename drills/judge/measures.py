"""Metrics of any run, whatever its business: the spans between milestones, service lost and served, harm in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from drills.judge import outage
from drills.judge.domain import books_of
from drills.judge.harm import HarmKind, after
from drills.judge.interval import Interval, point
from drills.judge.metric import MILLION, Harm, Metric, Observed, Part, Window
from drills.judge.text import Text
from drills.judge.timeline import Opening, observed_until, opened_right, openings
from drills.record.unsupported import ALERTS, BOOKS, OPERATOR

SPLIT = (Window.ALL, Window.AFTER_ALERT)

LED = frozenset({ALERTS, OPERATOR})
"""What it takes that alerts lead somebody anywhere."""

ENDS_OF_LOSS = frozenset({"available", "restore", "recover", "served_ratio"})
"""A limit on one of these limits how much service can be lost."""


def _span(name: str, words: Text, *needs: str, settled: bool = False, always: bool = False) -> Metric:
    measure = partial(_between, name)
    return Metric(name, "s", words, measure, needs=frozenset(needs), span=True, settled=settled, always=always)


def _between(name: str, observed: Observed, _: Part) -> Interval | None:
    found: Interval | None = getattr(observed.spans, name)
    return found if observed.history.plan.injects else None


def _worst(observed: Observed, part: Part, *, closed_only: bool = False) -> Interval | None:
    """Of the worst service, not an average: two services down for ten seconds each, or one of them, is ten seconds of
    loss to whoever needed it, and a busy healthy service beside it must not halve that.

    None where a service was never asked for anything: then the worst one's loss is not known.
    """
    found = outage.services(observed.history)
    if not outage.were_asked(found):
        return None
    return point(max(outage.lost_by_service(found, part.since, closed_only).values(), default=0))


def _each(observed: Observed, part: Part, *, closed_only: bool = False) -> dict[str, Interval]:
    found = outage.services(observed.history)
    if not outage.were_asked(found):
        return {}
    return {name: point(lost) for name, lost in outage.lost_by_service(found, part.since, closed_only).items()}


def _served(observed: Observed, _: Part) -> Interval | None:
    counts = outage.counts(observed.history)
    return point(counts.good * MILLION // counts.sent) if counts.sent else None


def _before_right(observed: Observed) -> tuple[list[Opening], int]:
    """The runbooks that were opened before the right one, and when that was (ns): the end, where it never was."""
    right = opened_right(observed.history)
    end = observed_until(observed.history) if right is None else right.t
    return [each for each in openings(observed.history) if each.t < end and not each.right], end


def _opened_before(observed: Observed, _: Part) -> Interval:
    return point(len(_before_right(observed)[0]))


def _spent_before(observed: Observed, _: Part) -> Interval:
    before, end = _before_right(observed)
    return point(end - before[0].t if before else 0)


METRICS = (
    _span("detect", Text("detect", "検知"), ALERTS, always=True),
    _span("detect_from_inject", Text("detect, from the fault", "検知（障害発生から）"), ALERTS),
    _span("decide", Text("open the runbook", "手順書着手"), ALERTS, OPERATOR),
    _span("contain", Text("contain", "封じ込め"), ALERTS, BOOKS, settled=True),
    _span("available", Text("services back", "サービス再開"), always=True),
    _span("restore", Text("services and figures good", "サービス・表示の正常化"), settled=True),
    _span("reconcile", Text("books agree", "突合完了"), BOOKS, settled=True),
    _span("recover", Text("recover", "回復"), settled=True, always=True),
    Metric(
        "service_s",
        "s",
        Text("service lost", "サービス停止"),
        _worst,
        windows=SPLIT,
        by_service=_each,
        harm=Harm(limited_by=ENDS_OF_LOSS),
        always=True,
    ),
    Metric(
        "planned_closure_s",
        "s",
        Text("closed by the operator", "運用者による受付停止"),
        partial(_worst, closed_only=True),
        by_service=partial(_each, closed_only=True),
        needs=frozenset({OPERATOR}),  # nobody else closes a service on purpose
    ),
    Metric(
        "runbooks_before_right",
        "count",
        Text("runbooks opened before the right one", "正しい手順書より先に開いた手順書"),
        _opened_before,
        needs=LED,
    ),
    Metric(
        "before_right_s",
        "s",
        Text("from the first runbook opened to the right one", "最初の手順書から正しい手順書まで"),
        _spent_before,
        needs=LED,
    ),
    Metric("served_ratio", "ratio", Text("requests served", "正常応答率"), _served, more_is_better=True),
)


def of_harms(kinds: Sequence[HarmKind]) -> tuple[Metric, ...]:
    """What all domains' harms come to: transactions of customers that have to be put right, and what they are worth."""
    actions = tuple(kind for kind in kinds if kind.action)
    counted = tuple(dict.fromkeys(kind.metric for kind in actions))
    number, gross = Text("harmful actions", "実害を伴う取引"), Text("affected, gross", "影響取引総額")
    summed = partial(
        Metric, windows=SPLIT, needs=frozenset({BOOKS}), books=books_of(actions), harm=Harm(sum_of=counted)
    )
    return (
        summed("harmful_actions", "count", number, partial(_sum, actions, lambda _: 1)),
        summed("affected_yen", "yen", gross, partial(_sum, actions, lambda one: one.yen)),
        Metric(
            "harm_before_right",
            "count",
            Text("harmful actions before the right runbook", "正しい手順書を開くまでの実害"),
            partial(_harm_before, actions),
            needs=LED | {BOOKS},
            books=books_of(actions),
            part_of="harmful_actions",
        ),
    )


def _harm_before(actions: Sequence[HarmKind], observed: Observed, _: Part) -> Interval:
    """Done to customers while runbooks were followed that were not the right one."""
    before, end = _before_right(observed)
    found = (one for kind in actions for one in kind.find(observed.history))
    return point(sum(before[0].t <= one.t < end for one in found) if before else 0)


def _sum(kinds: Sequence[HarmKind], worth: Callable[..., int], observed: Observed, part: Part) -> Interval:
    return point(sum(worth(one) for kind in kinds for one in after(kind.find(observed.history), part.since)))
