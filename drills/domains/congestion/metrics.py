"""Who was served and how, what the exchange has that nobody was told of, and how much more came than was wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from drills.domains.congestion import facts
from drills.domains.congestion.facts import BOOK, LATE, Wanted
from drills.judge.check import count
from drills.judge.domain import Residual
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import MILLION, Harm, Metric, Observed, Part, Window, tally
from drills.judge.text import Text
from drills.judge.timeline import observed_until
from drills.record.history import Count, History
from drills.record.unsupported import BOOKS

AROUND = (Window.ALL, Window.DURING_FAULT, Window.AFTER_FAULT)


def _ghosts(history: History) -> list[Instance]:
    return [
        Instance(since, each.row.quantity * each.row.price, f"exchange:{each.index}")
        for since, each in facts.ghosts(history)
    ]


def _share(of: Callable[[History, Part], Iterable[bool]]) -> Callable[[Observed, Part], Interval | None]:
    """Which part of them is as it should be; None where there are none, or nobody has to wait for a slot."""

    def measure(observed: Observed, part: Part) -> Interval | None:
        if not facts.gated(observed.history):
            return None
        found = list(of(observed.history, part))
        return point(sum(found) * MILLION // len(found)) if found else None

    return measure


def _number(of: Callable[[History], int]) -> Callable[[Observed, Part], Interval | None]:
    return lambda observed, _: point(of(observed.history)) if facts.gated(observed.history) else None


def _due(history: History, part: Part) -> list[Wanted]:
    """Intents of that part which are old enough to have been answered, or have been."""
    until = observed_until(history) - history.plan.slo.latency
    return [
        each for each in facts.wanted(history) if part.has(each.intended) and (each.answered or each.intended <= until)
    ]


def _served(history: History, part: Part) -> Iterable[bool]:
    return (each.answered is not None for each in _due(history, part))


def _good(history: History, part: Part) -> Iterable[bool]:
    """Answered, and what was not rejected is at the exchange."""
    there = facts.there(history)
    return (
        each.answered is not None and (each.rejected or any(key in there for key in each.keys))
        for each in _due(history, part)
    )


def _promptly_closed(history: History, part: Part) -> Iterable[bool]:
    """Orders that sell what is held, and cancels: answered within what counts as good."""
    within = history.plan.slo.latency
    until = observed_until(history) - within
    for each in _due(history, part):
        if each.closing:
            yield each.answered is not None and each.answered - each.intended <= within
    for cancel in facts.cancels(history):
        if part.has(cancel.t_ns) and (cancel.answered is not None or cancel.t_ns <= until):
            yield cancel.answered is not None and cancel.answered - cancel.t_ns <= within


def _overtaken(history: History, _: Part) -> Iterable[bool]:
    late = {index for index, _ in facts.overtaken(history)}
    return (index in late for index, _ in facts.admitted(history))


def _late(history: History) -> int:
    there, found = facts.there(history), 0
    for each in facts.wanted(history):
        came = min((there[key] for key in each.keys if key in there), default=None)
        found += came is not None and came - each.intended > LATE
    return found


def _again(history: History) -> int:
    return sum(each.tries - 1 for each in facts.wanted(history))


def _room_open(history: History) -> Count:
    """Whether customers still have to wait in the room at the end."""
    turns = [(index, row) for index, row in facts.room(history) if row.what in ("opened", "closed")]
    still = [f"{BOOK}:{index}" for index, row in turns[-1:] if row.what == "opened"]
    return count("left.room", still, min(1, len(turns)))


GHOSTS = HarmKind("ghost_orders", ("customers", "exchange"), _ghosts, action=True)
HARMS = (GHOSTS,)
RESIDUALS = (Residual((BOOK,), _room_open),)

_OF_BOOKS = frozenset({BOOKS})
_BOTH = ("customers", "exchange")


def _ghosts_in(observed: Observed, part: Part) -> Interval | None:
    return tally(GHOSTS)(observed, part) if facts.gated(observed.history) else None


METRICS = (
    Metric(
        "intents_served",
        "ratio",
        Text("customers answered in the end", "最終的に回答を得た顧客の割合"),
        _share(_served),
        windows=AROUND,
        more_is_better=True,
        needs=_OF_BOOKS,
        books=("customers",),
    ),
    Metric(
        "goodput",
        "ratio",
        Text("orders done of those wanted", "希望された注文のうち処理された割合"),
        _share(_good),
        windows=AROUND,
        more_is_better=True,
        needs=_OF_BOOKS,
        books=_BOTH,
    ),
    Metric(
        "prompt_closes",
        "ratio",
        Text("cancels and closing orders answered in time", "取消・決済注文の時間内応答率"),
        _share(_promptly_closed),
        windows=(*AROUND, Window.AFTER_FIRST_STEP),
        more_is_better=True,
        needs=_OF_BOOKS,
        books=("customers",),
    ),
    Metric(
        "ghost_orders",
        "count",
        Text("orders at the exchange whose customers gave up untold", "顧客が結果を知らぬまま断念した取引所側の注文"),
        _ghosts_in,
        needs=_OF_BOOKS,
        books=GHOSTS.books,
        harm=Harm(),
    ),
    Metric(
        "late_orders",
        "count",
        Text("orders at the exchange over 5 s late", "5秒を超えて取引所に遅着した注文"),
        _number(_late),
        needs=_OF_BOOKS,
        books=_BOTH,
    ),
    Metric(
        "retries",
        "count",
        Text("orders sent or typed again", "再送・再入力された注文"),
        _number(_again),
        needs=_OF_BOOKS,
        books=("customers",),
    ),
    Metric(
        "overtaken_ratio",
        "ratio",
        Text("overtaken in the waiting room", "待合室で追い越された顧客の割合"),
        _share(_overtaken),
        needs=_OF_BOOKS,
        books=(BOOK,),
    ),
)
