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

from loadprofiles.client import Call, Client, Customer, fetch_call, status_call
from loadprofiles.profiles import Profile, Url
from loadprofiles.replies import IN_DOUBT, OPEN_STATES, Answer, comes_again
from loadprofiles.samples import OutcomeCode
from loadprofiles.tickets import Ticket, in_mind, write_purchase, write_repayment, write_ticket

TOLD_FAILED = "PAYMENT_FAILED"
"""The error code of a withdrawal of which the customer is told that it has failed."""

Rated = Callable[[Answer], None]
"""Told at once how the rated request ended."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One arrival: the row of its request, its name, when it was meant to be (ns), and who came.

    The name is its number in the schedule, and for one of a step the step's and its number in that: the same in every
    arm, as a row need not be.
    """

    row: int
    name: int | str
    intended: int
    customer: Customer
    rng: random.Random


@dataclass(frozen=True, slots=True)
class Doubt:
    """An order of which the customer does not know whether it is in."""

    ticket: Ticket
    key: str
    answer: Answer | None = None  # what there was of one, for a customer who insists
    written: Ticket | None = None  # as it was written before anybody had heard of another price than the day's


def trade(client: Client, journey: Journey, rated: Rated) -> Doubt | None:
    """Place an order."""
    means, rng = journey.customer.means, journey.rng
    written = write_ticket(rng, means, client.instruments, client.profile.behaviour)
    ticket, key = client.priced(written), client.key(journey.name)
    answer = client.place(journey.customer, ticket, key, key, journey.row, journey.intended)
    rated(answer)
    if client.profile.behaviour.insistence is not None:
        return Doubt(ticket, key, answer, written) if comes_again(answer) or answer.outcome is OutcomeCode.OK else None
    return Doubt(ticket, key) if answer.outcome in IN_DOUBT else None


def repay(client: Client, journey: Journey, rated: Rated) -> Doubt | None:
    """Pay back a small part of the loan."""
    yen = client.profile.behaviour.repay_yen
    rated(client.repay(journey.customer, yen, client.key(journey.name), journey.row, journey.intended))
    return None


def withdraw(client: Client, journey: Journey, rated: Rated) -> Doubt | None:
    """Have cash paid out. Some who are told that it has failed ask again; whose is being confirmed waits."""
    habits, rng = client.profile.behaviour, journey.rng
    yen, key = rng.randint(*habits.withdraw_yen) * 1_000, client.key(journey.name)
    answer = client.withdraw(journey.customer, yen, key, key, journey.row, journey.intended)
    rated(answer)
    again = answer.error == TOLD_FAILED and rng.random() < habits.ask_again
    if again and client.pause(rng.uniform(*habits.ask_again_after_s)):
        client.withdraw(journey.customer, yen, retyped(key), key)
    return None


def inquire(client: Client, journey: Journey, rated: Rated) -> Doubt | None:
    """Ask for balances or a quote; a balance shown as current may be acted on."""
    habits, rng = client.profile.behaviour, journey.rng
    if rng.random() >= habits.balances:
        instrument = in_mind(rng, client.instruments, habits)
        call = Call("quote", "GET", f"/quotes/{instrument.code}", fields={"code": instrument.code})
        shown = client.ask(journey.customer, call, journey.row, journey.intended)
        rated(shown)
        if habits.watches and shown.outcome is OutcomeCode.OK:
            client.note_price(instrument, shown)
        return None
    shown = client.ask(journey.customer, Call("balances", "GET", "/balances"), journey.row, journey.intended)
    rated(shown)
    if shown.outcome is not OutcomeCode.OK:
        return None
    client.note_shown(journey.customer, shown)
    acts = rng.random() < habits.act
    return act(client, journey, shown) if acts and shown.data["status"] == "current" else None


def browse(client: Client, journey: Journey, rated: Rated) -> Doubt | None:
    """Look at the ranking, at a chart, or at what was booked."""
    code = journey.rng.choice(client.instruments).code
    path = journey.rng.choice(("/rankings", f"/charts/{code}", "/statements"))
    rated(client.ask(journey.customer, Call("page", "GET", path), journey.row, journey.intended))
    return None


def fetch(client: Client, journey: Journey, rated: Rated, url: Url) -> Doubt | None:
    """Ask for the service's URL, and go."""
    rated(client.ask(journey.customer, fetch_call(url), journey.row, journey.intended))
    return None


