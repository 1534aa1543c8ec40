"""Execution notices: one for each execution, none for anything else."""

from __future__ import annotations

from drills.domains.orders import trades
from drills.judge.check import Check, combine, count
from drills.judge.timeline import observed_until
from drills.record.history import CheckResult, History


def notices_complete(history: History) -> CheckResult:
    """Each execution older than the notice limit has exactly one notice, to its own account; none is invented.

    A late notice is counted as loss and does not fail this.
    """
    known = trades.trades(history)
    until = observed_until(history) - history.plan.slo.notice
    due = [trade for trade in known if trade.row.t_ns <= until]
    missing = [f"exchange:{trade.index}" for trade in due if not trade.noticed]
    again = [f"notices:{index}" for trade in known for index, _ in trade.noticed[1:]]
    wrong = [f"notices:{i}" for trade in known for i, row in trade.noticed if row.account != trade.row.account]
    sent = sum(1 for _ in trades.notices(history))
    invented = [f"notices:{index}" for index, _ in trades.unknown_notices(history, known)]
    return combine(
        count("notices.missing", missing, len(due)),
        count("notices.repeated", again, sent),
        count("notices.misdirected", wrong, sent),
        count("notices.invented", invented, sent),
    )


CHECKS = (Check("notices-complete", "I-06", ("exchange", "notices"), False, notices_complete),)
