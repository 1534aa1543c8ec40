"""The form of a drill file: its keys, and what may stand under each.

A drill is data: no conditions, loops or templates. Times are integer nanoseconds once read. What is well-formed each
by itself and makes no sense together is refused by ``drills.spec.drill``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, field

from drills.errors import unknown
from drills.record.history import NS, Objective, Slo
from drills.spec import metrics
from drills.spec.arms import Arms
from drills.spec.compatibility import SPEAKS_OF
from drills.spec.files import named
from drills.spec.forms import Kind, Schema, decode, keys_of, kind, schema_of
from drills.spec.governing import Condition
from drills.spec.pace import Factor, Triggers
from drills.spec.reader import Node, Words
from drills.spec.timeline import TimedFault
from drills.spec.values import (
    TEXT,
    TIME,
    Bilingual,
    Duration,
    Names,
    OneOrMore,
    Phase,
    Share,
    Slug,
    closed,
    enum,
    known,
)
from drills.spec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from drills.judge.metric import Metric

SOURCE = re.compile(r"[a-z]{2,8}-t?\d{2}\Z", re.ASCII)
FIDELITY = re.compile(r"[FPAT](\+[FPAT])*\Z", re.ASCII)
BUSINESS_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?\Z", re.ASCII)

DEFAULT_SLO = Slo(latency=NS, hold=5 * NS, grace=3 * NS // 2, notice=10 * NS, monitor_gap=2 * NS)

ABSENT: dict[str, Any] = {"sources": (), "phase": "", "checks": (), "runbook": None, "alerts": ()}
"""What a drill has under a key that its target has no use for (``compatibility.SPEAKS_OF``)."""


def _matching(what: str, form: re.Pattern[str], wanted: str, schema: str) -> type[Kind]:
    """Text of one form; ``wanted`` says which."""

    def read(node: Node) -> str:
        text = node.text(wanted)
        if not form.match(text):
            raise node.expected(wanted)
        return text

    return kind(what, read, {"type": "string", "pattern": schema})


def _limit(node: Node) -> Words:
    return node.words() if isinstance(node.value, dict) else Words(node.text(), node.text())


class _Service(Kind):
    """A service that customers are counted by; whether the drill's own load has it, is asked once all is read."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> str:
        return node.text("a service")

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        return enum(_services(words))


class _Slo(Kind):
    """What is not written is as usual."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Slo:
        return Slo(**msgspec.structs.asdict(decode(_SLO, node)))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return schema_of(_SLO)


class _Objectives(Kind):
    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[Objective, ...]:
        assert words is not None
        return metrics.objectives(node, _services(words))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        return objectives_schema(_services(words))


class _Settings(Kind):
    """Settings of the target that the drill needs to be otherwise, by name; whole numbers stay whole."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> dict[str, float]:
        assert words is not None
        found = node.mapping("a mapping of the target's settings to numbers")
        for name, each in found.items():
            if name not in words.adjustable:
                raise each.bad(f"settings: {unknown('setting', name, tuple(words.adjustable))}", at_key=True)
        return {name: _setting(each, words.adjustable[name]) for name, each in found.items()}

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        return closed({name: _number(usual) for name, usual in words.adjustable.items()}, ())


class _Accepted(Kind):
    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> dict[str, Words]:
        return metrics.accepts(node)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return closed(dict.fromkeys(metrics.counting_harm(), schema_of(Bilingual)), ())


def _setting(node: Node, usual: float) -> float:
    return node.integer(low=0) if isinstance(usual, int) else node.number(low=0)


def _number(usual: float) -> Schema:
    return {"type": "integer" if isinstance(usual, int) else "number", "minimum": 0}


def _services(words: Vocabulary) -> tuple[str, ...]:
    """Of all loads; whether the drill's own has one is asked once all is read."""
    return tuple(dict.fromkeys(service for services in words.loads.values() for service in services))


if TYPE_CHECKING:
    Source: TypeAlias = str
    Fidelity: TypeAlias = str
    BusinessTime: TypeAlias = str
    Load: TypeAlias = str
    Service: TypeAlias = str
    Alert: TypeAlias = str
    Check: TypeAlias = str
    Limit: TypeAlias = Words
    NamedFile: TypeAlias = Path
    ServiceLevel: TypeAlias = Slo
    Objectives: TypeAlias = tuple[Objective, ...]
    Accepted: TypeAlias = dict[str, Words]
    Settings: TypeAlias = dict[str, float]
