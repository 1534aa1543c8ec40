"""What a drill may ask of a system under drill, whichever way it runs.

A ``Target`` is a system that runs: a core that each has, and optional parts (alerts, the operator's tool, books,
conditions, partitioning, a business clock), each a Protocol of its own and None where the target does not have it. A
``Startable`` one is also a context manager: entering starts it, leaving stops it and removes what it made. Everything
here is plain data or a short blocking call with a time-out of its own. What makes targets, and ends those whose owner
has died, is a ``targets.runtime``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from targets.operator_tool import OperatorTool
from targets.references import NameRange

Part = TypeVar("Part")


class TargetError(Exception):
    """The target could not do what was asked; the message says what, why and the fix."""

    def followed_by(self, more: object) -> TargetError:
        """The same, and what went wrong after it."""
        return TargetError(f"{self}; {more}")


class StartFailed(TargetError):
    """The system could not be started as its own file says: it is the user's to put right, no part of ours failed.

    ``says`` is one line; ``log`` are the last lines of what it printed to ``file``. The message ends with the last.
    """

    def __init__(self, says: str, log: Sequence[str] = (), file: Path | None = None) -> None:
        left = f" its log ends: {log[-1]}" if log else " it left no log"
        super().__init__(says if file is None else f"{says};{left}")
        self.says, self.log, self.file = says, tuple(log), file

    def followed_by(self, more: object) -> StartFailed:
        """Before the log, which stays."""
        return StartFailed(f"{self.says}; {more}", self.log, self.file)

    def words(self) -> str:
        """For people: the line, and below it the end of the log."""
        if self.file is None:
            return self.says
        lines = "".join(f"\n    {line}" for line in self.log)
        return f"{self.says}; the end of {self.file}:{lines}" if lines else f"{self.says}; it left no log"


class Unlabelled(TargetError):
    """The target did not prove that it is a drill target: nothing may be injected into it."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was actually done or seen: ``ok``, a sentence, and the facts behind it (JSON-able)."""

    ok: bool
    says: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A network connection between two parts that passes through a named proxy. Addresses are ``host:port``.

    ``ends`` are the services that it connects, its client first; an end outside the target is left out. ``greeting`` is
    what the far end answers without more ado; empty where nobody knows such words.
    """

    name: str
    listen: str
    upstream: str
    ends: tuple[str, ...] = ()
    greeting: bytes = b""


@dataclass(frozen=True, slots=True)
class Cut:
    """How one service is cut off from the network, and how much of that is in place now.

    ``links`` and ``passing`` belong to the service: links on which nothing passes once it is cut off, and connections
    that are not cut, for no proxy is on them. ``whole``: none passes, its own ports do not answer.
    """

    how: str
    links: tuple[str, ...]
    passing: tuple[str, ...]
    wanted: frozenset[str]
    in_place: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether it reaches nobody and nobody reaches it."""
        return not self.passing

    @property
    def there(self) -> bool:
        """Whether it is cut off now."""
        return self.wanted == self.in_place


