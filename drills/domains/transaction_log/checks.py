"""The log is whole, nothing was accepted without it, and its volume has room again."""

from __future__ import annotations

from drills.domains.transaction_log import facts
from drills.judge.check import NOT_EXERCISED, Check, because, combine, count
from drills.judge.interval import seconds
from drills.judge.timeline import is_for_fault, pages
from drills.record.history import CheckResult, Count, History, Reason, Status

FULLEST = 0.70
"""Share of bytes or inodes above which a volume has no room: where the monitor writes its first ticket."""
SOONEST_S = 60.0
"""A volume that is full sooner than this at the pace of the last requests is not relieved."""


def orders_logged(history: History) -> CheckResult:
    """Every order that was accepted has a whole line in the log, wherever its file lies by now."""
    return combine(count("log.unlogged", [each.row for each in facts.unlogged(history)], len(facts.accepted(history))))


def log_whole(history: History) -> CheckResult:
    """Every number that was ever given is on a whole line, those of the days before too, and no line is torn."""
    mark = facts.high_water(history)
    if mark is None:
        return because(Status.UNKNOWN, "log.no-mark")
    row, high = mark
    missing, torn = facts.missing_numbers(history), [(at, each) for at, each in facts.files(history) if each.damaged]
    counts = [
        Count("log.missing-numbers", missing, high.sequence, [row] if missing else []),
        Count("log.torn-lines", sum(each.damaged for _, each in torn), high.sequence, [at for at, _ in torn]),
    ]
    rows = [at for each in counts for at in each.evidence]
    return CheckResult(Status.FAIL if rows else Status.PASS, counts, evidence=rows)


def log_volume_relieved(history: History) -> CheckResult:
    """At the end the volume has room, and will have it for a while at the pace of the last requests."""
    seen = facts.volume(history)
    if seen is None:
        return because(Status.UNKNOWN, "log.no-limit")
    row, end = seen
    used = {"bytes": 1 - end.free / end.size, "inodes": 1 - end.inodes_free / end.inodes}
    to_full = end.free / end.growth if end.growth > 0 else None
    found = [Reason("log.used", {"of": of, "percent": round(share * 100, 1)}) for of, share in used.items()]
    if to_full is not None:
        found.append(Reason("log.full-in", {"seconds": round(to_full, 1)}))
    tight = max(used.values()) > FULLEST or (to_full is not None and to_full < SOONEST_S)
    return CheckResult(Status.FAIL if tight else Status.PASS, reasons=found, evidence=[row] if tight else [])


def alerted_before_the_breach(history: History) -> CheckResult:
    """Where the log was refused, an alert that names the cause had come before."""
    refused = facts.first_refusal(history)
    if refused is None:
        return because(Status.PASS, NOT_EXERCISED)
    alerts = [page.t for page in pages(history) if is_for_fault(history, page) and page.layer == "cause"]
    if not alerts:
        return because(Status.FAIL, "log.no-alert", [refused[1]])
    lead = refused[0] - min(alerts)
    said = Reason("log.lead", {"seconds": seconds(lead)})
    return CheckResult(
        Status.PASS if lead > 0 else Status.FAIL, reasons=[said], evidence=[] if lead > 0 else [refused[1]]
    )


ORDERS = ("world", "customers", "exchange", "oms", facts.BOOK)
CHECKS = (
    Check("orders-logged", "I-03", ORDERS, False, orders_logged),
    Check("log-whole", "I-17", (facts.BOOK,), False, log_whole),
    Check("log-volume-relieved", "I-11", (facts.BOOK,), False, log_volume_relieved),
    Check("alerted-before-the-breach", "I-11", ("customers",), False, alerted_before_the_breach),
)
