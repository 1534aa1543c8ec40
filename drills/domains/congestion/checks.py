"""Places in the waiting room are kept, and somebody was warned before customers gave up."""

from __future__ import annotations

from drills.domains.congestion import facts
from drills.domains.customers.rows import Reply
from drills.judge.check import Check, combine, count
from drills.judge.timeline import injected_at
from drills.judge.warning import alerted_before
from drills.record.history import CheckResult, History, RequestOutcome


def places_kept(history: History) -> CheckResult:
    """Each ticket was given once, and ended at most once: its holder was let in, or did not come again."""
    tickets = facts.by_ticket(history)
    unknown = [rows[0][0] for rows in tickets.values() if rows[0][1].what != "ticket"]
    again = [row[0] for rows in tickets.values() for row in rows[1:] if row[1].what == "ticket"]
    let_in = ([index for index, row in rows if row.what == "admitted"] for rows in tickets.values())
    twice = [index for found in let_in for index in found[1:]]
    return combine(
        count("congestion.unknown-ticket", _rows(unknown), len(tickets)),
        count("congestion.given-twice", _rows(again), len(tickets)),
        count("congestion.let-in-twice", _rows(twice), len(tickets)),
    )


def let_in_as_they_came(history: History) -> CheckResult:
    """Nobody was let in well after somebody who had come later."""
    found = [index for index, _ in facts.overtaken(history)]
    return combine(count("congestion.overtaken", _rows(found), len(facts.admitted(history))))


def warned_before_giving_up(history: History) -> CheckResult:
    """Where a customer gave up an order, an alert that names the cause had come before."""
    struck = injected_at(history)
    if struck is None:
        return alerted_before(history, None, "congestion.lead", "congestion.no-alert")
    gave_up = (
        (row.t_ns, f"customers:{index}")
        for index, row in enumerate(history.books["customers"])
        if isinstance(row, Reply)
        and row.action == "order"
        and row.outcome == RequestOutcome.TIMEOUT
        and row.t_ns >= struck.earliest
    )
    return alerted_before(history, next(gave_up, None), "congestion.lead", "congestion.no-alert")


def _rows(indexes: list[int]) -> list[str]:
    return [f"{facts.BOOK}:{index}" for index in indexes]


CHECKS = (
    Check("places-kept", "I-03", (facts.BOOK,), False, places_kept),
    Check("let-in-as-they-came", "I-03", (facts.BOOK,), False, let_in_as_they_came),
    Check("warned-before-giving-up", "I-11", ("customers",), False, warned_before_giving_up),
)
