"""The end: nothing left lying about in the target, and nothing of ours left in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from drills.judge import outage
from drills.judge.check import Check, because, combine, count
from drills.judge.domain import Residual, books_of
from drills.judge.timeline import fault_indexes, injection
from drills.record.history import CheckResult, Count, History, Status


def checks(residuals: Sequence[Residual]) -> tuple[Check, ...]:
    """That none of these was left, and nothing of the faults."""
    return (
        Check("nothing-left-behind", "I-18", books_of(residuals), False, partial(nothing_left_behind, residuals)),
        Check("nothing-still-injected", "", (), True, nothing_still_injected),
    )


def nothing_left_behind(residuals: Sequence[Residual], history: History) -> CheckResult:
    """Nothing is left of what must not last: stuck orders, unsent notices, closed services and the like."""
    return combine(*(each.left(history) for each in residuals))


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


def _closed_services(history: History) -> Count:
    services = outage.services(history)
    return count("left.services", list(_last_refused(history)), len(services))


def _last_refused(history: History) -> Iterator[str]:
    """The last request to each service that the operator still had closed."""
    for service in outage.services(history):
        if len(service.closed) and bool(service.closed[-1]):
            yield f"samples:{int(np.searchsorted(history.samples.intended, service.intended[-1]))}"


CLOSED_SERVICES = Residual((), _closed_services)