def act(client: Client, journey: Journey, shown: Answer) -> Doubt | None:
    """Repay of the cash that was shown where there is a loan and the habit, else buy for it."""
    habits = client.profile.behaviour
    if habits.repay and journey.customer.means.loan > 0 and journey.rng.random() < habits.repay:
        act_by_repayment(client, journey, shown)
        return None
    return act_by_order(client, journey, shown)


def act_by_repayment(client: Client, journey: Journey, shown: Answer) -> None:
    """Repay a part of the cash shown; nothing where that is too little or the load closes."""
    yen = write_repayment(journey.rng, shown.data["cash"], journey.customer.means.loan, client.profile.behaviour)
    if yen and not client.closing.is_set():
        answer = client.repay(journey.customer, yen, client.key(journey.name, "a"))
        client.note_acted(journey.customer, shown, answer, yen, "repayment")


def act_by_order(client: Client, journey: Journey, shown: Answer) -> Doubt | None:
    """Buy for what was shown as buying power: a small order, and none where it does not suffice or the load closes."""
    ticket = write_purchase(journey.rng, shown.data["buying_power"], client.instruments, client.profile.behaviour)
    if ticket is None or client.closing.is_set():
        return None
    key = client.key(journey.name, "a")
    answer = client.place(journey.customer, ticket, key, key)
    client.note_acted(journey.customer, shown, answer, ticket.yen, "order")
    return Doubt(ticket, key) if answer.outcome in IN_DOUBT else None


def settle(client: Client, journey: Journey, doubt: Doubt) -> None:
    """In doubt, some type the order again at once, under a new key; the others look first."""
    habits, rng = client.profile.behaviour, journey.rng
    if rng.random() >= habits.retype:
        look(client, journey, doubt, may_retype=True)
        return
    if not client.pause(rng.uniform(*habits.retype_after_s)):
        return
    again = retype(client, journey, doubt)
    if again is None or again.outcome in (OutcomeCode.OK, OutcomeCode.REJECT):
        return
    # refused, closed or failed: it is the first one that may be in; in doubt again: look at the newer one
    newest = Doubt(doubt.ticket, retyped(doubt.key)) if again.outcome in IN_DOUBT else doubt
    look(client, journey, newest, may_retype=False)


def look(client: Client, journey: Journey, doubt: Doubt, may_retype: bool) -> None:
    """Ask now and then what became of the order; type it again only when told that it was rejected."""
    habits = client.profile.behaviour
    for _ in range(habits.looks):
        if not client.pause(journey.rng.uniform(*habits.look_after_s)):
            return
        answer = held(client, journey.customer, lambda: ask_state(client, journey.customer, doubt.key))
        if answer is None:
            return
        if answer.outcome is OutcomeCode.OK and answer.text("state") not in OPEN_STATES:
            if may_retype and answer.text("state") == "rejected":
                retype(client, journey, doubt)
            return


def retype(client: Client, journey: Journey, doubt: Doubt) -> Answer | None:
    """The same order under a new key: to the system another order, to the customer the same intent."""
    key = retyped(doubt.key)
    return held(client, journey.customer, lambda: client.place(journey.customer, doubt.ticket, key, doubt.key))


def retyped(key: str) -> str:
    """The key of the second attempt."""
    return f"{key}r"


def ask_state(
    client: Client, customer: Customer, key: str, final: bool = False, within_s: float | None = None
) -> Answer:
    """Ask what became of an order; a clear answer strikes it off the notes."""
    answer = client.ask(customer, status_call(key, final), within_s=within_s)
    if answer.outcome is OutcomeCode.OK and answer.text("state") not in OPEN_STATES:
        client.unsettled.pop(key, None)
    return answer


def held(client: Client, customer: Customer, what: Callable[[], Answer]) -> Answer | None:
    """Do it when the customer is free; None where the load closes first."""
    with customer.busy:
        return None if client.closing.is_set() else what()


Serve = Callable[[Client, Journey, Rated], Doubt | None]

SERVE: Mapping[str, Serve] = {
    "orders": trade,
    "repayment": repay,
    "withdrawal": withdraw,
    "inquiry": inquire,
    "pages": browse,
}
"""Rated service -> what its customers come for."""


def serving(profile: Profile, service: str) -> Serve:
    """What the customers of a rated service come for under this profile."""
    return partial(fetch, url=profile.urls[service]) if service in profile.urls else SERVE[service]
