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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from drills.errors import unknown
from drills.spec.reader import Node
from drills.spec.steps import OPTIONAL, REQUIRED, IfFailed, Step, one_step
from targets.operator_tool import OperatorTool

VERBS = ("drop", "move", "replace", "insert")
FIELDS = (*REQUIRED, *OPTIONAL)


class Change(msgspec.Struct, frozen=True):
    """How one step differs from the right runbook.

    ``what``: for a replaced step the fields that differ, for a loosened one the steps that it no longer demands.
    """

    how: Literal["dropped", "moved", "replaced", "inserted", "loosened"]
    step: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A step as it is written: its fields by key, and the place that errors about it name."""

    fields: Mapping[str, Node]
    at: Node

    @property
    def id(self) -> str:
        """Of the step."""
        return self.fields["id"].slug()


def drafts(node: Node) -> list[Draft]:
    """The steps of a runbook as they are written."""
    return [Draft(item.fields(REQUIRED, OPTIONAL), item) for item in node.items("a list of steps", least=1)]


def edited(steps: Sequence[Draft], edits: Sequence[Node]) -> tuple[list[Draft], list[Change]]:
    """The steps after the edits, one after the other; BadInput for one that cannot be made."""
    found, changes = list(steps), list[Change]()
    for edit in edits:
        verb = _verb(edit)
        changes += {"drop": _drop, "move": _move, "replace": _replace, "insert": _insert}[verb](found, edit)
    if not found:
        raise edits[-1].bad("no step is left")
    return found, changes


def dropped(steps: Sequence[Draft], step: str) -> tuple[list[Draft], list[Change]]:
    """The same without one step, which is among them."""
    return [draft for draft in steps if draft.id != step], [Change("dropped", step)]


def loosened(drafts: Sequence[Draft], tool: OperatorTool | None) -> tuple[list[Step], list[Change]]:
    """The steps, typed; demands that cannot be met in this order are taken out."""
    steps = [one_step(draft.fields, draft.at, tool) for draft in drafts]
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


def _verb(edit: Node) -> str:
    found = [key for key in edit.mapping(f"one edit: {', '.join(VERBS)}") if key in VERBS]
    if len(found) != 1:
        raise edit.expected(f"one of {', '.join(VERBS)}")
    return found[0]


def _drop(steps: list[Draft], edit: Node) -> list[Change]:
    node = edit.fields(("drop",))["drop"]
    places = [node] if isinstance(node.value, str) else node.items("a step or a list of steps", least=1)
    return [Change("dropped", steps.pop(_find(steps, each)).id) for each in places]


def _move(steps: list[Draft], edit: Node) -> list[Change]:
    fields = edit.fields(("move",), ("before", "after"))
    moved = steps.pop(_find(steps, fields["move"]))
    steps.insert(_target(steps, edit, fields), moved)
    return [Change("moved", moved.id)]


def _insert(steps: list[Draft], edit: Node) -> list[Change]:
    fields = edit.fields(("insert",), ("before", "after"))
    new = Draft(fields["insert"].fields(REQUIRED, OPTIONAL), fields["insert"])
    steps.insert(_target(steps, edit, fields), new)
    return [Change("inserted", new.id)]


def _replace(steps: list[Draft], edit: Node) -> list[Change]:
    fields = edit.fields(("replace", "with"))
    place = _find(steps, fields["replace"])
    old, new = steps[place], fields["with"].fields((), FIELDS)
    if not new:
        raise fields["with"].expected("at least one field of the step")
    steps[place] = Draft({**old.fields, **new}, edit)
    if steps[place].id != old.id:
        steps[:] = [_renamed(draft, old.id, steps[place].id) for draft in steps]
    return [Change("replaced", steps[place].id, tuple(new))]


def _renamed(draft: Draft, old: str, new: str) -> Draft:
    """The same, with what it demands of the old step demanded of the new one."""
    fields = dict(draft.fields)
    if "needs" in fields and isinstance(fields["needs"].value, list):
        needs = fields["needs"]
        fields["needs"] = replace(needs, value=[new if need == old else need for need in needs.value])
    if fields.get("if_failed") is not None and fields["if_failed"].value == f"go {old}":
        fields["if_failed"] = replace(fields["if_failed"], value=f"go {new}")
    return Draft(fields, draft.at)


def _find(steps: Sequence[Draft], node: Node) -> int:
    ids = [draft.id for draft in steps]
    wanted = node.text("a step")
    if wanted not in ids:
        raise node.bad(f"{node.name}: {unknown('step', wanted, ids)}")
    return ids.index(wanted)


def _target(steps: Sequence[Draft], edit: Node, fields: Mapping[str, Node]) -> int:
    """The index to insert at."""
    where = [key for key in ("before", "after") if key in fields]
    if len(where) != 1:
        raise edit.expected("before: STEP or after: STEP")
    return _find(steps, fields[where[0]]) + (where[0] == "after")
