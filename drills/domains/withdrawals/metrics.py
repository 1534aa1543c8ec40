"""Withdrawals that were in doubt, for how long and how much, and those that came out wrong."""

from __future__ import annotations

from collections.abc import Iterable

from drills.domains.withdrawals import facts
from drills.judge import timeline
from drills.judge.harm import HarmKind, Instance
from drills.judge.interval import Interval, point
from drills.judge.metric import Harm, Metric, Observed, Part, tally
from drills.judge.text import Text
from drills.record.history import NS, History
from drills.record.unsupported import BOOKS


def _unknown(history: History) -> list[Instance]:
    return [Instance(each.row.unknown_ns, each.row.yen, each.place) for each in facts.in_doubt(history)]


def _twice(history: History) -> list[Instance]:
    return [Instance(each.row.t_ns, each.row.yen, each.place) for each in facts.paid_twice(history)]


def _reversed(history: History) -> list[Instance]:
    return _settled(facts.differences(history).reversed_but_paid)


def _completed(history: History) -> list[Instance]:
    return _settled(facts.differences(history).completed_but_not_paid)


def _settled(found: Iterable[facts.Held]) -> list[Instance]:
    return [Instance(each.row.settled_ns, each.row.yen, each.place) for each in found]


def _yen_seconds(observed: Observed, _: Part) -> Interval:
    """Of each that was unknown: its yen times the seconds until it was settled, at most to the end."""
    history = observed.history
    end = timeline.observed_until(history)
    until = {each: min(each.row.settled_ns or end, end) for each in facts.in_doubt(history)}
    return point(sum(each.row.yen * (ended - each.row.unknown_ns) for each, ended in until.items()) // NS)


def _unanswered(observed: Observed, _: Part) -> Interval:
    """How many were sent while the bank's answers were lost: those from the first that became unknown to the last."""
    sent = [each.row.t_ns for each in facts.in_doubt(observed.history)]
    return point(max(sent) - min(sent) if sent else 0)


UNKNOWN = HarmKind("unknown_withdrawals", (facts.BOOK,), _unknown)
TWICE = HarmKind("paid_twice", ("customers", "bank", facts.BOOK), _twice, action=True)
REVERSED = HarmKind("reversed_but_paid", ("bank", facts.BOOK), _reversed, action=True)
COMPLETED = HarmKind("completed_but_not_paid", ("bank", facts.BOOK), _completed, action=True)
HARMS = (UNKNOWN, TWICE, REVERSED, COMPLETED)

_OF_BOOKS = frozenset({BOOKS})
_AS_THE_BANK = Harm(limited_by=frozenset({"settled-as-the-bank"}))


def _counting(kind: HarmKind, words: Text, harm: Harm) -> Metric:
    return Metric(kind.metric, "count", words, tally(kind), needs=_OF_BOOKS, books=kind.books, harm=harm)


METRICS = (
    _counting(UNKNOWN, Text("withdrawals in doubt", "状態不明となった出金"), Harm()),
    _counting(TWICE, Text("withdrawals paid twice", "二重に支払われた出金"), Harm(frozenset({"paid-once"}))),
    _counting(REVERSED, Text("withdrawals reversed but paid", "取り消されたが支払われた出金"), _AS_THE_BANK),
    _counting(COMPLETED, Text("withdrawals completed but not paid", "完了としたが支払われていない出金"), _AS_THE_BANK),
    Metric(
        "unknown_yen_s",
        "yen",
        Text("yen in doubt × seconds", "状態不明の金額×秒"),
        _yen_seconds,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
    ),
    Metric(
        "withdrawals_unanswered_s",
        "s",
        Text("withdrawals were sent without an answer for", "応答のないまま出金を送り続けた時間"),
        _unanswered,
        needs=_OF_BOOKS,
        books=(facts.BOOK,),
        detail=True,
    ),
)
