"""Every table of a stack, derived from what its components declare; ``TOPOLOGY`` is the brokerage's own.

Nothing here names a component: a new one is in all tables once ``components`` lists it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeVar

from targets.brokerage.components import COMPONENTS
from targets.brokerage.declaration import Book, Component, Program, Served, Volume

T = TypeVar("T")


class TopologyError(ValueError):
    """Declarations that do not fit together, or numbers that do not fit them; the message names what."""


@dataclass(frozen=True, slots=True)
class Route:
    """A link to ``port``: ``ends`` are the components it connects, its client first; customers are no component."""

    ends: tuple[str, ...]
    port: str


class Topology:
    """The tables of one set of components. TopologyError where their declarations do not fit together."""

    def __init__(self, components: Iterable[Component]) -> None:
        self.components: Mapping[str, Component] = {each.name: each for each in _in_order(tuple(components))}
        """Name -> declaration, in the order of starting."""
        self.owners: Mapping[str, str] = dict(_unique("port", _ports(self.components.values())))
        """Port -> the component that listens on it."""
        self.links: Mapping[str, Route] = dict(_unique("link", self._routes()))
        self._check()

    # -- who there is -------------------------------------------------------------------------------------------------

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The parts of the system under drill, in the order of starting."""
        return self._named(lambda each: each.service)

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """What is executed, and runs before any service of our own is started."""
        return self._named(lambda each: isinstance(each.start, Program))

    @cached_property
    def served(self) -> tuple[str, ...]:
        """The services of our own, which are started one after the other."""
        return self._named(lambda each: each.service and isinstance(each.start, Served))

    @cached_property
    def operated(self) -> tuple[str, ...]:
        """The services that operators may restart and send signals to."""
        return self._named(lambda each: each.service and each.operators)

    @cached_property
    def processes(self) -> tuple[str, ...]:
        """What runs of a stack of processes."""
        return self._named(lambda each: each.start is not None or each.container is None)

    @cached_property
    def containers(self) -> tuple[str, ...]:
        """What has a container in a stack of containers; their addresses follow from this order."""
        return self._named(lambda each: each.container is not None)

    @cached_property
    def proxy(self) -> str:
        """The component in which the links' proxies listen."""
        return self._one("proxies", self._named(lambda each: each.proxies))

    @cached_property
    def scraper(self) -> str:
        """The component that reads the others' metrics."""
        return self._one("scrapes", self._named(lambda each: each.scrapes))

    @cached_property
    def operators_host(self) -> str:
        """The component in whose container the operator's tool runs."""
        return self._one("within", tuple(each.within for each in self.components.values() if each.within))

    def greeting(self, port: str) -> bytes:
        """What is answered there without more ado; empty where nothing is known of it."""
        return self.components[self.owners[port]].greetings.get(port, b"")

    def start_of(self, name: str) -> Served | Program:
        """How the component is started among processes; KeyError where it is none of those."""
        start = self.components[name].start
        if start is None:
            raise KeyError(name)
        return start

    # -- what it is judged by, and alerts by ---------------------------------------------------------------------------

    @cached_property
    def books(self) -> Mapping[str, Book]:
        """Book -> declaration, in the order to read them in: each before those that it tells of."""
        known = dict(_unique("book", ((one.name, one) for each in self.components.values() for one in each.books)))
        order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(known, ()))
        for book in known.values():
            for name in book.tells_of:
                if name not in known:
                    raise TopologyError(f"book {book.name} tells of {name}, which no component keeps")
                order.add(name, book.name)
        try:
            return {name: known[name] for name in order.static_order()}
        except CycleError as error:
            raise TopologyError(f"books tell of each other: {', '.join(error.args[1])}") from error

    @cached_property
    def own_books(self) -> frozenset[str]:
        """The brokerage's word on itself; the others are witnesses."""
        return frozenset(one.name for each in self.components.values() if each.operators for one in each.books)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Modules with queries for the rows of the database's book."""
        return tuple(each.tables for each in self.components.values() if each.tables)

    @cached_property
    def rules(self) -> Mapping[str, Path]:
        """Component -> its file of alerting rules."""
        return {name: each.rules for name, each in self.components.items() if each.rules}

    @cached_property
    def limited(self) -> Mapping[str, Volume]:
        """Volume of a size of its own -> declaration."""
        return dict(_unique("volume", ((one.name, one) for each in self.components.values() for one in each.limited)))

    # -- who is connected with whom -----------------------------------------------------------------------------------

    @cached_property
    def customers(self) -> str:
        """The link through which customers come."""
        return self._one("customers", tuple(each.customers.name for each in self.components.values() if each.customers))

    @cached_property
    def scraped(self) -> Mapping[str, str]:
        """Component whose metrics are read -> the port that shows them."""
        return {each.name: each.http for each in self.components.values() if each.scraped}

    @cached_property
    def direct(self) -> tuple[tuple[str, str], ...]:
        """Connections that pass through no proxy: who connects, and to whom."""
        own = [(each.name, self.owners[port]) for each in self.components.values() for port in each.direct]
        return (*sorted(own), *((self.scraper, name) for name in self.scraped))

    @cached_property
    def linked(self) -> frozenset[str]:
        """The components at the end of a link: those that can be cut off by proxies."""
        return frozenset(name for route in self.links.values() for name in route.ends)

    # -- ports --------------------------------------------------------------------------------------------------------

    @property
    def block(self) -> int:
        """How many ports a stack takes: one for each that a component has, one for the proxy of each link."""
        return len(self.owners) + len(self.links)

    def numbered(self, numbers: Sequence[int]) -> tuple[dict[str, int], dict[str, int]]:
        """Port -> number, and link -> the number at which its proxy listens. TopologyError unless just as many."""
        if len(numbers) != self.block:
            raise TopologyError(f"{len(numbers)} ports for a stack that takes {self.block}")
        own = len(self.owners)
        return dict(zip(self.owners, numbers[:own], strict=True)), dict(zip(self.links, numbers[own:], strict=True))

    def check_numbers(self, ports: Mapping[str, int], via: Mapping[str, int]) -> None:
        """TopologyError unless they are those of just these ports and links."""
        for what, known, given in (("ports", self.owners, ports), ("links", self.links, via)):
            if known.keys() != given.keys():
                odd = ", ".join(sorted(known.keys() ^ given.keys()))
                raise TopologyError(f"the {what} are not those of this brokerage: {odd}")

    # -- derivation ---------------------------------------------------------------------------------------------------

    def _named(self, wanted: Callable[[Component], bool]) -> tuple[str, ...]:
        return tuple(name for name, each in self.components.items() if wanted(each))

    def _routes(self) -> Iterator[tuple[str, Route]]:
        for each in self.components.values():
            if each.customers is not None:
                yield each.customers.name, Route((self._owner(each, each.customers.port),), each.customers.port)
            for link in each.links:
                yield link.name, Route((each.name, self._owner(each, link.port)), link.port)

    def _owner(self, of: Component, port: str) -> str:
        if port not in self.owners:
            raise TopologyError(f"{of.name} connects to port {port}, which no component has")
        return self.owners[port]

    def _check(self) -> None:
        _ = self.books, self.limited  # they must be in an order, and have names of their own
        if both := self.owners.keys() & self.links.keys():
            raise TopologyError(f"a port and a link are both called {', '.join(sorted(both))}")
        for each in self.components.values():
            for port in each.direct:
                self._owner(each, port)
            if each.http and each.http not in each.ports:
                raise TopologyError(f"{each.name} speaks HTTP on port {each.http}, which is none of its own")
            if each.scraped and not each.http:
                raise TopologyError(f"{each.name} is to be scraped, and speaks no HTTP")
            for name in each.shares:
                if name not in self.limited:
                    raise TopologyError(f"{each.name} shares volume {name}, which no component declares")
            if each.within and each.within not in self.components:
                raise TopologyError(f"{each.name} runs within {each.within}, which no component is")

    def _one(self, what: str, found: tuple[str, ...]) -> str:
        if len(found) != 1:
            raise TopologyError(f"one component must declare {what}, not {len(found)}: {', '.join(found)}")
        return found[0]


def _ports(components: Iterable[Component]) -> Iterator[tuple[str, str]]:
    yield from ((port, each.name) for each in components for port in each.ports)


def _unique(what: str, rows: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """The rows; TopologyError where a name comes twice."""
    found = list(rows)
    for name, times in Counter(name for name, _ in found).items():
        if times > 1:
            raise TopologyError(f"{what} {name} is declared {times} times")
    yield from found


def _in_order(components: tuple[Component, ...]) -> Iterator[Component]:
    """As they are listed, but each after what it needs."""
    waiting = dict(_unique("component", ((each.name, each) for each in components)))
    for each in components:
        for name in each.needs:
            if name not in waiting:
                raise TopologyError(f"{each.name} needs {name}, which no component is")
    while waiting:
        ready = next((each for each in waiting.values() if not waiting.keys() & set(each.needs)), None)
        if ready is None:
            raise TopologyError(f"these need each other to start: {', '.join(sorted(waiting))}")
        yield waiting.pop(ready.name)


TOPOLOGY = Topology(COMPONENTS)
