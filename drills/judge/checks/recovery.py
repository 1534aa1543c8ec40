"""The end: nothing left lying about in the target, and nothing of ours left in it."""

from __future__ import annotations

from collections import Counter

from drills.judge import residuals as residuals
from drills.judge.checks.check import MOST_EVIDENCE, Check
from drills.judge.timeline import fault_indexes, injection
from drills.record.history import CheckResult, History, Status


def nothing_left_behind(history: History) -> CheckResult:
    """No stuck order, unposted execution or unsent notice; services open and balances current again."""
    found = residuals.residuals(history)
    if not found:
        return CheckResult(Status.PASS, "no stuck order, open execution or notice, closed service or marked balance")
    count = Counter(left.what for left in found)
    says = "; ".join(f"{number} × {what}" for what, number in sorted(count.items()))
    return CheckResult(Status.FAIL, says, [left.evidence for left in found][:MOST_EVIDENCE])


def nothing_still_injected(history: History) -> CheckResult:
    """Each fault whose injection was begun was undone, and seen to be gone.

    The runner undoes all that was planned, also what it never came to inject: that is nothing left.
    """
    records = [injection(history, index) for index in fault_indexes(history)]
    begun = [record for record in records if record.begun]
    if not begun:
        return CheckResult(Status.PASS, "nothing was injected")
    left = [record for record in begun if not (record.undone and record.gone)]
    if left:
        rows = [f"events:{record.events[-1]}" for record in left]
        return CheckResult(Status.INVALID, f"{len(left)} of {len(begun)} faults not seen gone: run `kunren heal`", rows)
    return CheckResult(Status.PASS, f"{len(begun)} of {len(begun)} faults undone and seen gone")


CHECKS = (
    Check("nothing-left-behind", "I-18", residuals.NEEDS, False, nothing_left_behind),
    Check("nothing-still-injected", "", (), True, nothing_still_injected),
)
