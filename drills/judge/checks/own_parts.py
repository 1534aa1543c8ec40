"""Standing check: were the harness's own parts sound, so that what is seen is the target's doing?

Any error of our own makes the run invalid, be it one. There is no share below which it would not matter: an accept or
a connect is made for somebody, a poll for an alert that may have stood there, and which request paid for it is in no
book. It is cheap to run again; to blame the target for it, or to let it hide behind it, is not. What the *target* does,
be it out of descriptors itself, is no such error: our parts tell only of calls of their own that their own machine
refused (``targets.own_errors``).
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.judge.checks.check import Check
from drills.judge.timeline import events
from drills.record.history import CheckResult, Event, History, Status

WHAT = "own-errors"
SOUND = "own-parts-sound"
ALWAYS = ("harness", "load", "proxy")
"""No run can judge without these, whatever its record names; one of before they gave account names none."""


def own_parts_sound(history: History) -> CheckResult:
    """Every part of ours has given account, and none tells of an error. A run without accounts cannot vouch for it."""
    parts = list(dict.fromkeys([*history.run.own_parts, *ALWAYS]))
    told = {part: list(events(history, part, WHAT)) for part in parts}
    silent = [part for part, found in told.items() if not found]
    says = [words for part, found in told.items() for event in found for words in _errors(part, event)]
    says += [f"no account of their own errors by {', '.join(silent)}"] if silent else []
    if says:
        rows = [f"events:{event.index}" for found in told.values() for event in found if _counts(event) != {}]
        return CheckResult(Status.INVALID, "; ".join(says), rows)
    return CheckResult(Status.PASS, f"no error of our own parts: {', '.join(parts)}")


def _errors(part: str, event: Event) -> Iterator[str]:
    """What a part tells of, a kind each; an account that cannot be read is none."""
    counts = _counts(event)
    if counts is None:
        yield f"the account of {part} cannot be read"
        return
    first = str(event.data.get("first", "")).replace("; ", ", ")  # parts of a sentence are joined by it
    for kind, count in counts.items():
        yield f"kunren's {part}: {count} × {kind}"
    if counts and first:
        yield f"first of {part}: {first}"


def _counts(event: Event) -> dict[str, int] | None:
    counts = event.data.get("counts")
    if not isinstance(counts, dict):
        return None
    return counts if all(type(each) is int and each > 0 for each in counts.values()) else None


CHECKS = (Check(SOUND, "", (), True, own_parts_sound),)
