"""As much of a run as its history asks for: what the index keeps of a card, and how that is read from a run folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from drills.judge.keptcard import SCHEMA
from drills.judge.scorecard import Span
from drills.judge.unjudged import judges
from drills.record.encoding import encode
from drills.record.history import Plan
from drills.record.names import CARD, RUN
from drills.record.reading import content_of
from drills.record.register import limits_hash

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
INSTALLED = ("system", "machine", "cores", "memory_mib")
"""Of the machine, what its speed hangs on."""


class Limit(msgspec.Struct, frozen=True):
    """A limit on the card, and what came of it; ``id`` as there (metric, window and service).

    ``measured``: [earliest, latest] as on the card.
    """

    id: str
    metric: str
    limit: float
    unit: str
    at_least: bool
    verdict: str
    measured: Span | None = None

    def looser_than(self, other: Limit) -> bool:
        """Whether more is let pass."""
        return self.limit < other.limit if self.at_least else self.limit > other.limit


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run, from its card. ``at`` is the stamp in its name, which orders runs; spans are in seconds.

    ``limits`` and ``machine`` are hashes, None where ``run.json`` cannot be read. ``checks`` are those of customers and
    money, ``red`` all that failed; ``accepts``: metrics whose harm the drill accepts.

    ``faults``: what the drill breaks, by kind; ``phase``: of the business day, empty where nobody knows.
    """

    run: str
    at: str
    drill: str
    variant: str | None
    title: dict[str, str]
    arm: str
    seed: int
    verdict: str
    grade: str | None
    operator: str  # robot | human | none
    pace: str
    target: str
    compression: int
    rules: int
    kunren: str
    subject: str | None
    evidence: str | None
    drill_sha256: str
    runbook_sha256: str | None
    limits: str | None
    machine: str | None
    recover: Span | None
    detect: Span | None
    service_s: float | None
    harmful_actions: float | None
    objectives: list[Limit]
    checks: list[str]
    red: list[str]
    accepts: list[str]
    earlier: list[str]
    reaction_s: float | None = None
    sources: list[str]
    phase: str
    faults: list[str]

    @property
    def called(self) -> str:
        """The drill's name, with its variant if it is one."""
        return f"{self.drill}.{self.variant}" if self.variant else self.drill

    @property
    def judged(self) -> bool:
        """Whether the run counts for or against the target."""
        return judges(self.verdict)


class _Operator(msgspec.Struct, frozen=True):
    kind: str
    pace: str = "robot"
    reaction_s: float | None = None


class _Clock(msgspec.Struct, frozen=True):
    compression: int


class _Value(msgspec.Struct, frozen=True):
    window: str
    of: str | None
    value: Span | float | None


class _Metric(msgspec.Struct, frozen=True):
    id: str
    values: list[_Value]


class _Check(msgspec.Struct, frozen=True):
    id: str
    verdict: str
    validity: bool


class _Run(msgspec.Struct, frozen=True):
    run: str


class _Card(msgspec.Struct, frozen=True):
    """The card's fields by their names there; all others are passed over."""

    schema: str
    drill: str
    variant: str | None
    title: dict[str, str]
    sources: list[str]
    arm: str
    seed: int
    verdict: str
    grade: str | None
    operator: _Operator
    target: str
    clock: _Clock
    rules: int
    kunren: str
    subject: str | None
    evidence: str | None
    drill_sha256: str
    runbook_sha256: str | None
    metrics: list[_Metric]
    objectives: list[Limit]
    checks: list[_Check]
    earlier: list[_Run] = []


class _Schema(msgspec.Struct, frozen=True):
    schema: str = ""


class _Record(msgspec.Struct, frozen=True):
    plan: Plan
    machine: dict[str, Any]


CARDS: msgspec.json.Decoder[_Card] = msgspec.json.Decoder(_Card)
RECORDS: msgspec.json.Decoder[_Record] = msgspec.json.Decoder(_Record)


class NoCard(Exception):
    """No row can be made: the file is no card, or one of a form that this version does not read."""


def row_of(folder: Path) -> RunRow:
    """The row of a run folder with a card. NoCard; OSError where it went meanwhile, Unusable where it is unreadable."""
    content = content_of(folder / CARD)
    try:
        card = CARDS.decode(content)
    except UNREADABLE as error:
        raise NoCard(_why_not(content)) from error
    if card.schema != SCHEMA:
        raise NoCard(f"of the form {card.schema}; this version reads {SCHEMA}")
    record = _record(folder)
    plan = None if record is None else record.plan
    values = {metric.id: _whole(metric) for metric in card.metrics}
    return RunRow(
        run=f"{folder.parent.name}/{folder.name}",
        at=folder.name.split("-", 1)[0],
        drill=card.drill,
        variant=card.variant,
        title=card.title,
        arm=card.arm,
        seed=card.seed,
        verdict=card.verdict,
        grade=card.grade,
        operator=card.operator.kind,
        pace=card.operator.pace,
        target=card.target,
        compression=card.clock.compression,
        rules=card.rules,
        kunren=card.kunren,
        subject=card.subject,
        evidence=card.evidence,
        drill_sha256=card.drill_sha256,
        runbook_sha256=card.runbook_sha256,
        limits=None if plan is None else limits_hash(plan),
        machine=None if record is None else _machine(record),
        recover=_span(values.get("recover")),
        detect=_span(values.get("detect")),
        service_s=_number(values.get("service_s")),
        harmful_actions=_number(values.get("harmful_actions")),
        objectives=card.objectives,
        checks=[check.id for check in card.checks if not check.validity],
        red=[check.id for check in card.checks if check.verdict == "fail"],
        accepts=[] if plan is None else sorted(plan.accepts),
        earlier=[each.run for each in card.earlier],
        reaction_s=card.operator.reaction_s,
        sources=card.sources,
        phase="" if plan is None else plan.phase,
        faults=[] if plan is None else sorted({fault.label for fault in plan.faults}),
    )


def _why_not(content: bytes) -> str:
    try:
        schema = msgspec.json.decode(content, type=_Schema).schema
    except UNREADABLE:
        return "no card"
    return "no card" if schema in ("", SCHEMA) else f"of the form {schema}; this version reads {SCHEMA}"


def _record(folder: Path) -> _Record | None:
    """None where it cannot be had."""
    try:
        return RECORDS.decode(content_of(folder / RUN))
    except (*UNREADABLE, OSError):
        return None


def _machine(record: _Record) -> str:
    return hashlib.sha256(encode([record.machine.get(key) for key in INSTALLED])).hexdigest()


def _whole(metric: _Metric) -> Span | float | None:
    return next((cell.value for cell in metric.values if cell.window == "all" and cell.of is None), None)


def _span(value: Span | float | None) -> Span | None:
    return value if isinstance(value, tuple) else None


def _number(value: Span | float | None) -> float | None:
    return None if isinstance(value, tuple) else value