@dataclass(frozen=True, slots=True)
class ConditionState:
    """A planted condition as of now: whether it is in the data, and whether it is felt; the facts are JSON-able."""

    there: bool
    felt: bool
    says: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A part that can be killed, paused and restarted on its own; ``pid`` is None while it does not run.

    ``frozen``: who runs it says that it was paused, where that is not to be seen in the state of its process.
    """

    name: str
    pid: int | None
    healthy: bool
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class OwnPart:
    """A process of the harness's own beside the target (proxy, launcher), and the log in which it tells its errors.

    ``pid`` is None while it does not run.
    """

    name: str
    pid: int | None
    log: Path


SYNTHETIC = "synthetic"
"""Label of an alert that was made up for a drill."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as the target's own monitor sent it; ``t_ns`` is CLOCK_MONOTONIC at receipt of the webhook."""

    rule: str
    status: str  # firing | resolved
    t_ns: int
    severity: str
    labels: Mapping[str, str]
    summary: str
    runbook: str | None  # the alert's own link; None when the rule has none

    @property
    def is_page(self) -> bool:
        """Whether somebody has to act at once; a ticket can wait."""
        return self.severity == "page"

    @property
    def is_cause(self) -> bool:
        """Whether it names what is broken, and not only what customers feel of it (label ``layer``)."""
        return self.labels.get("layer") == "cause"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the operator's tool answered: ``exit`` 0 done, 1 refused, 2 failed half-way; ``data`` is its JSON.

    ``waited_ns``: how long it took until the command itself began, where the harness is who starts it.
    """

    exit: int
    says: str
    data: Mapping[str, Any]
    began_ns: int
    ended_ns: int
    waited_ns: int = 0

    @property
    def changed(self) -> bool:
        """Whether the command changed the state of the system; what did not say so is taken to have changed it."""
        return bool(self.data.get("changed", True))


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request that customers make by URL: good when it is answered with ``expect``; ``rate`` in requests/s."""

    method: str
    path: str
    expect: int
    rate: float


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do, known before anything starts.

    ``plantable``: condition -> msgspec Struct whose fields are its parameters.
    ``own_books``: of its books, those that are its word on itself; the others are kept by others, its witnesses.
    ``unsupported``: of books, operator and alerts, what the target's own file says that it does not have.
    ``loads``: load -> rated service -> its request, for a target whose customers come by URL.
    ``monitor_interval_s``: seconds between two evaluations of its monitor; None where it has none.
    """

    links: frozenset[str]
    services: frozenset[str]
    books: tuple[str, ...]  # in the order in which they must be read to be consistent
    operator: OperatorTool | None  # what operators type, None: there is nothing to act with
    alerts: bool
    plantable: Mapping[str, type[Any]] = field(default_factory=dict)
    partitionable: frozenset[str] = frozenset()  # the services that can be cut off
    rules: frozenset[str] = frozenset()  # the alerts that its monitor may send
    accounts: NameRange | None = None  # of its customers
    own_books: frozenset[str] = frozenset()
    unsupported: tuple[str, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)  # numbers of its configuration, by name
    adjustable: frozenset[str] = frozenset()  # of these, the ones that a run may have otherwise
    loads: Mapping[str, Mapping[str, Fetch]] = field(default_factory=dict)
    monitor_interval_s: float | None = None
    volumes: frozenset[str] = frozenset()  # folders that lie on volumes of their own, where the machine lets them
    limited: frozenset[str] = frozenset()  # of these, the ones that really are limited in size here


@dataclass(frozen=True, slots=True)
class Intent:
    """What any process needs to find one system again, to undo what was done to it and to end it."""

    target: str  # the runtime's name, as in ``--target``
    stack: str  # what that runtime knows it by, unique on this machine: a folder, a project …


class Proxies(Protocol):
    """The target's Toxiproxy-compatible server, as the faults drive it. Each call reads its effect back."""

    def engine(self) -> str:
        """Name and version, such as ``embedded 2.12.0`` or ``toxiproxy 2.12.0``."""

    def enabled(self, link: str) -> bool:
        """Whether the link's proxy accepts connections."""

    def set_enabled(self, link: str, enabled: bool) -> None:
        """Open or close the link's proxy; closing drops its connections."""

    def toxics(self, link: str) -> Mapping[str, Mapping[str, Any]]:
        """Toxic name -> type, stream, toxicity, attributes."""

    def add_toxic(
        self, link: str, name: str, kind: str, stream: str, toxicity: float, attributes: Mapping[str, float]
    ) -> None:
        """Add one toxic; TargetError if it is not there afterwards."""

    def remove_toxic(self, link: str, name: str) -> None:
        """Remove one toxic; removing what is not there is no error."""

    def reset(self) -> None:
        """Open every link and remove every toxic."""


class Alerts(Protocol):
    """Optional: what the target's own monitor tells an operator."""

    def received(self, after: int) -> tuple[Alert, ...]:
        """Alerts received so far, in order, without the first ``after``."""

    def raise_synthetic(self, rule: str, summary: str, runbook: str) -> None:
        """Have an operator receive a page of this rule that its monitor did not send, by the way of all others.

        It carries the label ``SYNTHETIC``. TargetError where it cannot be sent.
        """

    def heartbeat(self) -> tuple[int, int] | None:
        """The monitor's own (count, t_ns) of its last completed evaluation; None when it does not answer."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that a person has typed at the operator's tool; ``argv`` as in a runbook's step."""

    argv: tuple[str, ...]
    role: str
    answer: Answer


class OperatorAccess(Protocol):
    """Optional: the operator's own tool, whose commands are ``Capabilities.operator``."""

    def typed(self, after: int) -> Sequence[Typed]:
        """Commands that people have typed and that have ended, in order, without the first ``after``.

        From whichever terminal, by the tool's own log; those that ``run_command`` has run are none of them.
        """

    def run_command(self, argv: tuple[str, ...], role: str, within_s: float) -> Answer:
        """Run a command of it, as a person would type it."""


class Books(Protocol):
    """Optional: the books by which it is judged, as ``Capabilities.books`` names them."""

    def book(self, name: str) -> Iterable[Mapping[str, Any]]:
        """The rows of one as of now, in the schema of ``kunren schema book``."""


