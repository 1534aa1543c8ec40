"""The steps of a runbook: who does what, when it may be done, how one sees that it worked, and what then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import field

from drills.errors import unknown
from drills.spec import commands
from drills.spec.expectations import Demand, Expect, Question, demanded
from drills.spec.forms import Kind, Schema, decode_fields, kind
from drills.spec.reader import Node
from drills.spec.values import AnyNames, Bilingual, Duration, Slug, StepId, known
from drills.spec.vocabulary import Vocabulary
from targets.operator_tool import OperatorTool


class IfFailed(msgspec.Struct, frozen=True):
    """What follows a failed step; ``step`` is where to go on, always further down the runbook."""

    action: Literal["stop", "go", "escalate"]
    step: str | None = None


def after_failure(node: Node) -> IfFailed:
    """``stop``, ``escalate`` or ``go STEP``."""
    match node.value.split() if isinstance(node.value, str) else []:
        case ["stop"]:
            return IfFailed("stop")
        case ["escalate"]:
            return IfFailed("escalate")
        case ["go", target]:
            return IfFailed("go", target)
    raise node.expected("stop, escalate, or go STEP")


class _Command(Kind):
    """A command line of the target's tool."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[str, ...]:
        return commands.command_line(node, commands.tool_of(words)).argv

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return commands.schema(words)


if TYPE_CHECKING:
    RoleName: TypeAlias = str
    Command: TypeAlias = tuple[str, ...]
    AfterFailure: TypeAlias = IfFailed
else:
    RoleName = known("role", lambda words: None if words.operator is None else words.operator.roles)
    Command = _Command
    AfterFailure = kind("way to go on", after_failure, {"type": "string", "pattern": "^(stop|escalate|go [a-z0-9-]+)$"})


class StepForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step as it is written. ``argv`` None: a person does it (a call, an approval). ``within`` in ns.

    ``manual``: what a person has to have done, and confirms; of a step that runs nothing.
    ``opens``: the runbook to go on with where the step sees what it expects; else the next step looks further.
    """

    id: Slug
    role: RoleName
    text: Bilingual
    within: Duration
    argv: Command | None = field(name="run", default=None)
    manual: Bilingual | None = None
    before: Question | None = None
    expect: Expect | None = None
    opens: Slug | None = field(name="open", default=None)
    needs: AnyNames[StepId] = ()
    if_failed: AfterFailure = IfFailed("stop")


class Step(StepForm, frozen=True, kw_only=True):
    """One step; ``needs`` stand above it. ``file`` and ``line``: where it is written, be it in an edit of a runbook."""

    expect: Demand | None
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A step before it is read: its fields by key, which may come from different files.

    ``at`` is the place that is named for it; ``shared`` the name of the shared step that it uses.
    """

    fields: Mapping[str, Node]
    at: Node
    shared: str | None = None

    @property
    def id(self) -> str:
        """Of the step."""
        return self.fields["id"].slug()


def step_of(draft: Draft, tool: OperatorTool | None) -> Step:
    """The step that is written so; BadInput with the place of what cannot be taken.

    ``tool`` is the target's, whose commands and roles the step may name; None: it has none.
    """
    form = decode_fields(StepForm, draft.fields, draft.at, Vocabulary({}, (), {}, operator=tool))
    for key in ("run", "expect", "open"):
        if form.manual is not None and key in draft.fields:
            raise draft.fields[key].bad(
                f"{draft.at.name}: a manual step has no '{key}': a person confirms it", at_key=True
            )
    command = None if tool is None else tool.command(form.argv or ())
    fields = {**msgspec.structs.asdict(form), "expect": demanded(form.expect, command)}
    return Step(**fields, file=draft.at.doc.file, line=draft.at.line)


def steps_of(drafts: Sequence[Draft], tool: OperatorTool | None) -> tuple[Step, ...]:
    """All steps in their order; ids are unique, ``needs`` point up and ``go`` points down."""
    steps = tuple(step_of(draft, tool) for draft in drafts)
    ids = [step.id for step in steps]
    for position, (draft, step) in enumerate(zip(drafts, steps, strict=True)):
        if step.id in ids[:position]:
            first = steps[ids.index(step.id)].line
            raise draft.fields["id"].bad(f"{draft.at.name}: step id '{step.id}' stands twice, first in line {first}")
    for position, (draft, step) in enumerate(zip(drafts, steps, strict=True)):
        _check_needs(draft, step, ids, position)
        _check_go(draft, step, ids, position)
    return steps


def _check_needs(draft: Draft, step: Step, ids: list[str], position: int) -> None:
    for index, need in enumerate(step.needs):
        place = draft.fields["needs"].child(index)
        if need not in ids:
            raise place.bad(f"{place.name}: {unknown('step', need, ids)}")
        if need == step.id:
            raise place.bad(f"{place.name}: step '{step.id}' needs itself")
        if need not in ids[:position]:
            raise place.bad(
                f"{place.name}: '{need}' comes after '{step.id}'; a step can only need what stands above it"
            )


def _check_go(draft: Draft, step: Step, ids: list[str], position: int) -> None:
    target = step.if_failed.step
    if target is None:
        return
    place = draft.fields["if_failed"]
    if target not in ids:
        raise place.bad(f"{place.name}: {unknown('step', target, ids)}")
    if target in ids[: position + 1]:
        raise place.bad(f"{place.name}: 'go {target}' would go back up the runbook; a runbook has no loops")
