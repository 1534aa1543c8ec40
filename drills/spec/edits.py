"""Edits of a runbook: a wrong variant is written as what differs from the right one.

::

    - {drop: verify}                                            or a list of steps
    - {move: open-orders, before: drain}                        or after:
    - {replace: resume-apart, with: {run: brokerctl batch resume}}
    - {insert: {id: hold, role: operator, …}, after: confirm}   or before:

``replace`` changes the fields that it names and leaves the others; with another ``id`` whatever needed the old one
needs the new one. Afterwards a step may need one that is gone or comes later, or go to one that is gone or comes
before: such demands are taken out (``loosened``), since the mistake is just that, and what was taken out is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import field

from drills.errors import unknown
from drills.spec.drafts import NewStep
from drills.spec.forms import Kind, Schema, decode, keys_of, kind, schema_of
from drills.spec.reader import Node
from drills.spec.steps import Draft, IfFailed, Step, StepForm, step_of
from drills.spec.values import NAME, listed
from drills.spec.vocabulary import Vocabulary
from targets.operator_tool import OperatorTool


def _ref(node: Node) -> Node:
    node.text("a step")
    return node


def _refs(node: Node) -> tuple[Node, ...]:
    return (_ref(node),) if isinstance(node.value, str) else tuple(node.items("a step or a list of steps", least=1))


class _SomeFields(Kind):
    """At least one field of a step, as it stands in the file."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> dict[str, Node]:
        required, optional = keys_of(StepForm)
        found = node.fields((), (*required, *optional))
        if not found:
            raise node.expected("at least one field of the step")
        return found

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {**schema_of(StepForm, words), "required": [], "minProperties": 1}


if TYPE_CHECKING:  # a step that is named, and fields that stand in for others, keep their places
    StepRef: TypeAlias = Node
    StepRefs: TypeAlias = tuple[Node, ...]
    SomeFields: TypeAlias = dict[str, Node]
else:
    StepRef = kind("step", _ref, NAME)
    StepRefs = kind("steps", _refs, {"anyOf": [NAME, listed(NAME)]})
    SomeFields = _SomeFields


class Drop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without these steps."""

    drop: StepRefs


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step at another place."""

    move: StepRef
    before: StepRef | None = None
    after: StepRef | None = None


class Insert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more step."""

    insert: NewStep
    before: StepRef | None = None
    after: StepRef | None = None


class Replace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step with other fields."""

    replace: StepRef
    fields: SomeFields = field(name="with")


VERBS: dict[str, type[Drop | Move | Insert | Replace]] = {
    "drop": Drop,
    "move": Move,
    "replace": Replace,
    "insert": Insert,
}


@dataclass(frozen=True, slots=True)
class Edited:
    """One edit, and the place where it stands."""

    at: Node
    does: Drop | Move | Insert | Replace


class _Edit(Kind):
    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Edited:
        found = [key for key in node.mapping(f"one edit: {', '.join(VERBS)}") if key in VERBS]
        if len(found) != 1:
            raise node.expected(f"one of {', '.join(VERBS)}")
        does = decode(VERBS[found[0]], node)
        if isinstance(does, Move | Insert) and (does.before is None) == (does.after is None):
            raise node.expected("before: STEP or after: STEP")
        return Edited(node, does)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"anyOf": [schema_of(form, words) for form in VERBS.values()]}


if TYPE_CHECKING:
    Edit: TypeAlias = Edited
else:
    Edit = _Edit


class Change(msgspec.Struct, frozen=True):
    """How one step differs from the right runbook.

    ``what``: for a replaced step the fields that differ, for a loosened one the steps that it no longer demands.
    """

    how: Literal["dropped", "moved", "replaced", "inserted", "loosened"]
    step: str
    what: tuple[str, ...] = ()


def edited(steps: Sequence[Draft], edits: Sequence[Edited]) -> tuple[list[Draft], list[Change]]:
    """The steps after the edits, one after the other; BadInput for one that cannot be made."""
    found, changes = list(steps), list[Change]()
    for edit in edits:
        changes += _made(found, edit)
    if not found:
        raise edits[-1].at.bad("no step is left")
    return found, changes


def dropped(steps: Sequence[Draft], step: str) -> tuple[list[Draft], list[Change]]:
    """The same without one step, which is among them."""
    return [draft for draft in steps if draft.id != step], [Change("dropped", step)]


def loosened(drafts: Sequence[Draft], tool: OperatorTool | None) -> tuple[list[Step], list[Change]]:
    """The steps, typed; demands that cannot be met in this order are taken out."""
    steps = [step_of(draft, tool) for draft in drafts]
    ids = [step.id for step in steps]
    for place, draft in enumerate(drafts):
        if ids.index(ids[place]) != place:
            raise draft.at.bad(f"step id '{ids[place]}' stands twice")
    free = [_freed(step, ids[:place], ids[place + 1 :]) for place, step in enumerate(steps)]
    return [step for step, _ in free], [Change("loosened", step.id, lost) for step, lost in free if lost]


def _freed(step: Step, above: list[str], below: list[str]) -> tuple[Step, tuple[str, ...]]:
    lost = [need for need in step.needs if need not in above]
    after = step.if_failed
    if after.step is not None and after.step not in below:
        lost.append(after.step)
        after = IfFailed("stop")
    kept = tuple(need for need in step.needs if need in above)
    return msgspec.structs.replace(step, needs=kept, if_failed=after), tuple(lost)


def _made(steps: list[Draft], edit: Edited) -> list[Change]:
    match edit.does:
        case Drop() as does:
            return [Change("dropped", steps.pop(_find(steps, each)).id) for each in does.drop]
        case Move() as does:
            moved = steps.pop(_find(steps, does.move))
            steps.insert(_target(steps, does), moved)
            return [Change("moved", moved.id)]
        case Insert() as does:
            steps.insert(_target(steps, does), does.insert)
            return [Change("inserted", does.insert.id)]
        case Replace() as does:
            return _replaced(steps, does, edit.at)


def _replaced(steps: list[Draft], does: Replace, at: Node) -> list[Change]:
    place = _find(steps, does.replace)
    old = steps[place]
    steps[place] = Draft({**old.fields, **does.fields}, at)
    if steps[place].id != old.id:
        steps[:] = [_renamed(draft, old.id, steps[place].id) for draft in steps]
    return [Change("replaced", steps[place].id, tuple(does.fields))]


def _renamed(draft: Draft, old: str, new: str) -> Draft:
    """The same, with what it demands of the old step demanded of the new one."""
    fields = dict(draft.fields)
    if "needs" in fields and isinstance(fields["needs"].value, list):
        needs = fields["needs"]
        fields["needs"] = replace(needs, value=[new if need == old else need for need in needs.value])
    if fields.get("if_failed") is not None and fields["if_failed"].value == f"go {old}":
        fields["if_failed"] = replace(fields["if_failed"], value=f"go {new}")
    return replace(draft, fields=fields)


def _find(steps: Sequence[Draft], node: Node) -> int:
    ids = [draft.id for draft in steps]
    wanted = node.text("a step")
    if wanted not in ids:
        raise node.bad(f"{node.name}: {unknown('step', wanted, ids)}")
    return ids.index(wanted)


def _target(steps: Sequence[Draft], does: Move | Insert) -> int:
    """The index to insert at."""
    if does.before is not None:
        return _find(steps, does.before)
    assert does.after is not None
    return _find(steps, does.after) + 1
