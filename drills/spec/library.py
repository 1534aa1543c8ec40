"""All runbooks that an operator has: those behind the links of the target's alerts, and those that they open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from drills.errors import BadInput, unknown
from drills.spec.drill import Drill
from drills.spec.files import CATALOGUE, SHARED
from drills.spec.runbook import Runbook, load_runbook
from drills.spec.vocabulary import embedded
from targets.operator_tool import OperatorTool

FOLDER = "runbooks"
"""Beside a drill: what its operator has beside the drill's own."""


def library(drill: Drill, followed: Runbook) -> dict[str, Runbook]:
    """Id -> runbook that an alert may link to, or another runbook open; ``followed`` stands in for the drill's own.

    To all drills on the mini-brokerage come those of the catalogue. BadInput where one cannot be read, two have the
    same id, or one opens what is not there or what leads back to it.
    """
    shared = _by_id(catalogue_files(), drill.tool) if drill.tool == embedded().operator else {}
    beside = _by_id(sorted((drill.folder / FOLDER).glob("*.yaml")), drill.tool)
    own = {followed.id: followed}
    if drill.runbook is not None:
        own[load_runbook(drill.runbook, drill.tool).id] = followed
    known = {**shared, **beside, **own}
    refuse_astray(known)
    return known


def catalogue_files() -> Iterator[Path]:
    """Every runbook that comes with this package: each drill's own, and those that many share."""
    yield from sorted(CATALOGUE.glob("*/runbook.yaml"))
    yield from sorted(SHARED.glob("*.yaml"))


def refuse_astray(known: Mapping[str, Runbook]) -> None:
    """Raise BadInput for a runbook that opens one which is not known, or which leads back to it."""
    for each in known.values():
        for name in each.opens:
            if name not in known:
                raise BadInput(each.file, _line(each, name), f"open: {unknown('runbook', name, tuple(known))}")
    try:
        TopologicalSorter({name: each.opens for name, each in known.items()}).prepare()
    except CycleError as error:
        circle = error.args[1]
        first = known[circle[1]]
        says = f"open: {' -> '.join(reversed(circle))} leads back to where it began"
        raise BadInput(first.file, _line(first, circle[0]), says) from None


def _by_id(files: Iterable[Path], tool: OperatorTool | None) -> dict[str, Runbook]:
    found: dict[str, Runbook] = {}
    for file in files:
        runbook = load_runbook(file, tool)
        if runbook.id in found:
            raise BadInput(file, 1, f"runbook '{runbook.id}' is there twice, also in {found[runbook.id].file}")
        found[runbook.id] = runbook
    return found


def _line(runbook: Runbook, opened: str) -> int:
    """Of the step that opens it; of the file where its escalation does."""
    return next((step.line for step in runbook.steps if step.opens == opened), 1)
