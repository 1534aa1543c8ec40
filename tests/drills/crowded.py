"""Correct histories in which orders have to wait for a slot, and a waiting room was open for a while."""

from __future__ import annotations

import msgspec

from drills.domains.congestion import facts
from drills.domains.congestion.rows import RoomEvent
from drills.domains.customers.rows import Reply, Request
from drills.domains.market.checks import REFUSED
from drills.domains.market.rows import MarketPrice
from drills.record.history import NS, RequestOutcome

from . import synthetic as made
from .synthetic import FAULT, Draft, at

CROWD_CHECKS = [
    "places-kept",
    "let-in-as-they-came",
    "warned-before-giving-up",
    "refusals-right",
    "bought-within-means",
]
COLLAR, RISES = 0.03, 2
"""How far from the price a limit may be; and by how many yen a second the price goes up of what the news is about."""
WARNED = 8.2
"""Just after the alert."""
OPENED, TICKETS = FAULT + 2, 30


def correct_crowded(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day with the waiting room's book. Whoever gives up an order for the fault does so after the alert."""
    draft = made.correct(seed, arm, effect)
    checks, settings = [*made.CHECKS, *CROWD_CHECKS], {"api.slots": 12.0, "api.collar": COLLAR}
    draft.plan = msgspec.structs.replace(draft.plan, checks=checks, settings=settings)
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "waiting-room", "market"])
    draft.customers = [_patient(row) for row in draft.customers]
    _tell(draft)
    draft.market = [MarketPrice(t_ns=at(t), id=NEWS, price=price_at(t)) for t in range(-5, int(made.END) + 5)]
    for n, (t, away) in enumerate(((1, 0.05), (20, -0.04))):  # far from the price of then
        refuse(draft, f"9{n:05}", t, int(price_at(t) * (1 + away)))
    if draft.plan.injects:
        draft.waiting_room = list(_room())
    return draft


NEWS = "9999"


def price_at(t: float) -> int:
    """Of the instrument in the news, yen a share; it moves once a second."""
    return 2_000 + RISES * int(t)


def refuse(draft: Draft, row: str, t: float, price: int) -> Reply:
    """Somebody asks for it at that limit, and is refused because of it."""
    common = {"id": row, "account": "C-0001", "key": f"7-{row}", "action": "order"}
    terms = {"code": NEWS, "side": "buy", "quantity": 100, "price": price}
    draft.customers.append(Request(t_ns=at(t + 0.3), intended_ns=at(t + 0.3), root=f"7-{row}", **common, **terms))
    answer = Reply(t_ns=at(t + 0.31), status=422, outcome=RequestOutcome.REJECT, error=REFUSED, **common)
    draft.customers.append(answer)
    return answer


def _tell(draft: Draft) -> None:
    """Whoever gave up an order that is at the exchange looks what became of it, and is told."""
    for n, (since, each) in enumerate(facts.ghosts(draft.history())):
        common = {"id": f"8{n:05}", "account": each.row.account, "key": each.row.key, "action": "status"}
        draft.customers.append(Request(t_ns=since + 1, intended_ns=since + 1, **common))
        draft.customers.append(Reply(t_ns=since + 2, status=200, outcome=RequestOutcome.OK, state="new", **common))


def _patient(row: object) -> object:
    if isinstance(row, Reply) and row.outcome == RequestOutcome.TIMEOUT and at(FAULT) <= row.t_ns < at(WARNED):
        return msgspec.structs.replace(row, t_ns=at(WARNED))
    return row


def _room() -> list[RoomEvent]:
    """Ten tickets a second; each holder is let in about a second later, but for some who did not come again."""
    rows = [RoomEvent(t_ns=at(OPENED), what="opened")]
    for n in range(TICKETS):
        given, ticket = at(OPENED + n / 10), f"W-{n + 1:06}"
        more = {"ticket": ticket, "since_ns": given, "account": "C-0001", "key": f"7-{n}"}
        rows.append(RoomEvent(t_ns=given, what="ticket", **more))
        gone = n % 10 == 9
        rows.append(RoomEvent(t_ns=given + (2 if gone else 1) * NS, what="expired" if gone else "admitted", **more))
    return [*rows, RoomEvent(t_ns=at(OPENED + 6), what="closed")]
