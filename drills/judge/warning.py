"""Whether an alert had named the cause before a limit was reached (I-11)."""

from __future__ import annotations

from drills.judge.check import NOT_EXERCISED, because
from drills.judge.interval import seconds
from drills.judge.timeline import is_for_fault, pages
from drills.record.history import CheckResult, History, Status


def alerted_before(history: History, breach: tuple[int, str] | None, lead: str, no_alert: str) -> CheckResult:
    """Passes where an alert for this fault that names the cause came before ``breach``: its instant (ns) and its row.

    None: the limit was not reached. ``lead`` (with ``seconds``) and ``no_alert`` are the reasons that are given.
    """
    if breach is None:
        return because(Status.PASS, NOT_EXERCISED)
    reached, row = breach
    causes = (page.t for page in pages(history) if is_for_fault(history, page) and page.layer == "cause")
    ahead = reached - min(causes, default=reached)
    if ahead > 0:
        return because(Status.PASS, lead, seconds=seconds(ahead))
    return because(Status.FAIL, no_alert, [row])
