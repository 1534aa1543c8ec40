"""Runs that cannot judge, one for each way there, made up from correct histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from drills.cards import judge, score
from drills.domains.cash.rows import Balance
from drills.judge.scorecard import Scorecard
from drills.record.damage import damaged
from drills.record.history import NS, History, Kind, Objective, RunEnd, Samples

from .synthetic import END, FAULT, Draft, at, correct, replanned

NEVER_HEALTHY = "api did not get healthy within 3 s; it left no log"


def only_began(reason: str, says: str, *events: tuple[str, Kind, str], arm: str = "runbook") -> History:
    """A run that was over before a customer came; ``events`` tell how far it got."""
    draft = correct(3, arm)
    draft.events = []
    draft.note(-2, "runner", Kind.INFO, "started", arm=arm, seed=1)
    draft.note(-1.9, "runner", Kind.INVOKE, "target")
    for n, (actor, kind, what) in enumerate(events):
        draft.note(-1.5 + n / 10, actor, kind, what)
    if arm == "runbook":  # the runner undoes what it had planned, whether or not it was begun
        for _ in range(3):
            draft.note(-0.5, "fault:0", Kind.INVOKE, "rollback")
            draft.note(-0.5, "fault:0", Kind.FAIL, "rollback", says="connection refused")
            draft.note(-0.5, "fault:0", Kind.FAIL, "verify_removed", says="connection refused")
    draft.note(-0.1, "runner", Kind.INFO, "finished", reason=reason, says=says)
    draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(0), reason, says), ready=None)
    history = draft.history()
    return History(history.run, history.events, Samples.empty(history.samples.names), {"world": history.books["world"]})


READY = (("runner", Kind.OK, "target"),)
LOGGED_IN = (*READY, ("load", Kind.INFO, "ready"))


def without(draft: Draft, actor: str, *whats: str) -> Draft:
    draft.events = [event for event in draft.events if event[1] != actor or (whats and event[3] not in whats)]
    return draft


def without_requests(arm: str = "runbook") -> History:
    """All went its way, but no customer ever came; nothing was shown, ordered or executed."""
    draft = correct(3, arm)
    for rows in (draft.samples, draft.customers, draft.exchange, draft.notices):
        rows.clear()
    draft.oms = [msgspec.structs.replace(row, cash=10_000_000) for row in draft.oms if isinstance(row, Balance)]
    return draft.history()


def killed() -> History:
    draft = correct(13)
    draft.events = [event for event in draft.events if event[0] < at(12)]
    draft.samples = [sample for sample in draft.samples if sample[0] < at(12)]
    draft.run = msgspec.structs.replace(draft.run, end=None, clock={"start": 10**18})
    whole = draft.history()
    damage = (damaged("cut-off", "events.jsonl", line=9), damaged("missing", "books/oms.jsonl"))
    return History(whole.run, whole.events, whole.samples, {"world": whole.books["world"]}, damage)


def ended_by(reason: str, says: str = "") -> History:
    draft = correct(5)
    draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(END + 5), reason, says))
    return draft.history()


def baseline_was_bad() -> History:
    draft = without(correct(5), "fault:0")
    draft.events = [event for event in draft.events if event[1] != "operator" and event[0] <= at(5)]
    draft.events = [event for event in draft.events if not (event[3] == "baseline" and event[2] == Kind.OK)]
    shares = {"orders": 0.42, "inquiry": 1.0}
    draft.note(5, "runner", Kind.FAIL, "baseline", good=shares, alerts=["OrdersBurn"], stalled=["inquiry"])
    draft.run = msgspec.structs.replace(draft.run, end=RunEnd(at(6), "baseline"))
    return draft.history()


def late_load() -> History:
    draft = correct(3)
    for sample in draft.samples:
        sample[1] += NS // 10
        sample[2] = max(sample[2], sample[1] + 1000)
    return draft.history()


def failed_half_way() -> History:
    """The injection failed, and nobody has seen that nothing of it is left."""
    draft = without(correct(3), "fault:0")
    draft.note(FAULT, "fault:0", Kind.INVOKE, "inject")
    draft.note(FAULT + 0.1, "fault:0", Kind.FAIL, "inject", says="the proxy does not answer")
    draft.note(END + 3, "fault:0", Kind.INVOKE, "rollback")
    draft.note(END + 3.1, "fault:0", Kind.FAIL, "rollback", says="the proxy does not answer")
    draft.note(END + 3.2, "fault:0", Kind.FAIL, "verify_removed", says="the proxy does not answer")
    return draft.history()


def clock_not_recorded() -> History:
    draft = correct(3)
    draft.run = msgspec.structs.replace(draft.run, clock={"start": 10**18})
    return draft.history()


def within_the_limit() -> History:
    """The recovery's limit lies inside the interval that was measured."""
    limits = [Objective("recover", 7.1, "s") if one.id == "recover" else one for one in correct(3).plan.objectives]
    return replanned(correct(3), objectives=limits).history()


HISTORIES: Mapping[str, Callable[[], History]] = {
    "target never healthy": lambda: only_began("error", NEVER_HEALTHY),
    "target never healthy, no fault": lambda: only_began("error", NEVER_HEALTHY, arm="no-fault"),
    "no descriptors": lambda: only_began("error", "[Errno 24] Too many open files: 'work/load.log'", *READY),
    "nobody logged in": lambda: only_began("error", "log-in of C-0485: reset", *READY),
    "not labelled": lambda: only_began("refused", "the target shows no drill label"),
    "failed later": lambda: only_began("error", "the load generator died", *LOGGED_IN),
    "baseline": baseline_was_bad,
    "killed": killed,
    "Ctrl-C": lambda: ended_by("interrupted", "stopped by Ctrl-C; everything was undone"),
    "terminated": lambda: ended_by("terminated", "stopped by SIGTERM; everything was undone"),
    "without requests": without_requests,
    "without requests, no fault": lambda: without_requests("no-fault"),
    "without monitor": lambda: without(correct(3), "monitor").history(),
    "without monitor, no fault": lambda: without(correct(3, "no-fault"), "monitor").history(),
    "unwitnessed": lambda: without(correct(7), "fault:0", "verify_effect").history(),
    "prevented, unwitnessed": lambda: without(correct(7, effect=False), "fault:0", "verify_effect").history(),
    "failed half-way": failed_half_way,
    "late load": late_load,
    "no clock": clock_not_recorded,
    "no book": lambda: correct(3).history(without="exchange"),
    "page not followed": lambda: without(correct(3), "operator").history(),
    "limit within": within_the_limit,
}
"""Name -> history; the verdict of each is unknown or invalid."""

GOLDEN = Path(__file__).parents[1] / "golden"
FOLDERS = ("unknown", "invalid-unwitnessed", "invalid-truncated-book", "invalid-killed")

UNJUDGED = (*HISTORIES, *(f"golden {name}" for name in FOLDERS))
"""All of them, with the golden folders."""


@cache
def card_of(name: str) -> tuple[Scorecard, History]:
    """The card of one of UNJUDGED, and the history behind it."""
    if name.startswith("golden "):
        return judge(GOLDEN / name.removeprefix("golden "))
    history = HISTORIES[name]()
    return score(history, "3f9c" * 16), history
