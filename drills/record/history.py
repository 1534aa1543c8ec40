"""What happened in a run, as plain data: the plan, the events, the samples and the books.

The history is the product; everything that judges is a pure function of it. Imports nothing else of ours but the
book rows and the names of what a target may not offer. All times are integer nanoseconds of one CLOCK_MONOTONIC.

Events, by actor:

========== ====================================================================================================
runner     ``started``, ``target`` (invoke/ok), ``load`` (invoke/ok), ``baseline`` (invoke, then ok or fail),
           ``observe`` (invoke), ``false-alarm`` (info), ``late`` (info; ns: so long its own clock did not tick),
           ``lateness`` (info; ticks, worst_ns, total_ns), ``contended`` (info; ns: so long others kept all
           processors busy, ours, others, idle: shares), ``processors`` (info; windows, contended_ns, the three shares
           over all; none where they cannot be measured), ``snapshot`` (invoke/ok), ``finished`` (info; why it ended),
           ``interrupted``
fault:N    ``inject`` (invoke/ok/fail), ``verify_effect`` (ok/fail), ``rollback`` (invoke/ok/fail),
           ``verify_removed`` (ok/fail)
monitor    ``alert`` (info; rule, status, labels, runbook, t_ns), ``heartbeat`` (info; n, t_ns)
operator   ``runbook`` (invoke; runbook, sha256, rule of the alert that led there, alert_ns: its receipt,
           called_ns: that of the one with which the reaction began, from: who opened it; then ok or fail; end, opens),
           ``not-opened`` (info; rule, runbook, reason), ``step`` (invoke/ok/fail/info; id, outcome, changed, says,
           waited_ns: until the commands of it were begun)
load       ``ready``, ``started``, ``stopped`` (info)
harness, load, proxy, launcher, operator's tool
           ``own-errors`` (ok or fail; counts by kind, first: the first of them in words): each part of ours, once
stop_if    ``tripped`` (info)
========== ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from drills.record.arm import NOTHING_BROKEN
from drills.record.books import Row
from drills.record.unsupported import BOOKS

NS = 1_000_000_000
"""Nanoseconds in a second."""

REACTION = NS
"""How long the robot waits after an alert where nothing else is asked for, ns."""

MONITOR_INTERVAL = 250_000_000
"""What a plan holds where the target has no monitor that could say, ns."""


class Kind(StrEnum):
    """Of an event: something began, ended well, ended badly, or is simply so (also: outcome unknown)."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Event(msgspec.Struct, frozen=True):
    """One line of ``events.jsonl``; ``index`` counts from 0 without gaps, ``t`` is CLOCK_MONOTONIC in ns."""

    index: int
    t: int
    actor: str
    kind: Kind
    what: str
    data: dict[str, Any] = {}


class Slo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What good means, in ns; the defaults stand in ``drills.spec.drill``."""

    latency: int  # tau: a reply later than this after the intended instant is bad
    hold: int  # H: how long it must stay good to count as restored
    grace: int  # G: how far a figure or a posting may lag the exchange
    notice: int  # T: how late an execution notice may be
    monitor_gap: int  # longest silence of the monitor


class Objective(msgspec.Struct, frozen=True):
    """A limit on a metric; ``at_most`` unless ``at_least``.

    On its value in ``window``, of the service ``of``; None: of all. ``because`` says why it is this limit, by language,
    ``approved_by`` who has agreed to it.
    """

    metric: str
    limit: float
    unit: str
    at_least: bool = False
    window: str = "all"
    of: str | None = None
    because: dict[str, str] | None = None
    approved_by: str | msgspec.UnsetType = msgspec.UNSET  # stands there only where the drill names somebody

    @property
    def id(self) -> str:
        """The metric's, with window and service where they are not the whole."""
        return ".".join(filter(None, (self.metric, self.window if self.window != "all" else "", self.of)))


class PlannedFault(msgspec.Struct, frozen=True):
    """A fault as drawn from the seed: onset counts from the end of the baseline."""

    index: int
    kind: str
    at: int  # ns
    lasts: int | None  # ns; None: until judged
    params: dict[str, Any]

    @property
    def label(self) -> str:
        """What it is called: its kind, and what of that kind where there are several (``what``)."""
        return fault_label(self.kind, self.params)


