"""Drills: read strictly from their files, or refused with file:line, what was found, what is known.

The form of a file is ``drills.spec.drillfile``; here is what must make sense together. ``drills.spec.vocabulary`` has
the names that a drill may use, ``drills.spec.planning`` turns it into a run's plan.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from drills.errors import BadInput, Refused, UnknownName, unknown
from drills.record.history import NS
from drills.spec.compatibility import refuse_not_offered, refuse_stranger, refuse_unjudgeable
from drills.spec.drillfile import DrillFile, PersonsPace, form_for, required
from drills.spec.files import CATALOGUE
from drills.spec.forms import decode
from drills.spec.governing import settled
from drills.spec.metrics import metrics
from drills.spec.pace import PERSON, ROBOT, Slower, triggered, with_limits_of
from drills.spec.reader import SLUG, Node, read
from drills.spec.seeded import extremes
from drills.spec.stepped import quantities, refuse_other_service
from drills.spec.vocabulary import Vocabulary, embedded, standing
from loadprofiles.commands import LONGEST_S
from targets.operator_tool import OperatorTool

SPARE_S = 60.0
"""Of a load, for the onset and what comes after the cap."""


class Drill(DrillFile, frozen=True, kw_only=True):
    """One drill: what its file says, and where that lies; ``content`` is its very bytes.

    ``services``: rated service -> intended requests per second. ``checks`` includes the standing ones. ``runbook`` is
    the path of the right one, None where the target offers no operator's tool; ``phase`` is empty where it has no
    business day. ``lines``: key of the file -> its line. ``tool``: that of the target for which it was read, None where
    it has none. ``slower``: what differs at a person's pace, where the file has one; ``pace_name``: at which it is.
    ``compression``: business seconds a second, None: as the target has it.
    """

    file: Path
    content: bytes
    variant: str | None
    services: dict[str, float]
    lines: dict[str, int]
    tool: OperatorTool | None
    slower: Slower | None
    compression: int | None = None
    pace_name: str = ROBOT

    @property
    def called(self) -> str:
        """The drill's name, with its variant if it is one."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    def at_pace(self, pace: str) -> Drill:
        """The same drill at this pace; Refused where it has no other than its own."""
        if pace == ROBOT:
            return self
        if self.slower is None:
            raise Refused(
                f"{self.file} has no pace for a person: what it breaks is over in seconds",
                "give it pace: {person: …} (kunren schema drill), or run it with --pace robot",
            )
        return msgspec.structs.replace(self, **msgspec.structs.asdict(self.slower), pace_name=pace)

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
    refuse_stranger(root, known, required(known))
    refuse_not_offered(root, known)
    drill = _drill(root, decode(form_for(known), root, known), known)
    _check_sense(root, drill)
    if drill.slower is not None:
        _check_slower(root, drill.at_pace(PERSON))
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


def _drill(root: Node, form: DrillFile, words: Vocabulary) -> Drill:
    written = msgspec.structs.asdict(form)
    checks = (*form.checks, *(name for name in standing() if name not in form.checks))
    services = words.loads[form.load]
    refuse_other_service(root.child("timeline"), form.timeline, services, form.load)
    load = {**words.quantities.get(form.load, {}), **quantities(form.timeline, services)}
    governing = settled(root, form.governing, {**load, **form.settings})
    return Drill(
        **{**written, "checks": checks, "governing": governing},
        file=root.doc.file,
        content=root.doc.source,
        variant=_variant(root.doc.file),
        services=dict(services),
        lines={key: root.child(key).key_line for key in root.value},
        tool=words.operator,
        slower=None if form.pace is None else _slower(root, form, form.pace.person, words),
    )


def _slower(root: Node, form: DrillFile, pace: PersonsPace, words: Vocabulary) -> Slower:
    """A person's pace, its faults whole; BadInput for a limit on what the drill limits not."""
    known = [each.id for each in form.objectives]
    for each in pace.objectives:
        if each.id not in known:
            place = root.child("pace").child("person").child("objectives").child(each.metric)
            raise place.bad(f"{place.name}: {unknown('objective of the drill', each.id, known)}", at_key=True)
    return Slower(
        compression=pace.compression,
        cap=pace.cap,
        timeline=tuple(triggered(root, form.timeline, pace.triggers, words)),
        objectives=with_limits_of(form.objectives, pace.objectives),
    )


def _variant(file: Path) -> str | None:
    """``drill.mail.yaml`` -> ``mail``; None for any other name."""
    parts = file.name.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "drill" and SLUG.match(parts[1]) else None


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
    if (drill.baseline + drill.cap) / NS > LONGEST_S - SPARE_S:
        raise root.child("cap").bad(f"cap: no load lasts longer than {LONGEST_S:g} s")
    for objective in drill.objectives:
        if metrics()[objective.metric].span and objective.limit * NS > drill.cap:
            place = root.child("objectives").child(objective.metric)
            raise place.bad(f"objectives.{objective.id}: longer than the cap; it could never be missed")
        if objective.of is not None and objective.of not in drill.services:
            place = root.child("objectives").child(objective.metric).child("of").child(objective.of)
            what = f"service of load {drill.load}"
            raise place.bad(f"{place.name}: {unknown(what, objective.of, tuple(drill.services))}", at_key=True)
    _check_stop(root, drill)
    for arm in drill.arms:
        if drill.runbook is None and arm.acts:
            raise (
                root.child("arms").child(str(arm)).bad(f"arms.{arm}: somebody acts in it, and the drill has no runbook")
            )


def _check_slower(root: Node, drill: Drill) -> None:
    """The same at a person's pace, whose own keys are what to change."""
    try:
        _check_sense(root, drill)
    except BadInput as error:
        raise root.child("pace").child("person").bad(f"pace.person: {error.says}") from None


def _check_stop(root: Node, drill: Drill) -> None:
    """Each service is one that the load has."""
    if not drill.stop_if:
        return
    node = root.child("stop_if")
    for place, rule in zip(node.items() if isinstance(node.value, list) else [node], drill.stop_if, strict=True):
        service = rule.failure_ratio.service
        if service not in drill.services:
            at = place.child("failure_ratio").child("service")
            raise at.bad(f"{at.name}: {unknown(f'service of load {drill.load}', service, tuple(drill.services))}")
