"""What became of customers' intents while more came than could be passed on: facts of a history.

An intent is what a customer wants, however often the order is sent or typed anew: it counts once, from its first
request.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field

from drills.domains.congestion.rows import RoomEvent
from drills.domains.customers.rows import Reply, Request
from drills.domains.orders import facts as orders
from drills.judge.facts import fact
from drills.judge.timeline import observed_until
from drills.record.history import NS, History, RequestOutcome

BOOK = "waiting-room"
SLOTS = "api.slots"
"""The setting that has orders wait for a slot; nought or none: they do not."""
ANSWERS = frozenset({RequestOutcome.OK, RequestOutcome.REJECT})
"""Outcomes by which a customer knows what became of the order."""
LATE = 5 * NS
"""An order that comes to the exchange so long after its customer meant it to is late: the price may be another."""
OVERTAKEN = 2 * NS
"""By how much somebody who came later may be let in earlier: customers come again about once a second."""


@dataclass(slots=True)
class Wanted:
    """One intent: when it was due (ns), what became of each try, and when there was a first answer to any of them."""

    root: str
    index: int  # of the first request, in the customers' book
    intended: int
    closing: bool  # it sells what the customer holds
    keys: set[str] = field(default_factory=set)
    tries: int = 0
    answered: int | None = None
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """A customer's wish to cancel, and when it was answered (ns; None: not by the end)."""

    t_ns: int
    answered: int | None


def gated(history: History) -> bool:
    """Whether orders had to wait for a slot in this run."""
    return history.plan.settings.get(SLOTS, 0) > 0


@fact
def answers(history: History) -> dict[str, Reply]:
    """Row of a request -> what came back for it by the end of the observation, time-outs included."""
    end = observed_until(history)
    return {row.id: row for row in history.books["customers"] if isinstance(row, Reply) and row.t_ns <= end}


@fact
def wanted(history: History) -> list[Wanted]:
    """Every intent of which a first order was sent by the end, in that order."""
    end, heard = observed_until(history), answers(history)
    found: dict[str, Wanted] = {}
    for index, row in enumerate(history.books["customers"]):
        if not isinstance(row, Request) or row.action != "order" or row.t_ns > end:
            continue
        root = row.root or row.key
        one = found.setdefault(root, Wanted(root, index, row.intended_ns, row.side == "sell"))
        one.keys.add(row.key)
        one.tries += 1
        answer = heard.get(row.id)
        if one.answered is None and answer is not None and answer.outcome in ANSWERS:
            one.answered, one.rejected = answer.t_ns, answer.outcome == RequestOutcome.REJECT
    for intent in orders.acknowledged(history):  # by an answer to the order, or to a look at what became of it
        one, told = found[intent.root], history.books["customers"][intent.acknowledged or 0].t_ns
        one.answered = told if one.answered is None else min(told, one.answered)
    return list(found.values())


@fact
def cancels(history: History) -> list[Cancel]:
    """Every order that a customer wished to cancel by the end."""
    end, heard = observed_until(history), answers(history)
    asked = (row for row in history.books["customers"] if isinstance(row, Request) and row.action == "cancel")
    return [Cancel(row.t_ns, _known(heard.get(row.id))) for row in asked if row.t_ns <= end]


def _known(answer: Reply | None) -> int | None:
    return answer.t_ns if answer is not None and answer.outcome in ANSWERS else None


@fact
def ghosts(history: History) -> list[tuple[int, orders.AtExchange]]:
    """Orders at the exchange that their customers gave up on without being told of them, and since when (ns).

    One that is still being waited for at the end is none, nor one that the customer was told of under whichever try.
    """
    if not gated(history):
        return []
    end, gave_up, told = observed_until(history), _gave_up(history), orders.intents(history)
    return [
        (max(each.row.t_ns, gave_up[each.row.key]), each)
        for each in orders.at_exchange(history)
        if each.row.t_ns <= end and each.row.key in gave_up and told[each.row.key].acknowledged is None
    ]


def _gave_up(history: History) -> dict[str, int]:
    """Key -> when the last request for it ended without an answer, ns; not of those under way."""
    end, heard = observed_until(history), answers(history)
    last: dict[str, Reply | None] = {}
    for row in history.books["customers"]:
        if isinstance(row, Request) and row.action == "order" and row.t_ns <= end:
            last[row.key] = heard.get(row.id)
    ended = {key: row for key, row in last.items() if row is not None}
    return {key: row.t_ns for key, row in ended.items() if row.outcome not in ANSWERS}


@fact
def there(history: History) -> dict[str, int]:
    """Key -> when its order was first at the exchange, ns, by the end."""
    end = observed_until(history)
    found: dict[str, int] = {}
    for each in orders.at_exchange(history):
        if each.row.t_ns <= end:
            found.setdefault(each.row.key, each.row.t_ns)
    return found


@fact
def room(history: History) -> list[tuple[int, RoomEvent]]:
    """What happened in the waiting room up to the end, with its places."""
    end, rows = observed_until(history), enumerate(history.books[BOOK])
    return [(index, row) for index, row in rows if isinstance(row, RoomEvent) and row.t_ns <= end]


@fact
def admitted(history: History) -> list[tuple[int, RoomEvent]]:
    """Who was let in with a ticket."""
    return [(index, row) for index, row in room(history) if row.what == "admitted" and row.ticket]


@fact
def overtaken(history: History) -> list[tuple[int, RoomEvent]]:
    """Of these, who was let in well after somebody who had come later."""
    since: list[int] = []  # of those let in well before the one at hand, sorted
    found, early = [], 0
    rows = sorted(admitted(history), key=lambda pair: pair[1].t_ns)
    for index, row in rows:
        while rows[early][1].t_ns < row.t_ns - OVERTAKEN:
            insort(since, rows[early][1].since_ns)
            early += 1
        if bisect_left(since, row.since_ns + 1) < len(since):
            found.append((index, row))
    return found


@fact
def by_ticket(history: History) -> dict[str, list[tuple[int, RoomEvent]]]:
    """Ticket -> all that happened to it, in order."""
    found: dict[str, list[tuple[int, RoomEvent]]] = defaultdict(list)
    for index, row in room(history):
        if row.ticket:
            found[row.ticket].append((index, row))
    return found