def fault_label(kind: str, params: Mapping[str, Any]) -> str:
    """As ``PlannedFault.label``, for a fault that is not one of a plan."""
    return f"{kind} {params['what']}" if "what" in params else kind


class Product(msgspec.Struct, frozen=True):
    """Quantities multiplied by each other and divided by others; names listed together are added up first."""

    times: list[list[str]]
    over: list[list[str]] = []


class Governing(msgspec.Struct, frozen=True):
    """The condition under which the incident happens: ``left`` is more than ``right``.

    ``words`` are a template by language, with quantities as ``{places}``, and ``{left}``, ``{relation}`` (whether it
    held in the run) and ``{right}``. ``known`` are the quantities that the load and the target's settings give; those
    that begin with ``measured.`` are metrics.
    """

    id: str
    words: dict[str, str]
    left: Product
    right: Product
    known: dict[str, float]


ROBOT_ACTS, PERSON_ACTS, NOBODY = "auto", "human", "none"
"""Who acts in a run, as its plan names it."""


class Person(msgspec.Struct, frozen=True):
    """Who is on call in a run in which a person acts."""

    name: str
    role: str


class Plan(msgspec.Struct, frozen=True):
    """All that was fixed before the run started; hashed into it, so objectives cannot move afterwards."""

    drill: str
    variant: str | None
    title: dict[str, str]
    sources: list[str]
    phase: str
    fidelity: str
    limits: list[str]
    governing: Governing | None
    arm: str  # no-fault | false-alarm | no-action | runbook | wrong:NAME | without:STEP
    operator: str  # auto | human | none
    reaction: int  # ns
    seed: int
    slo: Slo
    services: dict[str, float]  # rated service -> intended requests per second
    alerts: list[str]
    objectives: list[Objective]
    checks: list[str]
    faults: list[PlannedFault]  # what the drill would inject; the arms without a fault inject none of it
    baseline: int  # ns
    cap: int  # ns after the (planned) onset of the first fault
    drill_sha256: str
    runbook_sha256: str | None
    compression: int = 1
    monitor_interval: int = MONITOR_INTERVAL  # ns
    limits_ja: list[str] = []  # ``limits`` in Japanese, as many, in the same order
    accepts: dict[str, dict[str, str]] = {}  # metric that counts harm -> why it is accepted, by language
    pace: str = "robot"  # robot | person: how fast business time runs, and how long triggers last
    person: Person | None = None  # who acts where ``operator`` is human
    settings: dict[str, float] = {}  # of the target, those that are otherwise than usual

    @property
    def injects(self) -> bool:
        """Whether this arm breaks anything."""
        return self.arm not in NOTHING_BROKEN


class RunEnd(msgspec.Struct, frozen=True):
    """How the run ended; a run folder without it is invalid."""

    t: int
    reason: str  # judged | cap | stop_if | baseline | interrupted | terminated | hung-up | refused | error
    says: str = ""
    exit: int | None = None  # what the command exits with where this end decides it; None: the verdict does


class Asked(msgspec.Struct, frozen=True):
    """What stood on the command line and is not in the plan: enough to ask for the very same run again."""

    drill: str  # a name of the catalogue, or a path
    runbook: str | None = None  # the runbook given in place of the drill's own
    proxy: str = "auto"


Value = str | int | float | bool | Sequence[str | float] | None
"""What a reason is filled in with: a number, or a name that scripts use."""


class Count(msgspec.Struct, frozen=True):
    """``bad`` of ``of`` things were not as they should be; ``id`` says what, ``evidence`` names bad rows."""

    id: str
    bad: int
    of: int
    evidence: list[str] = []


class Reason(msgspec.Struct, frozen=True):
    """Something that was found and is no count: ``id`` names the words for it, ``values`` what is filled in."""

    id: str
    values: dict[str, Value] = {}


class Cause(msgspec.Struct, frozen=True):
    """A check that kept a run from being judged, and what it found."""

    check: str
    counts: list[Count]
    reasons: list[Reason]


class Earlier(msgspec.Struct, frozen=True):
    """An attempt at the same run that could not judge, and why it was made once more."""

    run: str  # DRILL/FOLDER
    evidence: str | None
    verdict: str
    causes: list[Cause]