else:
    Source = _matching("source", SOURCE, "an id of the incident catalogue, such as rkt-05", r"^[a-z]{2,8}-t?\d{2}$")
    Fidelity = _matching("fidelity", FIDELITY, "F, P, A, T or a sum such as F+T", r"^[FPAT](\+[FPAT])*$")
    BusinessTime = _matching("time", BUSINESS_TIME, "a time of day such as 09:30", r"^\d\d:\d\d(:\d\d)?$")
    Load = known("load profile", lambda words: words.loads)
    Alert = known("alert", lambda words: words.alerts)
    Check = known("check", lambda words: words.checks)
    Limit = kind("limit", _limit, {"anyOf": [TEXT, schema_of(Bilingual)]})
    NamedFile = kind("file", lambda node: named(node, "a file beside the drill"), TEXT)
    Service, ServiceLevel, Objectives = _Service, _Slo, _Objectives
    Accepted, Settings = _Accepted, _Settings

_SLO = msgspec.defstruct(
    "Slo",
    [(name, Duration, getattr(DEFAULT_SLO, name)) for name in Slo.__struct_fields__],
    frozen=True,
    forbid_unknown_fields=True,
)


class FailureRatio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of bad requests of one service stays above ``above`` for ``lasts`` ns."""

    service: Service
    above: Share
    lasts: Duration = field(name="for")


class StopIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When to end the run early."""

    failure_ratio: FailureRatio


class PersonsPace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs where a person acts; ``objectives`` are of those that the drill has. Times in ns."""

    cap: Duration
    compression: Factor | None = None
    triggers: Triggers = ()
    objectives: Objectives = ()


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paces other than that of the file, by name."""

    person: PersonsPace


class DrillFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A drill as it is written, in the order of its keys. Times in ns; ``cap`` counts from the first fault.

    ``business_start`` is the business time of day at which the run starts. ``settings``: of the target, those that must
    be otherwise than usual.
    """

    name: Slug = field(name="drill")
    title: Bilingual
    sources: Names[Source]
    phase: Phase
    load: Load
    baseline: Duration
    timeline: Annotated[tuple[TimedFault, ...], Meta(min_length=1, description="a list of faults")]
    alerts: Names[Alert]
    runbook: NamedFile | None
    objectives: Objectives
    checks: Names[Check]
    arms: Arms
    cap: Duration
    slo: ServiceLevel = DEFAULT_SLO
    stop_if: OneOrMore[StopIf] = ()
    fidelity: Fidelity = "F"
    limits: tuple[Limit, ...] = ()
    accepts: Accepted = {}
    governing: Condition | None = None
    business_start: BusinessTime | None = None
    settings: Settings = {}
    pace: Pace | None = None


def form_for(words: Vocabulary) -> type[DrillFile]:
    """The form of a drill for such a target: what the target does not have, need not be spoken of."""
    return _without(tuple(key for key, thing in SPEAKS_OF.items() if thing in words.unsupported))


def required(words: Vocabulary) -> tuple[str, ...]:
    """The keys that a drill for such a target must have."""
    return keys_of(form_for(words))[0]


@cache
def _without(keys: tuple[str, ...]) -> type[DrillFile]:
    if not keys:
        return DrillFile
    types = {each.encode_name: each.type for each in msgspec.structs.fields(DrillFile)}
    fields = [(key, types[key], ABSENT[key]) for key in keys]
    made: Any = msgspec.defstruct(
        "DrillFile", fields, bases=(DrillFile,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )
    found: type[DrillFile] = made
    return found


def objectives_schema(services: Collection[str]) -> Schema:
    """The schema of ``objectives:``, which ``drills.spec.metrics`` reads."""
    limits = {name: _limits(metric, services) for name, metric in metrics.metrics().items()}
    return {**closed(limits, ()), "minProperties": 1}


def _limits(metric: Metric, services: Collection[str]) -> Schema:
    """A limit as it is, or with its window, service or reason."""
    number: Schema = {"type": "number" if metric.unit in ("s", "ratio") else "integer", "minimum": 0}
    value = TIME if metric.span else {"anyOf": [number, TIME]} if metric.unit == "s" else number
    word = "at_least" if metric.more_is_better else "at_most"
    limits = dict.fromkeys((word, *(str(window) for window in metric.windows if window != "all")), value)
    if metric.by_service is not None:
        limits["of"] = {**closed(dict.fromkeys(services, value), ()), "minProperties": 1}
    named = closed({**limits, "because": schema_of(Bilingual), "approved_by": {"type": "string", "minLength": 1}}, ())
    whole = {**named, "anyOf": [{"required": [key]} for key in limits]}
    return whole if metric.more_is_better else {"anyOf": [value, whole]}
