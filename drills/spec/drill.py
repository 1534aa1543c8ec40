"""Drill files, read strictly: whatever is not known refuses to start, with file:line, what was found, what is known.

A drill is data: no conditions, loops or templates. Times are integer nanoseconds once read. ``definition.vocabulary``
has the names it may use, ``drills.spec.planning`` turns it into a run's plan.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import msgspec

from drills.errors import UnknownName
from drills.record.history import NS, Objective, Slo
from drills.spec.arms import WITHOUT_RUNBOOK, Expectation, arms
from drills.spec.compatibility import SPEAKS_OF, refuse_not_offered, refuse_stranger, refuse_unjudgeable
from drills.spec.files import CATALOGUE, named
from drills.spec.metrics import DURATIONS, METRICS, objectives
from drills.spec.planning import arms_of, expectation, missing, plan, refuse_missing, requirements, runbook_of
from drills.spec.reader import SLUG, Node, Words, read
from drills.spec.seeded import extremes
from drills.spec.timeline import TimedFault, timed_faults
from drills.spec.vocabulary import PHASES, Vocabulary, embedded, standing
from targets.operator_tool import OperatorTool

__all__ = [
    "Condition",
    "Drill",
    "StopIf",
    "arms_of",
    "catalogue",
    "expectation",
    "load_drill",
    "missing",
    "plan",
    "refuse_missing",
    "requirements",
    "runbook_of",
]


DEFAULT_SLO = Slo(latency=NS, hold=5 * NS, grace=3 * NS // 2, notice=10 * NS, monitor_gap=2 * NS)

REQUIRED = (
    "drill",
    "title",
    "sources",
    "phase",
    "load",
    "baseline",
    "timeline",
    "alerts",
    "runbook",
    "objectives",
    "checks",
    "arms",
    "cap",
)
OPTIONAL = ("slo", "stop_if", "fidelity", "limits", "condition", "business_start")

SOURCE = re.compile(r"[a-z]{2,8}-t?\d{2}\Z", re.ASCII)
FIDELITY = re.compile(r"[FPAT](\+[FPAT])*\Z", re.ASCII)
BUSINESS_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?\Z", re.ASCII)

STOP_METRICS = {"order_failure_ratio": "orders", "inquiry_failure_ratio": "inquiry"}
"""Metric -> the service it is of."""


class Condition(msgspec.Struct, frozen=True):
    """The inequality that governs the incident, in words and with its two sides."""

    en: str
    ja: str
    left: float
    right: float


class StopIf(msgspec.Struct, frozen=True):
    """End the run early when ``metric`` (a share, 0 to 1) stays above the limit for ``lasts`` ns."""

    metric: str
    above: float
    lasts: int


class Drill(msgspec.Struct, frozen=True):
    """One drill file; ``content`` is its very bytes. Times in ns; ``checks`` includes the standing ones.

    ``services``: rated service -> intended requests per second. ``runbook`` is the path of the right page, None where
    the target offers no operator's tool; ``phase`` is empty where it has no business day.
    ``cap`` counts from the first fault. ``business_start`` is the business time of day at which the run starts.
    ``lines``: key of the file -> its line. ``tool``: that of the target for which it was read, None where it has none.
    """

    file: Path
    content: bytes
    name: str
    variant: str | None
    title: Words
    sources: tuple[str, ...]
    phase: str
    fidelity: str
    limits: tuple[Words, ...]
    condition: Condition | None
    load: str
    services: dict[str, float]
    slo: Slo
    baseline: int
    timeline: tuple[TimedFault, ...]
    alerts: tuple[str, ...]
    runbook: Path | None
    objectives: tuple[Objective, ...]
    checks: tuple[str, ...]
    arms: dict[str, Expectation]
    stop_if: tuple[StopIf, ...]
    cap: int
    business_start: str | None
    lines: dict[str, int]
    tool: OperatorTool | None

    @property
    def called(self) -> str:
        """The drill's name, with its variant if it is one."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def folder(self) -> Path:
        """Where the drill, its runbook and ``wrong.yaml`` lie."""
        return self.file.parent


def catalogue(*, variants: bool = False) -> dict[str, Path]:
    """Name -> file of every drill that comes with this package, sorted; a variant is called ``DRILL.VARIANT``."""
    found = {file.parent.name: file for file in CATALOGUE.glob("*/drill.yaml")}
    if variants:
        found |= {f"{file.parent.name}.{_variant(file)}": file for file in CATALOGUE.glob("*/drill.*.yaml")}
    return dict(sorted(found.items()))


def name_of(drill: Drill) -> str:
    """What means this very file on a command line: its name in the catalogue, or else its path."""
    own = catalogue(variants=True).get(drill.called)
    return drill.called if own is not None and own.resolve() == drill.file.resolve() else str(drill.file)


def load_drill(where: str | Path, words: Vocabulary | None = None) -> Drill:
    """Read a drill by its name in the catalogue, its file or its folder; BadInput or UnknownName."""
    root = read(find(where))
    known = words or embedded()
    refuse_stranger(root, known, keys(known)[0])
    refuse_not_offered(root, known)
    drill = _drill(root, known)
    _check_sense(root, drill)
    refuse_unjudgeable(root, known, drill.objectives, drill.arms)
    return drill


def find(where: str | Path) -> Path:
    """The file that a name, a path or a folder means; UnknownName when it is a name that no drill has."""
    path = Path(where)
    if isinstance(where, str) and "/" not in where and path.suffix not in (".yaml", ".yml") and not os.path.isdir(path):
        known = catalogue(variants=True)
        if where not in known:
            raise UnknownName("drill", where, tuple(known))
        return known[where]
    return path / "drill.yaml" if os.path.isdir(path) else path


