"""Load profiles: the rates of a time of day and the habits of its customers. Plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

SERVICES = ("orders", "repayment", "withdrawal", "inquiry", "pages")
"""What a profile can put a rate on; each arrival is one request."""


@dataclass(frozen=True, slots=True)
class Insistence:
    """Of customers who come again when an order is not answered, or with a 503. Pairs are ranges in seconds."""

    retries: int = 4  # tries after the first
    hammer: float = 0.5  # share who come again at once each time; the others wait twice as long each time
    hammer_after_s: tuple[float, float] = (0.1, 0.5)
    back_off_s: tuple[float, float] = (0.5, 1.5)  # the first pause of the others
    retype: float = 0.5  # share of tries that are typed anew, as an order of its own
    wait_s: tuple[float, float] = (20.0, 60.0)  # how long somebody stays in a waiting room, from the first request
    cancel: float = 0.1  # share of orders answered at once that are cancelled again
    cancel_after_s: tuple[float, float] = (1.0, 4.0)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Habits of the customers. Shares are probabilities; pairs are ranges in seconds, drawn uniformly."""

    follow: float = 0.5  # share of inquiries that come from somebody who placed an order recently
    recent_s: float = 10.0  # what counts as recently
    balances: float = 0.8  # share of inquiries that ask for balances; the others ask for a quote
    act: float = 0.5  # share of current balances that lead to an act sized by what was shown: an order or a repayment
    repay: float = 0.0  # share of these acts that repay a loan, where the customer has one; the others order
    repay_share: tuple[float, float] = (0.05, 0.2)  # how much of the cash shown such a repayment is
    repay_yen: int = 1_000  # what who comes for a repayment pays back, whatever is shown
    withdraw_yen: tuple[int, int] = (10, 200)  # what who comes for a withdrawal takes out, in thousands of yen
    ask_again: float = 0.4  # share of customers who ask again for a withdrawal that they are told has failed
    ask_again_after_s: tuple[float, float] = (1.0, 8.0)
    sell: float = 0.5  # share of orders that sell, where the customer holds something
    lots: int = 3  # an order is for 1 to this many lots of 100 shares
    ticks: int = 3  # a limit is at most this many ticks from the base price
    retype: float = 0.5  # share of customers in doubt who type the order again at once; the others look
    retype_after_s: tuple[float, float] = (0.2, 0.5)
    look_after_s: tuple[float, float] = (2.0, 6.0)
    looks: int = 4  # how often a customer in doubt looks before giving up
    focus: float = 0.0  # share of purchases and quotes that are of the day's first instrument: everybody talks about it
    watches: bool = False  # whether they know the latest price that was shown to anybody, and go by it
    insistence: Insistence | None = None  # of those who come for an order; None: they look, or type it again once


@dataclass(frozen=True, slots=True)
class Patience:
    """Time-outs of the customers' client, in seconds; ``total_s`` counts from sending and includes connecting.

    With ``total_most_s`` each customer has one of its own, between the two.
    """

    connect_s: float = 1.0
    total_s: float = 4.0
    total_most_s: float | None = None

    @property
    def longest_s(self) -> float:
        """Of the most patient customer."""
        return self.total_s if self.total_most_s is None else self.total_most_s

    def of(self, draw: float) -> Patience:
        """Of one customer, for whom a number in [0, 1) was drawn."""
        return Patience(self.connect_s, self.total_s + draw * (self.longest_s - self.total_s))


@dataclass(frozen=True, slots=True)
class Hot:
    """A share of all arrivals that comes from few customers: those with index ``first`` to ``end`` (excluded)."""

    first: int
    end: int
    share: float


