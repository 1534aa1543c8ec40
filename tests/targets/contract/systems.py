"""The systems that are asked, which capabilities a test may need, and the few things that only each system knows.

What a system has is read from its ``Capabilities``. The table here holds what has no place there: which of the services
nobody misses for a while, whose death is noticed, what the operator's tool is told.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from targets.brokerage.postgres import dsn
from targets.target import Alert, Capabilities, Target

EXAMPLE = Path(__file__).parents[3] / "drills" / "examples" / "datasette" / "target.yaml"

PARTS = ("links", "services", "books", "operator", "alerts", "plantable", "loads", "partitionable", "limited")
"""Fields of an ``Capabilities`` that may be empty or false: then nothing can be asked about them."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A service whose death the monitor tells of, and how."""

    service: str
    labels: Mapping[str, str]
    rule: str
    runbook: str

    def told_by(self, alert: Alert) -> bool:
        return all(alert.labels.get(name) == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class Tool:
    """Command lines of the operator's tool, as argv."""

    query: tuple[str, ...]
    answers: str
    change: tuple[str, ...]
    restart: tuple[str, ...]
    kill: tuple[str, ...]
    nobodys: str
    """What it says of a process that is none of the system's."""
    day: tuple[tuple[str, ...], ...]
    """What can be done one after the other on a system at rest, each of it without being refused."""


def database_answers(target: Target) -> bool:
    """Whether a peer of the brokerage's database gets an answer through its link."""
    host, _, port = target.links()["api-pg"].listen.rpartition(":")
    try:
        with psycopg.connect(dsn(int(port), host), connect_timeout=2, options="-c statement_timeout=2000") as session:
            return session.execute("select 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def customers_connection(target: Target, within_s: float) -> http.client.HTTPConnection:
    """As a customer would connect, who trusts whom the target says."""
    url = urlsplit(target.customers_url())
    if url.scheme == "http":
        return http.client.HTTPConnection(url.netloc, timeout=within_s)
    trusted = ssl.create_default_context(cadata=target.customers_authority())
    return http.client.HTTPSConnection(url.netloc, timeout=within_s, context=trusted)


def customers_are_answered(target: Target) -> bool:
    """Whether the address that customers use answers."""
    connection = customers_connection(target, 2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Parted:
    """A service that can be cut off, whether others get an answer of it, and who gets ill without it.

    ``others`` can be cut off too, and it still answers.
    """

    service: str
    answers: Callable[[Target], bool]
    missed_by: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """``way`` is what ``--target`` takes. What a part of the offer is needed for is None where it is not offered.

    ``keeps`` is the attribute in which a handle holds label and token. ``outlives_owner``: it goes on running, with the
    faults in it, when the process that made it is killed.
    """

    way: str
    spare: str
    engines: frozenset[str]
    keeps: str
    noticed: Noticed | None = None
    tool: Tool | None = None
    rows: Mapping[str, frozenset[str]] | None = None
    """Book -> kinds of rows that it has from the beginning."""
    planting: Mapping[str, Mapping[str, Any]] | None = None
    parted: Parted | None = None
    outlives_owner: bool = True


DAY = (
    "status", "reconcile", "gateway status", "gateway probe B", "gateway resolve", "gateway resend", "notices resend",
    "balances mark-not-current", "service close orders", "service close orders", "status", "batch status",
    "batch verify", "locks show", "batch hold", "batch hold", "batch resume", "gateway use-link B",
    "gateway drain --within 10", "balances mark-current", "service open orders", "service open orders",
    "customers affected --since 60s", "host restart mail",
    "edge show", "cert scan", "cert request app.kunren.example", "cert check",
    "cert request --rejected", "cert install", "edge reload",
    "cert verify", "cert enter", "cert inventory", "synthetic verification on",
    "edge limit 1000", "edge limit off", "relay status", "volume show relay-log",
    "relay level debug", "relay rotate", "relay level info", "volume copy relay-log transactions-*.log",
    "volume unpack relay-log *.gz", "volume move relay-log --copies", "host restart relay", "relay status",
    "mail show", "mail spool mail-reserve", "mail resend missing", "mail spool mail-spool", "mail mark-sent",
    "host restart mta", "limits",
    "ledger adjust --account C-0001 --yen 5 --reason r --request q --approver somebody-else",
)  # fmt: skip
"""Commands of the brokerage."""


def brokerage(way: str) -> System:
    """The same system, whichever way it runs."""
    return System(
        way=way,
        spare="mail",
        engines=frozenset({"proxy", "database"}),
        keeps="config",
        noticed=Noticed("bank", {"job": "bank"}, "ServiceDown", "first-look"),
        tool=Tool(
            query=("brokerctl", "status"),
            answers="processes",
            change=("brokerctl", "service", "close", "orders"),
            restart=("brokerctl", "host", "restart"),
            kill=("brokerctl", "host", "kill", "--signal", "KILL"),
            nobodys="no process of this brokerage",
            day=tuple(("brokerctl", *words.split()) for words in DAY),
        ),
        rows={
            "oms": frozenset({"balance"}),
            "transactions": frozenset({"log-file", "log-line", "high-water"}),
            "certificates": frozenset({"chain-seen", "name-served", "client-look"}),
        },
        planting={
            "skewed-lots": {"account": "C-0001", "outlasts": 1.0},
            "short-lived-chain": {"name": "app.kunren.example", "seconds": 60.0},
            "numbers-near-limit": {"left": 5_000, "resting": 3},
            "keys-mixed-up": {"name": "app.kunren.example"},
        },
        parted=Parted("postgres", database_answers, missed_by=("gateway",), others=("bank",)),
        outlives_owner=way != "local",
    )


SYSTEMS: Mapping[str, System] = {
    "local": brokerage("local"),
    "compose": brokerage("compose"),
    "datasette": System(
        str(EXAMPLE),
        spare="web",
        engines=frozenset({"proxy", "target"}),
        keeps="plan",
        parted=Parted("web", customers_are_answered),
    ),
}
"""Id -> system; the last one is described by its file alone and comes from the package index."""


def unsupported(capabilities: Capabilities, parts: tuple[str, ...]) -> list[str]:
    """Of the parts that a test needs, those that are not there."""
    return [part for part in parts if not getattr(capabilities, part)]


def customers_link(target: Target) -> str:
    """The link through which customers come."""
    return next(name for name, link in target.links().items() if urlsplit(target.customers_url()).netloc == link.listen)


def until(seen: Callable[[], Any], within_s: float = 20.0) -> Any:
    """The first true answer; the test fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (found := seen()):
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.05)
    return found