class Conditions(Protocol):
    """Optional: conditions that can be put into its data. ``Capabilities.plantable`` has them with their parameters."""

    def plant(self, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
        """Put the condition ``what`` with these parameters into its data."""

    def look(self, what: str, wanted: Mapping[str, Any], *, wait: bool) -> ConditionState:
        """Whether it is there and felt now; with ``wait`` it looks for as long as the effect may take to show.

        What is to be seen, and how long that may take, is the condition's own affair.
        """

    def unplant(self, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
        """Take it out again, with all it has led to that can be taken back; idempotent."""


class Partitioning(Protocol):
    """Optional: services that can be cut off from the network, as ``Capabilities.partitionable`` names them."""

    def cut(self, service: str) -> Cut:
        """How one is cut off, and what of it is in place now."""

    def disconnect(self, service: str) -> None:
        """Cut it off; what is in place stays."""

    def connect(self, service: str) -> None:
        """Undo all that a ``disconnect`` of it may have left in place; idempotent."""


class BusinessClock(Protocol):
    """Optional: a clock of its own, by which its business day goes."""

    def open_day(self, t0_ns: int) -> None:
        """The load begins at ``t0_ns`` (CLOCK_MONOTONIC): let it run from then on."""


class Target(Protocol):
    """A system under drill. Blocking calls; each bounded in time; TargetError says what went wrong.

    Who subclasses it has none of the optional parts but those that it defines.
    """

    name: str

    def capabilities(self) -> Capabilities:
        """What this target can do; needs nothing running."""

    def engines(self) -> Mapping[str, str]:
        """Engine names and versions for the card: proxy, database, volume …"""

    def handshake(self) -> ProbeResult:
        """Label and token, held and shown by the target itself; raises Unlabelled."""

    def customers_url(self) -> str:
        """Base URL at which customers reach it, through the client link."""

    def customers_authority(self) -> str:
        """Who signs what it shows to customers, as PEM; empty: whomever this machine trusts, or nothing is signed."""
        return ""

    def own_hosts(self) -> frozenset[str]:
        """Addresses beside 127.0.0.0/8 that load may go to: of containers that this very target has made."""

    def links(self) -> Mapping[str, Link]:
        """Link name -> addresses."""

    def proxies(self) -> Proxies:
        """The proxy server's control."""

    def services(self) -> Mapping[str, ServiceState]:
        """Service name -> state, as of now."""

    def signal(self, service: str, number: int) -> None:
        """Send a signal to every process of the service."""

    def start(self, service: str) -> None:
        """Start a service that does not run; no-op if it does. Waits until healthy."""

    def logs(self) -> Mapping[str, Path]:
        """Service name -> its log file."""

    def processor_time(self) -> int | None:
        """Processor time, ns, that its processes have used which are not below this one; None where nobody can tell."""
        return None

    @property
    def alerts(self) -> Alerts | None:
        """What its own monitor tells."""
        return None

    @property
    def operator_tool(self) -> OperatorAccess | None:
        """What it is operated with."""
        return None

    @property
    def books(self) -> Books | None:
        """What it is judged by."""
        return None

    @property
    def conditions(self) -> Conditions | None:
        """What can be planted in its data."""
        return None

    @property
    def partitioning(self) -> Partitioning | None:
        """How its services are cut off from the network."""
        return None

    @property
    def business_clock(self) -> BusinessClock | None:
        """What its business day goes by."""
        return None

    @property
    def gauge(self) -> Gauged | None:
        """What it takes."""
        return None


class Gauged(Protocol):
    """How much of a service's work the target takes, found out while nobody else asks for any."""

    def capacity(self, service: str) -> float | None:
        """Requests a second; None where that cannot be measured of this service. TargetError where it failed.

        Nothing of it is left in any book.
        """


class Startable(Target, Protocol):
    """A target that this process starts and stops. What it says of itself here needs nothing running."""

    def intent(self) -> Intent:
        """How to find it again; known, and to be journalled, before anything of it is there."""

    def lifelines(self) -> tuple[int, ...]:
        """File descriptors that keep it alive while somebody holds one; none where it lives on by itself."""

    def unguarded(self) -> Sequence[str]:
        """What it relies on to be cleared away after us and has lost, a sentence each; quick, from any thread.

        Empty while all stands, before it is started and from when it is being stopped.
        """

    def world(self) -> Sequence[Mapping[str, Any]]:
        """The rows of the book ``world``: all that it will start from, made from the seed."""

    def password(self, customer: str) -> str:
        """What this customer logs in with."""

    def own_parts(self) -> Sequence[OwnPart]:
        """The harness's own processes beside it, as of now, their logs up to date: always the same names."""

    def by_hand(self) -> Iterable[str]:
        """Lines for a person who wants to operate it: addresses, and commands to copy."""

    def __enter__(self) -> Self:
        """Start and wait until healthy."""

    def __exit__(self, *exc: object) -> None:
        """Stop, and leave nothing behind."""


def offered(part: Part | None, what: str) -> Part:
    """An optional part of a target; TargetError where it has none."""
    if part is None:
        raise TargetError(f"the target has no {what}")
    return part
