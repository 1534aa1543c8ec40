"""What is measured of figures: shown wrong, acted on, not current, undecidable; and the mark that was left."""

from __future__ import annotations

from itertools import pairwise

from drills.domains.figures import oracle
from drills.domains.figures.rows import Shown
from drills.judge import timeline
from drills.judge.check import count
from drills.judge.domain import Residual
from drills.judge.facts import fact
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import Harm, Metric, Observed, Part, Window, counted, tally
from drills.judge.text import Text
from drills.record.history import Count, History
from drills.record.unsupported import BOOKS

WITNESSES = ("world", "customers", "exchange")


def _wrong(history: History) -> list[Instance]:
    """Wrong figures shown as current."""
    return [_instance(figure) for figure in oracle.figures(history) if figure.wrong]


def _instance(figure: oracle.Figure) -> Instance:
    row = figure.row
    return Instance(row.received_ns, 0, f"customers:{figure.index}", min(row.sent_ns, row.received_ns))


def _relied(history: History) -> list[Instance]:
    """Actions of customers on wrong figures."""
    acts = (act for act in oracle.reliances(history) if act.wrong)
    return [Instance(act.row.t_ns, act.row.yen, f"customers:{act.index}") for act in acts]


def _undecidable(observed: Observed, _: Part) -> Interval:
    return point(sum(figure.undecidable for figure in oracle.figures(observed.history)))


def _not_current(observed: Observed, _: Part) -> Interval | None:
    """For how long figures were shown as not current: each such figure stands until the next one is shown.

    None where no figure was shown.
    """
    end, shown = timeline.observed_until(observed.history), sorted(_shown(observed.history))
    stood = pairwise([*((t, current) for t, _, current in shown), (end, True)])
    return counted(sum(until - t for (t, current), (until, _) in stood if not current) if shown else None)


@fact
def _shown(history: History) -> list[tuple[int, int, bool]]:
    """When a figure was shown to a customer (ns), its row, and whether as current."""
    end = timeline.observed_until(history)
    return [
        (row.received_ns, index, row.current)
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, Shown) and row.received_ns <= end
    ]


def _marked(history: History) -> Count:
    """The last figure, where it was still marked as not current and others had not been."""
    shown = _shown(history)
    marked = shown and not max(shown)[2] and any(current for _, _, current in shown)
    return count("left.balances", [f"customers:{max(shown)[1]}"] if marked else [], min(1, len(shown)))


SHOWN_WRONG = HarmKind("wrong_figures_shown", WITNESSES, _wrong, in_journal=True)
ACTED_ON = HarmKind("wrong_figures_acted_on", WITNESSES, _relied, in_journal=True, action=True)
HARMS = (SHOWN_WRONG, ACTED_ON)
RESIDUALS = (Residual(("customers",), _marked),)

_OF_BOOKS = frozenset({BOOKS})

METRICS = (
    Metric(
        "wrong_figures_shown",
        "count",
        Text("wrong figures shown", "誤表示"),
        tally(SHOWN_WRONG),
        windows=(Window.ALL, Window.AFTER_ALERT),
        needs=_OF_BOOKS,
        books=WITNESSES,
        harm=Harm(),
    ),
    Metric(
        "wrong_figures_acted_on",
        "count",
        Text("acted on wrong figures", "誤表示に基づく取引"),
        tally(ACTED_ON),
        windows=(Window.ALL, Window.AFTER_ALERT, Window.AFTER_FIRST_STEP),
        needs=_OF_BOOKS,
        books=WITNESSES,
        harm=Harm(limited_by=frozenset({"no-wrong-figure-acted-on"})),
        always=True,
    ),
    Metric(
        "not_current_s",
        "s",
        Text("figures not current", "「最新ではない」表示"),
        _not_current,
        needs=_OF_BOOKS,
        books=("customers",),
        harm=Harm(limited_by=frozenset({"restore", "recover"})),
    ),
    Metric(
        "undecidable_figures",
        "count",
        Text("figures undecidable", "判定不能の表示"),
        _undecidable,
        needs=_OF_BOOKS,
        books=WITNESSES,
    ),
)
