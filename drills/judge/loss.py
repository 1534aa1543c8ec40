"""What a run cost the customers: service lost, orders lost, made up or doubled, figures wrong, notices late.

``service_s`` is the worst service's loss, not an average: two services down for ten seconds each, or one of them, is
ten seconds of loss to whoever needed it, and adding a busy healthy service to the load must not halve the number. The
same holds for ``planned_closure_s``, the part of it in which the operator had closed the service. A number that needs a
book which is missing is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from drills.domains.figures import oracle
from drills.domains.orders import facts as orders
from drills.judge import outage, timeline
from drills.judge.harm import HARMFUL_ACTIONS, NEEDS, Harm, Instance, harms
from drills.record import books
from drills.record.history import History


@dataclass(frozen=True, slots=True)
class Harms:
    """Counts of harm, and yen to restore, from some instant on; None where a book is missing."""

    shown: int | None = None
    acted: int | None = None
    duplicated: int | None = None
    late_notices: int | None = None
    harmful_actions: int | None = None
    yen: int | None = None


def tally(found: list[Instance], since: int | None = None) -> Harms:
    """Count harms at or after ``since`` (all of them if None)."""
    mine = [one for one in found if since is None or one.t >= since]
    count = {kind: sum(one.kind == kind for one in mine) for kind in Harm}
    harmful = [one for one in mine if one.kind in HARMFUL_ACTIONS]
    return Harms(
        shown=count[Harm.SHOWN],
        acted=count[Harm.ACTED],
        duplicated=count[Harm.DUPLICATED],
        late_notices=count[Harm.LATE],
        harmful_actions=len(harmful),
        yen=sum(one.yen for one in harmful),
    )


@dataclass(frozen=True, slots=True)
class ServiceLoss:
    """Lost service in ns: of the worst service, by service, and of the worst planned closure."""

    worst: int
    by_service: dict[str, int]
    planned: int


def service(history: History, since: int | None = None) -> ServiceLoss | None:
    """Service lost by requests intended at or after ``since`` (all of the observation if None).

    None where a service was never asked for anything: the worst one's loss is then not known.
    """
    found = outage.services(history)
    if not outage.were_asked(found):
        return None
    lost = outage.lost_by_service(found, since)
    closed = outage.lost_by_service(found, since, closed_only=True)
    return ServiceLoss(max(lost.values(), default=0), lost, max(closed.values(), default=0))


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders exposed (acknowledged), lost and made up; None where a book is missing."""

    exposed: int | None = None
    lost: int | None = None
    phantom: int | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """All of it. ``after_*`` counts from the alert on, None if there was none. What cannot be known is None."""

    service: ServiceLoss | None
    after_service: ServiceLoss | None
    not_current: int | None
    orders: Orders
    harms: Harms
    after_harms: Harms
    after_first_step: int | None  # acted on wrong after the operator had first changed something
    undecidable: int | None
    unbalanced: int | None

    @staticmethod
    def unknown() -> Loss:
        """Nobody can tell what was lost."""
        return Loss(None, None, None, Orders(), Harms(), Harms(), None, None, None)


def loss(history: History, alert: int | None) -> Loss:
    """The loss of a run whose fault was alerted at ``alert`` (ns, None if never)."""
    if not outage.counts(history).sent:  # nobody was there to lose anything
        return Loss.unknown()
    found = harms(history) if _has(history, *NEEDS) else None
    changed = timeline.first_change(history)
    return Loss(
        service=service(history),
        after_service=None if alert is None else service(history, alert),
        not_current=not_current(history) if _has(history, "customers") else None,
        orders=_orders(history) if _has(history, "customers", "exchange") else Orders(),
        harms=Harms() if found is None else tally(found),
        after_harms=Harms() if found is None or alert is None else tally(found, alert),
        after_first_step=None if found is None else tally(found, changed).acted,
        undecidable=_undecidable(history) if _has(history, "world", "customers", "exchange") else None,
        unbalanced=unbalanced(history) if _has(history, "world", "oms") else None,
    )


def _has(history: History, *names: str) -> bool:
    return all(name in history.books for name in names)


def _orders(history: History) -> Orders:
    asked, accepted = orders.intents(history), orders.at_exchange(history)
    return Orders(
        exposed=sum(intent.acknowledged is not None for intent in asked.values()),
        lost=len(orders.lost(history, asked, accepted)),
        phantom=len(orders.phantoms(history, asked, accepted)),
    )


def _undecidable(history: History) -> int:
    return sum(figure.undecidable for figure in oracle.figures(history))


def not_current(history: History) -> int | None:
    """For how long figures were shown as not current, ns: each such figure stands until the next one is shown.

    None where no figure was shown.
    """
    end = timeline.observed_until(history)
    shown = sorted(
        (row.received_ns, row.current)
        for row in history.books["customers"]
        if isinstance(row, books.Shown) and row.received_ns <= end
    )
    if not shown:
        return None
    return sum(until - t for (t, current), (until, _) in pairwise([*shown, (end, True)]) if not current)


def openings(history: History) -> dict[str, int]:
    """Opening cash by account, yen, from the world."""
    return {row.account or row.id: row.cash for row in history.books["world"] if isinstance(row, books.Account)}


def unbalanced(history: History) -> int:
    """Yen that are in no order: legs that do not sum to zero, and balances that are not opening plus postings."""
    legs, gaps = imbalances(history)
    return sum(abs(yen) for yen in legs.values()) + sum(abs(yen) for yen in gaps.values())


def imbalances(history: History) -> tuple[dict[str, int], dict[str, int]]:
    """References whose legs do not sum to zero, and accounts whose balance is off: by how many yen."""
    legs = _legs(history)
    expected = openings(history)  # a house account opens at nothing
    gaps: dict[str, int] = {}
    for row in history.books["oms"]:
        if isinstance(row, books.Posting):  # the balances are as old as the reading, so all postings belong to them
            expected[row.account] = expected.get(row.account, 0) + row.yen
    for row in history.books["oms"]:
        if isinstance(row, books.Balance):
            gaps[row.account or row.id] = row.cash - expected.get(row.account or row.id, 0)
    return (
        {reference: yen for reference, yen in legs.items() if yen},
        {account: yen for account, yen in gaps.items() if yen},
    )


def _legs(history: History) -> dict[str, int]:
    """Yen by reference as it stood at the end; one begun within the grace before it was in flight, and counts whole."""
    end = timeline.observed_until(history)
    postings = [row for row in history.books["oms"] if isinstance(row, books.Posting)]
    begun: dict[str, int] = {}
    for row in postings:
        begun[row.reference] = min(row.t_ns, begun.get(row.reference, row.t_ns))
    legs: dict[str, int] = {}
    for row in postings:
        if row.t_ns <= end or end - history.plan.slo.grace < begun[row.reference] <= end:
            legs[row.reference] = legs.get(row.reference, 0) + row.yen
    return legs