def _drill(root: Node, words: Vocabulary) -> Drill:
    fields = root.fields(*keys(words))
    load = fields["load"].one_of(words.loads, "load profile")
    return Drill(
        file=root.doc.file,
        content=root.doc.source,
        name=fields["drill"].slug(),
        variant=_variant(root.doc.file),
        title=fields["title"].words(),
        sources=_sources(fields["sources"]) if "sources" in fields else (),
        phase=fields["phase"].one_of(PHASES, "phase") if "phase" in fields else "",
        fidelity=_matching(fields.get("fidelity"), FIDELITY, "F, P, A, T or a sum such as F+T") or "F",
        limits=_limits(fields.get("limits")),
        condition=_condition(fields.get("condition")),
        load=load,
        services=dict(words.loads[load]),
        slo=_slo(fields.get("slo")),
        baseline=fields["baseline"].time(positive=True),
        timeline=timed_faults(fields["timeline"], words),
        alerts=fields["alerts"].names(words.alerts, "alert", least=1) if "alerts" in fields else (),
        runbook=named(fields["runbook"], "a file beside the drill") if "runbook" in fields else None,
        objectives=objectives(fields["objectives"]),
        checks=_checks(fields.get("checks"), words),
        arms=arms(fields["arms"], (*words.checks, *METRICS)),
        stop_if=_stop_if(fields.get("stop_if")),
        cap=fields["cap"].time(positive=True),
        business_start=_matching(fields.get("business_start"), BUSINESS_TIME, "a time of day such as 09:30"),
        lines={key: node.key_line for key, node in fields.items()},
        tool=words.operator,
    )


def keys(words: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that a drill for such a target must have, and those that it may have."""
    may = tuple(key for key in REQUIRED if SPEAKS_OF.get(key) in words.not_offered)
    return tuple(key for key in REQUIRED if key not in may), (*OPTIONAL, *may)


def _variant(file: Path) -> str | None:
    """``drill.mail.yaml`` -> ``mail``; None for any other name."""
    parts = file.name.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "drill" and SLUG.match(parts[1]) else None


def _sources(node: Node) -> tuple[str, ...]:
    found = node.names(None, "source", least=1)
    for item, name in zip(node.items(), found, strict=True):
        if not SOURCE.match(name):
            raise item.expected("an id of the incident catalogue, such as rkt-05")
    return found


def _matching(node: Node | None, form: re.Pattern[str], what: str) -> str | None:
    if node is None:
        return None
    text = node.text(what)
    if not form.match(text):
        raise node.expected(what)
    return text


def _limits(node: Node | None) -> tuple[Words, ...]:
    if node is None:
        return ()
    return tuple(
        item.words() if isinstance(item.value, dict) else Words(item.text(), item.text()) for item in node.items()
    )


def _condition(node: Node | None) -> Condition | None:
    if node is None:
        return None
    fields = node.fields(("en", "ja", "left", "right"))
    return Condition(fields["en"].text(), fields["ja"].text(), fields["left"].number(), fields["right"].number())


def _slo(node: Node | None) -> Slo:
    if node is None:
        return DEFAULT_SLO
    fields = node.fields((), Slo.__struct_fields__)
    return msgspec.structs.replace(DEFAULT_SLO, **{name: item.time(positive=True) for name, item in fields.items()})


def _checks(node: Node | None, words: Vocabulary) -> tuple[str, ...]:
    asked = () if node is None else node.names(words.checks, "check", least=1)
    return (*asked, *(name for name in standing() if name not in asked))


def _stop_if(node: Node | None) -> tuple[StopIf, ...]:
    if node is None:
        return ()
    return tuple(_one_stop(name, item) for name, item in node.fields((), tuple(STOP_METRICS)).items())


def _one_stop(name: str, node: Node) -> StopIf:
    fields = node.fields(("above", "for"))
    return StopIf(name, fields["above"].number(0, 1), fields["for"].time(positive=True))


def _check_timeline(timeline: Node, drill: Drill) -> None:
    """Each fault strikes, and has lasted as long as planned, while it is still being watched."""
    first = min(min(extremes(fault.at)) for fault in drill.timeline)
    for index, fault in enumerate(drill.timeline):
        latest = max(extremes(fault.at)) - first
        if latest >= drill.cap:
            raise timeline.child(index).bad(f"timeline[{index}]: may strike after the cap")
        if fault.lasts is not None and latest + max(extremes(fault.lasts)) >= drill.cap:
            raise timeline.child(index).bad(f"timeline[{index}]: may last beyond the cap")


def _check_sense(root: Node, drill: Drill) -> None:
    """Refuse what is each well-formed but could never be judged together."""
    _check_timeline(root.child("timeline"), drill)
    if drill.slo.hold >= drill.cap:
        raise root.child("cap").bad("cap: no longer than slo.hold; nothing could ever count as restored")
    for objective in drill.objectives:
        if objective.id in DURATIONS and objective.limit * NS > drill.cap:
            place = root.child("objectives").child(objective.id)
            raise place.bad(f"objectives.{objective.id}: longer than the cap; it could never be missed")
    for rule in drill.stop_if:
        if STOP_METRICS[rule.metric] not in drill.services:
            place = root.child("stop_if").child(rule.metric)
            raise place.bad(f"stop_if.{rule.metric}: load {drill.load} has no {STOP_METRICS[rule.metric]}")
    for arm in drill.arms:
        if drill.runbook is None and arm not in WITHOUT_RUNBOOK:
            raise root.child("arms").child(arm).bad(f"arms.{arm}: somebody acts in it, and the drill has no runbook")