@dataclass(frozen=True, slots=True)
class Named:
    """A share of the customers who come by a name: they ask the server for it, and its certificate must be for it."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Url:
    """What the customers of a service ask for by URL; any other status than ``expect`` is bad."""

    method: str
    path: str
    expect: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A load: ``services`` maps each rated service to arrivals per second (Poisson), in the order of the samples.

    With ``urls`` it is for any HTTP application: nobody logs in, and a visit is the one request of its service.
    """

    name: str
    services: dict[str, float]
    customers: int = 1500
    behaviour: Behaviour = field(default_factory=Behaviour)
    patience: Patience = field(default_factory=Patience)
    hot: Hot | None = None
    named: Named | None = None
    resumes: float = 0.0  # share of the customers who resume their TLS session when they connect again, as browsers do
    urls: dict[str, Url] = field(default_factory=dict)

    @property
    def hot_share(self) -> float:
        """Of all arrivals, those that come from the hot customers: their own share and their part of the others."""
        if self.hot is None:
            return 0.0
        return self.hot.share + (1 - self.hot.share) * (self.hot.end - self.hot.first) / self.customers

    def __post_init__(self) -> None:
        known = tuple(self.urls) or SERVICES
        for service, rate in self.services.items():
            if service not in known:
                raise ValueError(f"profile {self.name}: unknown service {service!r}; known: {', '.join(known)}")
            if not 0 < rate <= 2000:
                raise ValueError(f"profile {self.name}: rate of {service} is {rate}; must be above 0, at most 2000/s")
        if not 1 <= self.customers <= 10_000:
            raise ValueError(f"profile {self.name}: {self.customers} customers; must be 1 to 10000")
        if self.hot is not None and not (0 <= self.hot.first < self.hot.end and 0 <= self.hot.share <= 1):
            raise ValueError(f"profile {self.name}: hot names no customers, or its share is none: {self.hot}")
        if self.patience.longest_s < self.patience.total_s:
            raise ValueError(f"profile {self.name}: the most patient customer is less so than the others")
        if self.named is not None and not (self.named.name and 0 <= self.named.share <= 1):
            raise ValueError(f"profile {self.name}: named has no name, or its share is none: {self.named}")
        if not 0 <= self.resumes <= 1:
            raise ValueError(f"profile {self.name}: resumes is {self.resumes}; must be 0 to 1")

    def resumes_of(self, customer: int) -> bool:
        """Whether the customer of this index resumes; the share is spread evenly, over who comes by a name as well."""
        return _is_of_share(customer, self.resumes)

    def name_of(self, customer: int) -> str:
        """By which name the customer of this index comes; empty: by the address alone. The share is spread evenly."""
        if self.named is None:
            return ""
        return self.named.name if _is_of_share(customer, self.named.share) else ""


def _is_of_share(index: int, share: float) -> bool:
    return int((index + 1) * share) > int(index * share)


LEAST_VISITORS, MOST_VISITORS = 50, 10_000

CROWD = 4
"""How many times over they outnumber those who may be waiting for an answer at once."""


def by_url(name: str, services: Mapping[str, float], urls: Mapping[str, Url]) -> Profile:
    """The profile of an application that is known by its URLs alone, with as many visitors as a stall can hold up."""
    waiting = sum(services.values()) * Patience().total_s
    visitors = min(max(math.ceil(CROWD * waiting), LEAST_VISITORS), MOST_VISITORS)
    return Profile(name, dict(services), visitors, urls=dict(urls))


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="day-session", services={"orders": 25.0, "inquiry": 35.0}, customers=1500),
        Profile(
            name="evening-session",  # people tidy up: they repay loans and place orders for tomorrow
            services={"orders": 22.0, "repayment": 14.0, "inquiry": 24.0},
            customers=1500,
            behaviour=Behaviour(balances=0.9, act=1.0, repay=1.0),
            hot=Hot(600, 700, 0.2),  # the seventh hundred: one chunk of the night batch
        ),
        Profile(
            name="campaign",  # few come before it begins; who gets no answer insists, half of them by typing it anew
            services={"orders": 9.0, "inquiry": 4.0, "pages": 5.0},
            customers=1500,
            behaviour=Behaviour(balances=0.5, act=0.0, sell=0.15, focus=0.5, insistence=Insistence()),
            patience=Patience(total_s=3.0, total_most_s=5.0),
        ),
        Profile(
            name="opening-rush",  # the same about all instruments, and more sell
            services={"orders": 9.0, "inquiry": 4.0, "pages": 5.0},
            customers=1500,
            behaviour=Behaviour(balances=0.5, act=0.0, sell=0.18, insistence=Insistence()),
            patience=Patience(total_s=3.0, total_most_s=5.0),
        ),
        Profile(
            name="news",  # the same, and nearly all of them about one instrument, whose price they watch
            services={"orders": 9.0, "inquiry": 6.0, "pages": 5.0},
            customers=1500,
            behaviour=Behaviour(balances=0.5, act=0.0, sell=0.15, focus=0.95, watches=True, insistence=Insistence()),
            patience=Patience(total_s=3.0, total_most_s=5.0),
        ),
        Profile(
            name="app-session",  # few customers, each of whom has to connect anew now and then; most use the app
            services={"orders": 12.0, "inquiry": 18.0},
            customers=60,  # who is refused knows it at once: nobody waits for a time-out
            named=Named("app.kunren.example", 0.6),
        ),
        Profile(
            name="browser-session",  # as app-session, but that half of them resume their TLS sessions, as browsers do
            services={"orders": 12.0, "inquiry": 18.0},
            customers=60,
            named=Named("app.kunren.example", 0.6),
            resumes=0.5,
        ),
        Profile(
            name="payout-session",  # before a weekend: many have cash paid out, some trade and look
            services={"orders": 8.0, "withdrawal": 8.0, "inquiry": 14.0},
            customers=1500,
        ),
    )
}
"""Profile name -> profile, as named by ``load:`` in a drill."""
