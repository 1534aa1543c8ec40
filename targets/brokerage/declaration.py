"""What a component of the brokerage says of itself, once, in the ``component.py`` of its folder.

Plain data. ``components`` lists who there is; every table of a stack (ports, links, addresses, what is scraped, the
order of starting, containers) is derived from it in ``topology``.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

QUERIES = "queries"
"""``Component.health`` of a PostgreSQL: it is healthy while it answers queries on its first port."""

BROKERAGE_IMAGE = "brokerage"
"""The image of all services of our own; it is told which one to be."""


@dataclass(frozen=True, slots=True)
class Served:
    """One of our own services: ``module`` has ``serve(config, sockets)``, with the component's ports as sockets.

    The launcher forks for it; a container runs ``targets.brokerage.service``.
    """

    module: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program of its own: ``module`` has ``command(config)``, its argv, which the launcher executes at once.

    ``orphaned`` is the signal that the kernel sends it when the launcher dies.
    """

    module: str
    orphaned: signal.Signals = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Link:
    """A connection that passes through a proxy of this name and ends at ``port``, a name that a component declares."""

    name: str
    port: str


@dataclass(frozen=True, slots=True)
class Book:
    """A book that runs are judged by; ``module`` has ``read_book(config)``: its rows as of now, in the form of books.

    ``tells_of`` are the books from which it has what it says. It is read before them, so that what it tells of is in
    theirs too.
    """

    name: str
    module: str
    tells_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder in the stack's folder that lies on a volume of its own, which is full when it is full.

    ``kilobytes`` and ``inodes`` are all that it takes. It outlives the component that writes to it.
    """

    name: str
    kilobytes: int
    inodes: int


class Folder(StrEnum):
    """What a container sees of the stack's folder, beside its own volumes."""

    HIDDEN = ""
    READ = "ro"
    WRITE = "rw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What the component's container has of its own. ``compose`` are further keys of its service in Compose.

    ``ready`` is asked instead of ``Component.health`` where other software stands in there for ours. ``command`` may
    hold the variables of ``targets.containers.variables``.
    """

    image: str = BROKERAGE_IMAGE
    command: tuple[str, ...] = ()
    ready: str = ""
    folder: Folder = Folder.READ
    compose: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a stack. No two components have the same name; nor have two ports, two links, or a port and a link.

    - ``start``: how it is started among processes; None for one that is only a container, or that the harness starts.
    - ``needs``: the components that are started before it.
    - ``ports``: where it listens. ``http``: which of them speaks HTTP, "" where none does.
    - ``health``: a path on that port that answers 200 while it can do its work, or ``QUERIES``; "" where nobody asks.
    - ``scraped``: ``http`` also answers ``/metrics``, and ``scrapes``, one component, reads it.
    - ``links``: its connections to others through proxies, all of which listen in the one that ``proxies``.
    - ``greetings``: by port, what whoever listens there answers without more ado: for who looks whether a link passes.
    - ``direct``: the ports to which it connects without a proxy.
    - ``customers``: the link through which customers reach it, None where they do not.
    - ``operators``: they may restart it and send signals to its processes; not those of another company's part, whose
      books are witnesses against the brokerage's own.
    - ``books``: the books that it keeps. ``tables``: a module whose ``QUERIES`` give rows of the database's book.
    - ``rules``: its file of alerting rules, which the monitor reads.
    - ``volumes``: folders in the stack's folder that it alone writes to.
    - ``limited``: folders that it and operators write to, each on a volume of its own size (``volumes/``).
    - ``shares``: limited folders of another component that it writes to as well.
    - ``stop``: the signal that ends it in good order.
    - ``service``: a part of the system under drill, which faults may hit; otherwise a part of the harness beside it.
      A service can be cut off by its links among processes, and always as a container.
    - ``container``: None where it has none; then ``within`` may name the component in whose container it runs.
    """

    name: str
    start: Served | Program | None
    needs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    http: str = ""
    health: str = "/healthz"
    scraped: bool = False
    scrapes: bool = False
    links: tuple[Link, ...] = ()
    proxies: bool = False
    greetings: Mapping[str, bytes] = field(default_factory=dict)
    direct: tuple[str, ...] = ()
    customers: Link | None = None
    operators: bool = True
    books: tuple[Book, ...] = ()
    tables: str = ""
    rules: Path | None = None
    volumes: tuple[str, ...] = ()
    limited: tuple[Volume, ...] = ()
    shares: tuple[str, ...] = ()
    stop: signal.Signals = signal.SIGTERM
    service: bool = True
    container: Container | None = Container()
    within: str = ""
