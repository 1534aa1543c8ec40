"""Standing check: were the harness's own parts sound, so that what is seen is the target's doing?

Any error of our own makes the run invalid, be it one. There is no share below which it would not matter: an accept or
a connect is made for somebody, a poll for an alert that may have stood there, and which request paid for it is in no
book. It is cheap to run again; to blame the target for it, or to let it hide behind it, is not. What the *target* does,
be it out of descriptors itself, is no such error: our parts tell only of calls of their own that their own machine
refused (``targets.own_errors``).
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.judge.check import Check, because
from drills.judge.timeline import events
from drills.record.history import CheckResult, Event, History, Reason, Status

WHAT = "own-errors"
SOUND = "own-parts-sound"
ALWAYS = ("harness", "load", "proxy")
"""No run can judge without these, whatever its record names; one of before they gave account names none."""


def own_parts_sound(history: History) -> CheckResult:
    """Every part of ours has given account, and none tells of an error. A run without accounts cannot vouch for it."""
    parts = list(dict.fromkeys([*history.run.own_parts, *ALWAYS]))
    told = {part: list(events(history, part, WHAT)) for part in parts}
    silent = [part for part, found in told.items() if not found]
    found = [reason for part, its in told.items() for event in its for reason in _errors(part, event)]
    found += [Reason("own.no-account", {"parts": silent})] if silent else []
    if found:
        rows = [f"events:{event.index}" for its in told.values() for event in its if _counts(event) != {}]
        return CheckResult(Status.INVALID, reasons=found, evidence=rows)
    return because(Status.PASS, "own.sound", parts=parts)


def _errors(part: str, event: Event) -> Iterator[Reason]:
    """What a part tells of, a kind each; an account that cannot be read is none."""
    counts = _counts(event)
    if counts is None:
        yield Reason("own.account-unreadable", {"part": part})
        return
    first = str(event.data.get("first", ""))
    for kind, count in counts.items():
        yield Reason("own.error", {"part": part, "n": count, "kind": kind})
    if counts and first:
        yield Reason("own.first", {"part": part, "line": first})


def _counts(event: Event) -> dict[str, int] | None:
    counts = event.data.get("counts")
    if not isinstance(counts, dict):
        return None
    return counts if all(type(each) is int and each > 0 for each in counts.values()) else None


CHECKS = (Check(SOUND, "", (), True, own_parts_sound),)
