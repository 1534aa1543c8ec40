"""The open model: customers arrive by the schedule, whether or not the brokerage keeps up.

One greenlet walks the schedule and gives every arrival a greenlet of its own. It never waits for a reply, so a stalled
brokerage meets the same arrivals as a healthy one; latency counts from the intended instant.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import gevent
import msgspec
import numpy as np
from gevent.pool import Group, Pool

from loadprofiles.arrivals import NS, Arrivals
from loadprofiles.client import Call, Client, Customer
from loadprofiles.commands import Stepped
from loadprofiles.insisting import insist
from loadprofiles.journeys import Journey, ask_state, serving, settle
from loadprofiles.replies import Answer
from loadprofiles.samples import OutcomeCode
from loadprofiles.steps import Surge

AT_ONCE = 50
"""Logins, and queries of the last round, under way at a time."""
LAST_ROUND_S = 4.0
FLUSH_S = 0.1
_WORDS = tuple(outcome.word for outcome in OutcomeCode)


class LoginFailed(Exception):
    """A customer could not log in: nothing can be measured."""


class OpenModel:
    """All customers and their coming and going, from log-in to the last round."""

    def __init__(self, client: Client, customers: Sequence[Customer], arrivals: Arrivals) -> None:
        self.client = client
        self.customers = customers
        self.counts = {service: dict.fromkeys(_WORDS, 0) for service in client.profile.services}
        self.times = {"login_s": 0.0, "span_s": 0.0, "cpu_s": 0.0}
        self.abandoned = 0  # arrivals that got no sample, by a fault of our own
        self._opened: tuple[float, float] | None = None
        self._arrivals = arrivals
        self._services = tuple(client.profile.services)
        self._serving = {service: serving(client.profile, service) for service in self._services}
        self._visits = Group()
        self._lateness = array("q")
        self._surges: dict[str, Surge] = {}

    def log_in(self, passwords: Mapping[str, str], progress: Callable[[int], None]) -> None:
        """Log everybody in, opening their connections. LoginFailed at the first that does not get in."""
        began = time.monotonic()
        pool, failed = Pool(AT_ONCE), list[str]()
        for done, customer in enumerate(self.customers):
            if failed:
                break
            pool.spawn(_log_in, self.client, customer, passwords[customer.account], failed)
            if done % 100 == 0:
                progress(done)
        pool.join()
        if failed:
            raise LoginFailed(failed[0])
        self.times["login_s"] = time.monotonic() - began

    def open(self, t0: int) -> None:
        """Let customers in from ``t0`` (ns) until the schedule is through or the client is closing."""
        self._opened = (time.monotonic(), time.process_time())
        for number, (offset, service, choices) in enumerate(self._arrivals.rows(), 1):
            if not self._wait_until(t0 + offset):
                break
            self._admit(number, number, t0 + offset, service, choices)

    def step(self, name: str, arrivals: Arrivals) -> None:
        """Let these customers in as well, from now on."""
        surge = Surge(arrivals, time.monotonic_ns())
        self._surges[name] = surge
        gevent.spawn(self._step, name, surge)  # what ends it by an error of ours is noted by the hub's watch

    def stepped(self, name: str) -> Stepped:
        """How far that step has come; ``over`` where there is none of the name."""
        surge = self._surges.get(name)
        return Stepped() if surge is None else surge.seen(time.monotonic_ns())

    def end_step(self, name: str) -> None:
        """Nobody more comes for it; nothing to do where there is none of the name, or it is over."""
        if name in self._surges:
            self._surges[name].over = True

    def _step(self, name: str, surge: Surge) -> None:
        for number, (offset, service, choices) in enumerate(surge.arrivals.rows(), 1):
            due = surge.began + offset
            if not self._wait_until(due) or surge.over:
                break
            admitted = self._admit(self.client.next_row(), f"{name}-{number}", due, service, choices)
            surge.count(admitted, time.monotonic_ns())
        surge.over = True

    def close(self) -> None:
        """No more arrivals; requests under way end or time out; then everybody asks about orders still unsettled."""
        self.client.closing.set()
        if self._opened is not None:
            began, cpu = self._opened
            self.times |= {"span_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu}
        self._visits.join(timeout=self.client.profile.patience.longest_s + 1)
        self._visits.kill(timeout=1)
        deadline = time.monotonic() + LAST_ROUND_S
        pool = Pool(AT_ONCE)
        for key, customer in list(self.client.unsettled.items()):
            pool.spawn(_last_look, self.client, customer, key, deadline)
        pool.join(timeout=LAST_ROUND_S + 1)

    def flush_now_and_then(self) -> None:
        """For a greenlet of its own: keeps the files at most a moment behind."""
        while True:
            gevent.sleep(FLUSH_S)
            self.client.journal.flush()

    def _wait_until(self, instant: int) -> bool:
        """False where the client closes first."""
        wait = instant - time.monotonic_ns()
        if wait <= 0:
            gevent.sleep(0)  # behind: those already admitted must get their turn
            return not self.client.closing.is_set()
        return self.client.pause(wait / NS)

    def _admit(self, row: int, name: int | str, intended: int, service: int, choices: Sequence[int]) -> bool:
        """Whether somebody came."""
        customer = idle_customer(self.customers, choices)
        if customer is None:
            self.counts[self._services[service]][OutcomeCode.DROPPED.word] += 1
            self.client.journal.sample(intended, 0, 0, 0, OutcomeCode.DROPPED, service)
            return False
        self._visits.spawn(self._serve, Journey(row, name, intended, customer, self.client.rng(name)), service)
        return True

    def _serve(self, journey: Journey, service: int) -> None:
        """One visit by a customer who is held already."""
        name = self._services[service]
        told = False

        def rated(answer: Answer) -> None:
            nonlocal told
            told = True
            self.counts[name][answer.outcome.word] += 1
            self._lateness.append(answer.sent - journey.intended)
            self.client.journal.sample(journey.intended, answer.sent, answer.done, answer.row, answer.outcome, service)

        try:
            doubt = self._serving[name](self.client, journey, rated)
        finally:
            self.abandoned += not told
            journey.customer.busy.release()
        habits = self.client.profile.behaviour.insistence
        if doubt is not None and doubt.answer is not None and habits is not None:
            insist(self.client, journey, doubt, habits)
        elif doubt is not None:
            settle(self.client, journey, doubt)

    def summary(self) -> dict[str, Any]:
        """For ``load.json``. Times in seconds, lateness in milliseconds."""
        lateness = np.frombuffer(self._lateness, np.int64) / 1e6 if self._lateness else np.zeros(1)
        p50, p99 = np.percentile(lateness, [50, 99]).tolist()
        total = {word: sum(each[word] for each in self.counts.values()) for word in _WORDS}
        intended = sum(total.values())
        return {
            "profile": self.client.profile.name,
            "rate": self.client.profile.services,
            "customers": len(self.customers),
            "intended": intended,
            "sent": intended - total["dropped"],
            "dropped": total["dropped"],
            "outcomes": self.counts,
            "unrated": self.client.unrated,
            "unresolved": len(self.client.unsettled),
            "abandoned": self.abandoned,
            "own_errors": self.client.own.counts,
            "lateness_ms": {"p50": p50, "p99": p99, "max": float(lateness.max())},
            **self.times,
        }


def idle_customer(customers: Sequence[Customer], choices: Sequence[int]) -> Customer | None:
    """The first of those named who is idle, else the next idle one after them; held for the caller. None: all busy."""
    after = choices[-1] + 1
    for index in chain(choices, range(after, len(customers)), range(after)):
        if customers[index].busy.acquire(blocking=False):
            return customers[index]
    return None


def _log_in(client: Client, customer: Customer, password: str, failed: list[str]) -> None:
    body = msgspec.json.encode({"customer": customer.account, "password": password})
    with customer.busy:
        answer = client.ask(customer, Call("login", "POST", "/login", body))
    if answer.outcome is OutcomeCode.OK:
        customer.token = answer.text("token")
    else:
        failed.append(f"{customer.account}: {answer.outcome.word}, status {answer.status} {answer.error}".rstrip())


def _last_look(client: Client, customer: Customer, key: str, deadline: float) -> None:
    with customer.busy:
        within = min(deadline - time.monotonic(), client.profile.patience.longest_s)
        if within > 0:
            answer = ask_state(client, customer, key, final=True, within_s=within)
            if answer.outcome is OutcomeCode.REJECT:  # no such order: that is an answer too
                client.unsettled.pop(key, None)
