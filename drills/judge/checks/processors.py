"""Had the target processors to work with? Where others kept all busy, it may have been late for that reason alone.

Not one of the checks that every run is asked: it says nothing of a run on a machine of its own, and of another one it
matters what the others found (``run_checks.contended``).
"""

from __future__ import annotations

from drills.judge.check import MOST_EVIDENCE, because
from drills.judge.interval import seconds
from drills.judge.timeline import events, observed_from, observed_until
from drills.record.history import CheckResult, History, Kind, Status

ID = "processors-available"
CONTENDED = "processors.contended"


def contention(history: History) -> CheckResult | None:
    """For how long others kept all processors busy; None where that was no longer than the monitor may be silent.

    None as well where nobody measured it: a target whose processes cannot be told from others' is judged as it is.
    """
    looks = [event for event in events(history, "runner", "contended", Kind.INFO) if type(event.data.get("ns")) is int]
    figures = [event.data.get("contended_ns") for event in events(history, "runner", "processors", Kind.INFO)]
    total = max(sum(event.data["ns"] for event in looks), *(each for each in figures if type(each) is int), 0)
    limit = history.plan.slo.monitor_gap
    if total <= limit:
        return None
    span = observed_until(history) - observed_from(history)
    values = {"seconds": seconds(min(total, span)), "of": seconds(span), "limit": seconds(limit)}
    return because(Status.PASS, CONTENDED, [f"events:{event.index}" for event in looks[:MOST_EVIDENCE]], **values)
