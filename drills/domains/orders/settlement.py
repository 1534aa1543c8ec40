"""From when on executions and the books about them agreed again."""

from __future__ import annotations

from drills.domains.orders.trades import Trade, trades, unknown_postings
from drills.judge import outage, timeline
from drills.judge.domain import Condition
from drills.judge.interval import Interval
from drills.judge.milestones import ABSENT, Milestone, returned
from drills.record.history import NS, History


def since(history: History, after: int, _: int) -> Milestone:
    """From when on each execution was posted and notified within the grace, and no older difference stood.

    One late execution is noise, two together are a queue: ordinary flow settles in a tenth of the grace, and a machine
    that stands still for longer than the grace holds up the load as well, which makes the run invalid.

    A posting is stamped just before its commit. It was surely there when the next execution had been settled, for they
    are posted in order: the instant lies between the last late one's stamps and those of whatever settled next. That
    is no later than the grace, for which a difference is none; where nothing more was traded, the stamp stands alone.
    """
    grace, end = history.plan.slo.grace, timeline.observed_until(history)
    known = trades(history)
    if unknown_postings(history, known) or not all(trade.same for trade in known):
        return ABSENT  # such a difference never goes away by itself
    late = [trade for trade in known if trade.row.t_ns + grace <= end and _is_late(trade, grace)]
    spans = [Interval(trade.row.t_ns + grace, trade.settled_at or end) for trade in late]
    stood = [n for n, span in enumerate(spans) if span.latest >= after and not _is_lone(span, spans, grace)]
    if any(late[n].settled_at is None for n in stood):
        return ABSENT  # it still stands
    last = max((spans[n].latest for n in stood), default=None)
    return returned(history, outage.Return(bool(stood), None if last is None else _shown_by_next(known, last, grace)))


def _shown_by_next(known: list[Trade], last: int, grace: int) -> Interval:
    """From ``last`` to the first settlement after it, at most the grace."""
    after = (trade.settled_at for trade in known if trade.settled_at is not None and trade.settled_at > last)
    return Interval(last, min(min(after, default=last), last + grace))


def _is_late(trade: Trade, grace: int) -> bool:
    return trade.settled_at is None or trade.settled_at > trade.row.t_ns + grace


def _is_lone(span: Interval, spans: list[Interval], grace: int) -> bool:
    """A difference that stood by itself for less than the grace is one slow commit, not a queue."""
    if span.latest - span.earliest >= grace:
        return False
    near = span.widened(NS)
    return sum(other.earliest <= near.latest and near.earliest <= other.latest for other in spans) == 1


AGREE = Condition(("exchange", "oms", "notices"), since)
"""Books that agree."""
