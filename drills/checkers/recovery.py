"""The end: nothing left lying about in the target, and nothing of ours left in it."""

from __future__ import annotations

from collections import Counter

from drills.checkers.check import MOST_EVIDENCE, Check
from drills.history import History, Ruling, Verdict
from drills.judging import leftovers
from drills.judging.timeline import fault_indexes, injection


def nothing_left_behind(history: History) -> Verdict:
    """No stuck order, unposted execution or unsent notice; services open and balances current again."""
    found = leftovers.leftovers(history)
    if not found:
        return Verdict(Ruling.PASS, "no stuck order, open execution or notice, closed service or marked balance")
    count = Counter(left.what for left in found)
    says = "; ".join(f"{number} × {what}" for what, number in sorted(count.items()))
    return Verdict(Ruling.FAIL, says, [left.evidence for left in found][:MOST_EVIDENCE])


def nothing_still_injected(history: History) -> Verdict:
    """Each fault whose injection was begun was undone, and seen to be gone.

    The runner undoes all that was planned, also what it never came to inject: that is nothing left.
    """
    records = [injection(history, index) for index in fault_indexes(history)]
    begun = [record for record in records if record.begun]
    if not begun:
        return Verdict(Ruling.PASS, "nothing was injected")
    left = [record for record in begun if not (record.undone and record.gone)]
    if left:
        rows = [f"events:{record.events[-1]}" for record in left]
        return Verdict(Ruling.INVALID, f"{len(left)} of {len(begun)} faults not seen gone: run `kunren heal`", rows)
    return Verdict(Ruling.PASS, f"{len(begun)} of {len(begun)} faults undone and seen gone")


CHECKS = (
    Check("nothing-left-behind", "I-18", leftovers.NEEDS, False, nothing_left_behind),
    Check("nothing-still-injected", "", (), True, nothing_still_injected),
)
