"""The steps of a runbook: who does what, when it may be done, how one sees that it worked, and what then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from drills.errors import unknown
from drills.spec import expectations
from drills.spec.commands import command_line
from drills.spec.expectations import Demand
from drills.spec.reader import Node, Words
from targets.operator_tool import OperatorTool

REQUIRED = ("id", "role", "text", "within")
OPTIONAL = ("run", "before", "expect", "needs", "if_failed")


class IfFailed(msgspec.Struct, frozen=True):
    """What follows a failed step; ``step`` is where to go on, always further down the page."""

    action: Literal["stop", "go", "escalate"]
    step: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One step. ``argv`` None: a person does it (a call, an approval). ``within`` in ns; ``needs`` stand above it.

    ``file`` and ``line`` are where it is written: in a runbook, or in an edit of one.
    """

    id: str
    role: str
    text: Words
    argv: tuple[str, ...] | None
    before: Demand | None
    expect: Demand | None
    within: int
    needs: tuple[str, ...]
    if_failed: IfFailed
    file: Path
    line: int


def steps(node: Node, tool: OperatorTool | None) -> tuple[Step, ...]:
    """All steps in the page's order, at least one; ids are unique, ``needs`` point up and ``go`` points down."""
    nodes = node.items("a list of steps", least=1)
    read = [one_step(item.fields(REQUIRED, OPTIONAL), item, tool) for item in nodes]
    ids = [step.id for step in read]
    for position, (item, step) in enumerate(zip(nodes, read, strict=True)):
        if step.id in ids[:position]:
            first = read[ids.index(step.id)].line
            raise item.child("id").bad(f"{item.name}: step id '{step.id}' stands twice, first in line {first}")
    for position, item in enumerate(nodes):
        _check_needs(item, read[position], ids, position)
        _check_go(item, read[position], ids, position)
    return tuple(read)


def one_step(fields: Mapping[str, Node], at: Node, tool: OperatorTool | None) -> Step:
    """The step of these fields, which may come from different files; ``at`` is the place that is named for it.

    ``tool`` is the target's, whose commands and roles the step may name; None: it has none.
    """
    line = command_line(fields["run"], tool) if "run" in fields else None
    return Step(
        fields["id"].slug(),
        fields["role"].one_of(tool.roles, "role") if tool is not None else fields["role"].text("a role"),
        fields["text"].words(),
        None if line is None else line.argv,
        expectations.before(fields["before"], tool) if "before" in fields else None,
        expectations.expect(fields["expect"], tool, line) if "expect" in fields else None,
        fields["within"].time(positive=True),
        fields["needs"].names(None, "step id") if "needs" in fields else (),
        _if_failed(fields["if_failed"]) if "if_failed" in fields else IfFailed("stop"),
        at.doc.file,
        at.line,
    )


def _if_failed(node: Node) -> IfFailed:
    match node.value.split() if isinstance(node.value, str) else []:
        case ["stop"]:
            return IfFailed("stop")
        case ["escalate"]:
            return IfFailed("escalate")
        case ["go", target]:
            return IfFailed("go", target)
    raise node.expected("stop, escalate, or go STEP")


def _check_needs(node: Node, step: Step, ids: list[str], position: int) -> None:
    for index, need in enumerate(step.needs):
        place = node.child("needs").child(index)
        if need not in ids:
            raise place.bad(f"{place.name}: {unknown('step', need, ids)}")
        if need == step.id:
            raise place.bad(f"{place.name}: step '{step.id}' needs itself")
        if need not in ids[:position]:
            raise place.bad(
                f"{place.name}: '{need}' comes after '{step.id}'; a step can only need what stands above it"
            )


def _check_go(node: Node, step: Step, ids: list[str], position: int) -> None:
    target = step.if_failed.step
    if target is None:
        return
    place = node.child("if_failed")
    if target not in ids:
        raise place.bad(f"{place.name}: {unknown('step', target, ids)}")
    if target in ids[: position + 1]:
        raise place.bad(f"{place.name}: 'go {target}' would go back up the page; a page has no loops")
