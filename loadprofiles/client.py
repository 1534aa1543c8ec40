"""What all customers share, and the one place where a request is sent, stamped, judged and noted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from loadprofiles.actions import ACTIONS
from loadprofiles.connection import Connection, failure_of
from loadprofiles.journal import Journal
from loadprofiles.own import OwnErrors
from loadprofiles.profiles import Profile, Url
from loadprofiles.replies import NO_EFFECT, UNSETTLED, Answer, decode, outcome_by_url, outcome_of
from loadprofiles.samples import OutcomeCode
from loadprofiles.tickets import Instrument, Means, Ticket, at_price

Report = Callable[[str, Answer, float], None]
"""Told of every request: action, answer, latency in ms; feeds Locust's own statistics."""


class Customer:
    """One customer with an own connection. Whoever holds ``busy`` speaks for the customer."""

    __slots__ = ("account", "busy", "connection", "means", "token")

    def __init__(self, account: str, connection: Connection, means: Means) -> None:
        self.account = account
        self.connection = connection
        self.means = means
        self.token = ""
        self.busy = BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the API wants it, and the fields of its row in the journal."""

    action: str  # of ``loadprofiles.actions``
    method: str
    path: str
    body: bytes = b""
    fields: dict[str, Any] = field(default_factory=dict)
    expect: int = 0  # the status that is good, where the body says nothing
    place: str = ""  # ticket of the waiting room


def order_call(ticket: Ticket, key: str, root: str, place: str = "") -> Call:
    """Place ``ticket`` under the idempotency key; ``root`` is the key of the first attempt at the same intent."""
    what = {"code": ticket.code, "side": ticket.side, "quantity": ticket.quantity, "price": ticket.price}
    return Call("order", "POST", "/orders", msgspec.json.encode(what), {"key": key, "root": root, **what}, place=place)


def fetch_call(url: Url) -> Call:
    """Ask for a URL."""
    return Call("fetch", url.method, url.path, expect=url.expect)


def repayment_call(yen: int, key: str) -> Call:
    """Pay back ``yen`` of the loan under the idempotency key."""
    return Call("repayment", "POST", "/repayments", msgspec.json.encode({"yen": yen}), {"key": key, "yen": yen})


def cancel_call(key: str) -> Call:
    """Cancel what is left of an order, by its idempotency key."""
    return Call("cancel", "POST", f"/orders/{key}/cancel", b"{}", {"key": key})


def withdrawal_call(yen: int, key: str, root: str) -> Call:
    """Have ``yen`` paid out under the idempotency key; ``root`` is the key of the first attempt at the same intent."""
    fields = {"key": key, "root": root, "yen": yen}
    return Call("withdrawal", "POST", "/withdrawals", msgspec.json.encode({"yen": yen}), fields)


def status_call(key: str, final: bool = False) -> Call:
    """Ask what became of an order, by its idempotency key."""
    return Call("status", "GET", f"/orders/{key}", fields={"key": key, "final": final})


class Client:
    """Journal, clock, ids and notes of the whole load. ``closing`` is set when no new visit may begin."""

    def __init__(
        self,
        profile: Profile,
        seed: int,
        instruments: Sequence[Instrument],
        journal: Journal,
        first_free_row: int,
        own: OwnErrors,
    ) -> None:
        self.profile = profile
        self.instruments = instruments
        self.journal = journal
        self.closing = Event()
        self.unsettled: dict[str, Customer] = {}
        self.unrated = 0
        self.report: Report | None = None
        self.own = own
        self._prices: dict[str, tuple[Instrument, int]] = {}
        self._seed = seed
        self._row = first_free_row

    def rng(self, arrival: int | str) -> random.Random:
        """The arrival's own randomness: what one customer does never shifts what another draws."""
        return random.Random(f"{self._seed}/{arrival}")

    def key(self, arrival: int | str, suffix: str = "") -> str:
        """Idempotency key of the arrival's order: the same in every arm of a drill."""
        return f"{self._seed}-{arrival}{suffix}"

    def next_row(self) -> int:
        """An id for a row that no rated arrival owns."""
        self._row += 1
        return self._row

    def pause(self, seconds: float) -> bool:
        """Wait; False where the load is closing and the customer should go home.

        What the wait itself answers may be older: where its time was up just before, it does not see what came since.
        """
        self.closing.wait(seconds)
        return not self.closing.is_set()

    def ask(
        self, customer: Customer, call: Call, row: int = 0, intended: int = 0, within_s: float | None = None
    ) -> Answer:
        """Send one request of a customer the caller holds, and note request and reply. Never raises for a bad answer.

        ``row`` and ``intended`` (ns) are those of a rated arrival; without them the request is an unrated one.
        """
        if not row:
            row = self.next_row()
            self.unrated += 1
        sent = time.monotonic_ns()
        self.journal.row(
            "request", sent, row, customer.account, action=call.action, intended_ns=intended or sent, **call.fields
        )
        answer = _send(customer, call, row, sent, within_s, self.own)
        self._note_reply(customer, call, answer)
        return answer

    def place(self, customer: Customer, ticket: Ticket, key: str, root: str, row: int = 0, intended: int = 0) -> Answer:
        """Place an order; one that may be in without the customer knowing is remembered for the last round."""
        customer.means.commit(ticket)
        answer = self.ask(customer, order_call(ticket, key, root), row, intended)
        if answer.outcome in UNSETTLED:
            self.unsettled[key] = customer
        return answer

    def repeat(self, customer: Customer, ticket: Ticket, key: str, root: str, place: str = "") -> Answer:
        """Send an order once more under its key: to the system the same order. ``place``: of the waiting room."""
        answer = self.ask(customer, order_call(ticket, key, root, place))
        if answer.outcome in UNSETTLED:
            self.unsettled[key] = customer
        elif answer.outcome in (OutcomeCode.OK, OutcomeCode.REJECT):
            self.unsettled.pop(key, None)
        return answer

    def repay(self, customer: Customer, yen: int, key: str, row: int = 0, intended: int = 0) -> Answer:
        """Pay back a part of the loan. The customer takes the money for gone, whatever the answer."""
        customer.means.cash -= yen
        customer.means.loan -= yen
        return self.ask(customer, repayment_call(yen, key), row, intended)

    def withdraw(self, customer: Customer, yen: int, key: str, root: str, row: int = 0, intended: int = 0) -> Answer:
        """Have cash paid out. The customer takes the money for gone, whatever the answer."""
        customer.means.cash -= yen
        return self.ask(customer, withdrawal_call(yen, key, root), row, intended)

    def note_shown(self, customer: Customer, answer: Answer) -> None:
        """The customer was shown a cash figure; the row has the id of the request that showed it."""
        self.journal.row(
            "shown", answer.done, answer.row, customer.account,
            figure="cash", yen=answer.data["cash"], current=answer.data["status"] == "current",
            as_of=answer.data["as_of"], sent_ns=answer.sent, received_ns=answer.done,
        )  # fmt: skip

    def note_price(self, instrument: Instrument, shown: Answer) -> None:
        """A price was shown, and whoever comes next has heard of it."""
        self._prices[instrument.code] = (instrument, int(shown.data["price"]))

    def priced(self, ticket: Ticket) -> Ticket:
        """The order as somebody writes it who knows the latest price that was shown to anybody."""
        known = self._prices.get(ticket.code)
        return ticket if known is None else at_price(ticket, *known)

    def note_acted(self, customer: Customer, shown: Answer, act: Answer, yen: int, what: str) -> None:
        """The customer relied on a shown figure. An order or repayment that surely had no effect is no act."""
        if act.outcome not in NO_EFFECT:
            self.journal.row(
                "acted", act.sent, self.next_row(), customer.account, shown=str(shown.row), yen=yen, what=what
            )

    def _note_reply(self, customer: Customer, call: Call, answer: Answer) -> None:
        fields = {
            "order": answer.text("order") or answer.text("repayment") or answer.text("withdrawal"),
            "state": answer.text("state"),
            "error": answer.error,
        }
        self.journal.row(
            "reply", answer.done, answer.row, customer.account, key=call.fields.get("key", ""),
            action=call.action, status=answer.status, outcome=answer.outcome.word, **fields,
        )  # fmt: skip
        if self.report is not None:
            self.report(call.action, answer, (answer.done - answer.sent) / 1e6)


def _send(customer: Customer, call: Call, row: int, sent: int, within_s: float | None, own: OwnErrors) -> Answer:
    headers = {"Authorization": f"Bearer {customer.token}"} if customer.token else {}
    if ACTIONS[call.action].keyed:
        headers["Idempotency-Key"] = call.fields["key"]
    if call.place:
        headers["Waiting-Ticket"] = call.place
    try:
        status, body = customer.connection.ask(call.method, call.path, call.body, headers, within_s)
    except (Exception, gevent.Timeout) as error:  # noqa: BLE001  # whatever a broken system makes of us is an outcome
        own.note_if_own(error, f"{call.action} of {customer.account}")
        return Answer(row, failure_of(error), 0, {}, sent, time.monotonic_ns())
    done = time.monotonic_ns()
    if call.expect:
        return Answer(row, outcome_by_url(call.expect, status), status, {}, sent, done)
    data = decode(body)
    return Answer(row, outcome_of(call.action, status, data), status, data, sent, done)
