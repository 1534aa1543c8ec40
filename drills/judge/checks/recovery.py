"""The end: nothing left lying about in the target, and nothing of ours left in it."""

from __future__ import annotations

from drills.judge import residuals
from drills.judge.check import Check, because, combine
from drills.judge.timeline import fault_indexes, injection
from drills.record.history import CheckResult, Count, History, Status


def nothing_left_behind(history: History) -> CheckResult:
    """No stuck order, unposted execution or unsent notice; services open and balances current again."""
    return combine(*residuals.residuals(history))


def nothing_still_injected(history: History) -> CheckResult:
    """Each fault whose injection was begun was undone, and seen to be gone.

    The runner undoes all that was planned, also what it never came to inject: that is nothing left.
    """
    records = [injection(history, index) for index in fault_indexes(history)]
    begun = [record for record in records if record.begun]
    if not begun:
        return because(Status.PASS, "fault.none-injected")
    left = [record for record in begun if not (record.undone and record.gone)]
    if left:
        rows = [f"events:{record.events[-1]}" for record in left]
        return CheckResult(Status.INVALID, [Count("fault.still-there", len(left), len(begun), rows)], evidence=rows)
    return because(Status.PASS, "fault.removed", n=len(begun))


CHECKS = (
    Check("nothing-left-behind", "I-18", residuals.NEEDS, False, nothing_left_behind),
    Check("nothing-still-injected", "", (), True, nothing_still_injected),
)
