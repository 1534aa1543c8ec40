"""What a customer does when the time has come. Customers act on what they see.

Of each visit one request is rated. What follows from its answer (an order sized by the balance shown, a re-typed
order, a look at what became of it) is journalled but enters no rate: when the system fails it must not look as if
fewer customers had come.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from loadprofiles.desk import Call, Customer, Desk, fetch_call, status_call
from loadprofiles.profiles import Profile, Url
from loadprofiles.replies import IN_DOUBT, OPEN_STATES, Answer
from loadprofiles.samples import Outcome
from loadprofiles.tickets import Ticket, write_purchase, write_repayment, write_ticket

Rated = Callable[[Answer], None]
"""Told at once how the rated request ended."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One arrival: its number (also the row of its request), when it was meant to be (ns), and who came."""

    number: int
    intended: int
    customer: Customer
    rng: random.Random


@dataclass(frozen=True, slots=True)
class Doubt:
    """An order of which the customer does not know whether it is in."""

    ticket: Ticket
    key: str


def trade(desk: Desk, visit: Visit, rated: Rated) -> Doubt | None:
    """Place an order."""
    means, rng = visit.customer.means, visit.rng
    ticket = write_ticket(rng, means, desk.instruments, desk.profile.behaviour)
    key = desk.key(visit.number)
    answer = desk.place(visit.customer, ticket, key, key, visit.number, visit.intended)
    rated(answer)
    return Doubt(ticket, key) if answer.outcome in IN_DOUBT else None


def repay(desk: Desk, visit: Visit, rated: Rated) -> Doubt | None:
    """Pay back a small part of the loan."""
    yen = desk.profile.behaviour.repay_yen
    rated(desk.repay(visit.customer, yen, desk.key(visit.number), visit.number, visit.intended))
    return None


def inquire(desk: Desk, visit: Visit, rated: Rated) -> Doubt | None:
    """Ask for balances or a quote; a balance shown as current may be acted on."""
    habits, rng = desk.profile.behaviour, visit.rng
    if rng.random() >= habits.balances:
        code = rng.choice(desk.instruments).code
        call = Call("quote", "GET", f"/quotes/{code}", fields={"code": code})
        rated(desk.ask(visit.customer, call, visit.number, visit.intended))
        return None
    shown = desk.ask(visit.customer, Call("balances", "GET", "/balances"), visit.number, visit.intended)
    rated(shown)
    if shown.outcome is not Outcome.OK:
        return None
    desk.note_shown(visit.customer, shown)
    acts = rng.random() < habits.act
    return act(desk, visit, shown) if acts and shown.data["status"] == "current" else None


def fetch(desk: Desk, visit: Visit, rated: Rated, url: Url) -> Doubt | None:
    """Ask for the service's URL, and go."""
    rated(desk.ask(visit.customer, fetch_call(url), visit.number, visit.intended))
    return None


def act(desk: Desk, visit: Visit, shown: Answer) -> Doubt | None:
    """Repay of the cash that was shown where there is a loan and the habit, else buy for it."""
    habits = desk.profile.behaviour
    if habits.repay and visit.customer.means.loan > 0 and visit.rng.random() < habits.repay:
        act_by_repayment(desk, visit, shown)
        return None
    return act_by_order(desk, visit, shown)


def act_by_repayment(desk: Desk, visit: Visit, shown: Answer) -> None:
    """Repay a part of the cash shown; nothing where that is too little or the load closes."""
    yen = write_repayment(visit.rng, shown.data["cash"], visit.customer.means.loan, desk.profile.behaviour)
    if yen and not desk.closing.is_set():
        answer = desk.repay(visit.customer, yen, desk.key(visit.number, "a"))
        desk.note_acted(visit.customer, shown, answer, yen, "repayment")


def act_by_order(desk: Desk, visit: Visit, shown: Answer) -> Doubt | None:
    """Buy for what was shown as buying power: a small order, and none where it does not suffice or the load closes."""
    ticket = write_purchase(visit.rng, shown.data["buying_power"], desk.instruments, desk.profile.behaviour)
    if ticket is None or desk.closing.is_set():
        return None
    key = desk.key(visit.number, "a")
    answer = desk.place(visit.customer, ticket, key, key)
    desk.note_acted(visit.customer, shown, answer, ticket.yen, "order")
    return Doubt(ticket, key) if answer.outcome in IN_DOUBT else None


def settle(desk: Desk, visit: Visit, doubt: Doubt) -> None:
    """In doubt, some type the order again at once, under a new key; the others look first."""
    habits, rng = desk.profile.behaviour, visit.rng
    if rng.random() >= habits.retype:
        look(desk, visit, doubt, may_retype=True)
        return
    if not desk.pause(rng.uniform(*habits.retype_after_s)):
        return
    again = retype(desk, visit, doubt)
    if again is None or again.outcome in (Outcome.OK, Outcome.REJECT):
        return
    # refused, closed or failed: it is the first one that may be in; in doubt again: look at the newer one
    newest = Doubt(doubt.ticket, retyped(doubt.key)) if again.outcome in IN_DOUBT else doubt
    look(desk, visit, newest, may_retype=False)


def look(desk: Desk, visit: Visit, doubt: Doubt, may_retype: bool) -> None:
    """Ask now and then what became of the order; type it again only when told that it was rejected."""
    habits = desk.profile.behaviour
    for _ in range(habits.looks):
        if not desk.pause(visit.rng.uniform(*habits.look_after_s)):
            return
        answer = held(desk, visit.customer, lambda: ask_state(desk, visit.customer, doubt.key))
        if answer is None:
            return
        if answer.outcome is Outcome.OK and answer.text("state") not in OPEN_STATES:
            if may_retype and answer.text("state") == "rejected":
                retype(desk, visit, doubt)
            return


def retype(desk: Desk, visit: Visit, doubt: Doubt) -> Answer | None:
    """The same order under a new key: to the system another order, to the customer the same intent."""
    key = retyped(doubt.key)
    return held(desk, visit.customer, lambda: desk.place(visit.customer, doubt.ticket, key, doubt.key))


def retyped(key: str) -> str:
    """The key of the second attempt."""
    return f"{key}r"


def ask_state(desk: Desk, customer: Customer, key: str, final: bool = False, within_s: float | None = None) -> Answer:
    """Ask what became of an order; a clear answer strikes it off the notes."""
    answer = desk.ask(customer, status_call(key, final), within_s=within_s)
    if answer.outcome is Outcome.OK and answer.text("state") not in OPEN_STATES:
        desk.unsettled.pop(key, None)
    return answer


def held(desk: Desk, customer: Customer, what: Callable[[], Answer]) -> Answer | None:
    """Do it when the customer is free; None where the load closes first."""
    with customer.busy:
        return None if desk.closing.is_set() else what()


Serve = Callable[[Desk, Visit, Rated], Doubt | None]

SERVE: Mapping[str, Serve] = {
    "orders": trade,
    "repayment": repay,
    "inquiry": inquire,
}
"""Rated service -> what its customers come for."""


def serving(profile: Profile, service: str) -> Serve:
    """What the customers of a rated service come for under this profile."""
    return partial(fetch, url=profile.urls[service]) if service in profile.urls else SERVE[service]