class Registered(msgspec.Struct, frozen=True):
    """Where a run's own entry stands in the register: its number, and the hash of its line."""

    n: int
    sha256: str


class RunRecord(msgspec.Struct, frozen=True):
    """``run.json``: identity, plan, means and end of one run."""

    schema: Literal["kunren.run/2"]
    run: str  # DRILL/FOLDER
    plan: Plan
    started: str  # wall clock, UTC, ISO 8601
    t0: int  # CLOCK_MONOTONIC at run start, ns
    kunren: str
    subject: str | None
    target: str
    engines: dict[str, str]
    machine: dict[str, Any]
    clock: dict[str, int]  # wall-minus-monotonic offsets in ns, at start and end
    attempts: int = 1
    books: list[str] = []  # all that the run should have
    ready: int | None = None  # CLOCK_MONOTONIC when the target was ready, ns
    end: RunEnd | None = None
    own_books: list[str] = []  # of ``books``, those that are the target's word on itself; the others are witnesses'
    libraries: dict[str, str] = {}  # name -> version of what the harness ran with
    asked: Asked | None = None
    earlier: list[Earlier] = []  # the attempts before this one
    unsupported: list[str] = []  # of books, operator and alerts: what the target's own file says it does not have
    own_parts: list[str] = []  # of the instrument: all that must give an account of their own errors
    register: Registered | msgspec.UnsetType = msgspec.UNSET  # its entry there, made before anything was injected


class RequestOutcome(StrEnum):
    """Of a request sample."""

    OK = "ok"
    REJECT = "reject"  # a business answer; good
    CLOSED = "closed"  # the operator closed the service; bad, and counted apart as planned closure
    UNKNOWN = "unknown"  # the system said it does not know
    ERROR = "error"  # any other 5xx or protocol error
    TIMEOUT = "timeout"  # no answer within the client's time-out: indeterminate
    REFUSED = "refused"
    RESET = "reset"
    DROPPED = "dropped"  # never sent: no idle customer


OUTCOMES = tuple(RequestOutcome)
"""Code -> outcome, as stored in ``samples/outcome.npy``."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Request samples as columns of equal length, sorted by ``intended``. Equal only to themselves.

    ``sent`` and ``done`` are 0 where it did not happen. ``name`` indexes ``names``, the rated services.
    ``key`` is the id of the request's row in the customers' book.
    """

    intended: npt.NDArray[np.int64]
    sent: npt.NDArray[np.int64]
    done: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.uint8]
    name: npt.NDArray[np.uint8]
    key: npt.NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.intended)

    @staticmethod
    def empty(names: tuple[str, ...] = ()) -> Samples:
        """No request was ever intended."""
        i64 = np.empty(0, np.int64)
        u8 = np.empty(0, np.uint8)
        return Samples(i64, i64, i64, u8, u8, i64, names)


@dataclass(frozen=True, slots=True)
class History:
    """One run, read back. ``books`` holds the books that exist; ``damage`` what could not be read.

    ``facts`` is what was once computed of it, by function, so that nothing is computed twice.
    """

    run: RunRecord
    events: tuple[Event, ...]
    samples: Samples
    books: Mapping[str, tuple[Row, ...]]
    damage: tuple[Reason, ...] = field(default=())
    facts: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def plan(self) -> Plan:
        """What was fixed before the run."""
        return self.run.plan

    def withheld(self, *names: str) -> bool:
        """Whether one of these books is none that the run should have, as the target's file says it keeps none."""
        return BOOKS in self.run.unsupported and any(name not in self.run.books for name in names)


class Status(StrEnum):
    """Of a check or an objective. ``n/a``: the arm has no fault, or the target's own file says it does not offer it."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    NOT_APPLICABLE = "n/a"


class CheckResult(msgspec.Struct, frozen=True):
    """What a check found: its status, what it counted, other reasons, and evidence as event indexes or book rows.

    It holds ids and numbers; words for them lie with the domain, in English and Japanese.
    """

    status: Status
    counts: list[Count] = []
    reasons: list[Reason] = []
    evidence: list[str] = []
