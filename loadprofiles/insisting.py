"""Customers who insist: whoever gets no answer, or is told to come again, does; some type the order anew each time.

What comes of it is load that nobody planned: an order that is asked for five times, under several keys, for one intent.
The waiting room is no refusal but a place in a queue, so whoever has a ticket comes again with it for as long as the
patience for that lasts.
"""

from __future__ import annotations

import time

from loadprofiles.client import Client, cancel_call
from loadprofiles.journeys import Doubt, Journey, held, retyped
from loadprofiles.profiles import Insistence
from loadprofiles.replies import Answer, comes_again
from loadprofiles.samples import OutcomeCode
from loadprofiles.tickets import Ticket

RETRY_LEAST_S, RETRY_MOST_S = 0.1, 10.0
"""Bounds of how soon a customer comes again, whatever the answer says."""


def insist(client: Client, journey: Journey, doubt: Doubt, habits: Insistence) -> None:
    """Come again until there is an answer, or patience or tries are used up; in the end the customer may not know."""
    rng = journey.rng
    if doubt.answer is not None and doubt.answer.outcome is OutcomeCode.OK:
        think_again(client, journey, doubt, habits)
        return
    leaves_at = time.monotonic() + rng.uniform(*habits.wait_s)
    hammers = rng.random() < habits.hammer
    key, ticket, answer, tries = doubt.key, doubt.ticket, doubt.answer, 0
    while answer is not None and comes_again(answer):
        place = answer.text("ticket")
        if place:
            if time.monotonic() >= leaves_at or not client.pause(retry_after(answer)):
                return
            answer = again(client, journey, doubt, ticket, key, place)
            continue
        if tries == habits.retries or not client.pause(_pause(journey, habits, hammers, tries)):
            return
        tries += 1
        if rng.random() < habits.retype:
            key, ticket = retyped(key), client.priced(doubt.written or doubt.ticket)
            answer = typed_anew(client, journey, doubt, ticket, key)
        else:
            answer = again(client, journey, doubt, ticket, key)


def think_again(client: Client, journey: Journey, doubt: Doubt, habits: Insistence) -> None:
    """Some cancel an order that was taken in at once."""
    if journey.rng.random() < habits.cancel and client.pause(journey.rng.uniform(*habits.cancel_after_s)):
        held(client, journey.customer, lambda: client.ask(journey.customer, cancel_call(doubt.key)))


def again(client: Client, journey: Journey, doubt: Doubt, ticket: Ticket, key: str, place: str = "") -> Answer | None:
    """Send the same order under the same key, with the ticket of the waiting room where there is one."""
    return held(client, journey.customer, lambda: client.repeat(journey.customer, ticket, key, doubt.key, place))


def typed_anew(client: Client, journey: Journey, doubt: Doubt, ticket: Ticket, key: str) -> Answer | None:
    """Type it again, at the price of now: to the system another order, to the customer the same intent."""
    return held(client, journey.customer, lambda: client.place(journey.customer, ticket, key, doubt.key))


def retry_after(answer: Answer) -> float:
    """When the answer says to come again, s; a second where it says nothing that makes sense."""
    said = answer.data.get("retry_after_s")
    wished = float(said) if isinstance(said, int | float) and not isinstance(said, bool) else 1.0
    return min(max(wished, RETRY_LEAST_S), RETRY_MOST_S)


def _pause(journey: Journey, habits: Insistence, hammers: bool, tries: int) -> float:
    if hammers:
        return journey.rng.uniform(*habits.hammer_after_s)
    return float(journey.rng.uniform(*habits.back_off_s) * 2**tries)
