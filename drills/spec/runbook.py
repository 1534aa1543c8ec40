"""Runbooks: what a person can follow and a machine can check and run.

A runbook says for which alerts and phases it holds, what must never be done, whom to call, and its steps in order. Each
step that runs has the command an operator would type (``definition.commands``), a precondition ``before`` and an
expected result ``expect`` (``definition.demands`` has their form), a time limit, and what follows a failure. When the
*first* step's ``before`` does not hold, the alarm was false and the runbook ends there, as refused: a good end.

One that differs from the file of the right one (``definition.variants``, or a step left out) is rendered to a whole
runbook, so that what was followed can be kept and read like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import yaml

from drills.spec import edits
from drills.spec.edits import Change, Draft
from drills.spec.reader import Node, Words, read
from drills.spec.runbook_text import render_page
from drills.spec.steps import Step, steps
from drills.spec.variants import Variant
from drills.spec.vocabulary import PHASES
from targets.operator_tool import OperatorTool

__all__ = ["Escalation", "Runbook", "Wrong", "load_runbook", "render_page", "varied", "without"]

KEYS = ("runbook", "title", "for", "escalation", "steps")
OPTIONAL = ("prohibited",)
WIDTH = 120


class Escalation(msgspec.Struct, frozen=True):
    """Whom to call when the runbook has not helped ``after`` ns, and who stands in for them."""

    after: int
    to: str
    deputy: str


class Wrong(msgspec.Struct, frozen=True):
    """What a wrong variant is: the id of the documented mistake, what is wrong, and why it does no harm if so."""

    name: str
    source: str
    what: Words
    harmless: Words | None


class Runbook(msgspec.Struct, frozen=True):
    """One runbook; ``content`` are the bytes of its file, or of the rendered one.

    ``tool`` is that of the target for which it was read. ``changes`` says how it differs from the right one; ``wrong``
    is there in a documented wrong variant alone.
    """

    file: Path
    content: bytes
    id: str
    title: Words
    alerts: tuple[str, ...]
    phases: tuple[str, ...]
    prohibited: tuple[Words, ...]
    escalation: Escalation
    steps: tuple[Step, ...]
    tool: OperatorTool | None
    changes: tuple[Change, ...] = ()
    wrong: Wrong | None = None

    @property
    def sha256(self) -> str:
        """Of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    def step(self, step_id: str) -> Step | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == step_id), None)


def load_runbook(file: Path, tool: OperatorTool | None) -> Runbook:
    """Read a runbook for a target with this operator's tool, or without one; BadInput with file:line."""
    root = read(file)
    fields = root.fields(KEYS, OPTIONAL)
    applies = fields["for"].fields(("alerts", "phases"))
    return Runbook(
        file,
        root.doc.source,
        fields["runbook"].slug(),
        fields["title"].words(),
        applies["alerts"].names(None, "alert", least=1),
        applies["phases"].names(PHASES, "phase", least=1),
        _prohibited(fields.get("prohibited")),
        _escalation(fields["escalation"]),
        steps(fields["steps"], tool),
        tool,
    )


def varied(right: Runbook, variant: Variant) -> Runbook:
    """The wrong variant of a runbook, whole; BadInput with the place of an edit that cannot be made."""
    wrong = Wrong(variant.name, variant.source, variant.what, variant.harmless)
    if variant.whole is not None:
        return msgspec.structs.replace(load_runbook(variant.whole, right.tool), wrong=wrong)
    drafts, changes = edits.edited(_drafts(right), variant.edits)
    made = _rendered(right, drafts, changes, f"{variant.at.doc.file.name}: {variant.name} ({variant.source})")
    return msgspec.structs.replace(made, wrong=wrong)


def without(right: Runbook, step: str) -> Runbook:
    """The runbook with one of its steps left out; the steps that needed it no longer do."""
    return _rendered(right, *edits.dropped(_drafts(right), step), f"without {step}")


def _drafts(runbook: Runbook) -> list[Draft]:
    return edits.drafts(read(runbook.file).child("steps"))


def _rendered(right: Runbook, drafts: Sequence[Draft], changes: Sequence[Change], how: str) -> Runbook:
    typed, loosened = edits.loosened(drafts, right.tool)
    made = msgspec.structs.replace(right, steps=tuple(typed), changes=(*changes, *loosened))
    return msgspec.structs.replace(made, content=_content(made, drafts, how))


def _content(made: Runbook, drafts: Sequence[Draft], how: str) -> bytes:
    """A runbook file with the changes in its head; the fields as they are written, but for what was loosened."""
    head = [f"# {made.file.name} of {made.id} as changed by {how}"]
    head += [f"#   {' '.join((change.how, change.step, *change.what))}" for change in made.changes]
    written = dict(read(made.file).value)
    written["steps"] = [_written(draft, step) for draft, step in zip(drafts, made.steps, strict=True)]
    body = yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=WIDTH)
    return ("\n".join(head) + "\n" + body).encode()


def _written(draft: Draft, step: Step) -> dict[str, object]:
    fields = {key: node.value for key, node in draft.fields.items()}
    if "needs" in fields:
        fields["needs"] = list(step.needs)
    if "if_failed" in fields:
        after = step.if_failed
        fields["if_failed"] = after.action if after.step is None else f"go {after.step}"
    return fields


def _prohibited(node: Node | None) -> tuple[Words, ...]:
    return () if node is None else tuple(item.words() for item in node.items())


def _escalation(node: Node) -> Escalation:
    fields = node.fields(("after", "to", "deputy"))
    return Escalation(fields["after"].time(positive=True), fields["to"].text("a role"), fields["deputy"].text("a role"))
