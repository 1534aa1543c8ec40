"""Runbooks: what a person can follow and a machine can check and run.

A runbook says for which alerts and phases it holds, what must never be done, whom to call, and its steps in order. Each
step that runs has the command an operator would type (``drills.spec.commands``), a precondition ``before`` and an
expected result ``expect`` (``drills.spec.expectations``), a time limit, and what follows a failure. When the
*first* step's ``before`` does not hold, the alarm was false and the runbook ends there, as refused: a good end.

One that differs from the file of the right one (``drills.spec.variants``, or a step left out) is rendered to a whole
runbook, so that what was followed can be kept and read like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import yaml
from msgspec import field

from drills.spec import edits
from drills.spec.drafts import FILE, Steps
from drills.spec.edits import Change
from drills.spec.forms import decode
from drills.spec.reader import Words, read
from drills.spec.steps import Draft, Step, steps_of
from drills.spec.values import AlertName, Bilingual, Duration, Names, Phase, Slug, text
from drills.spec.variants import Variant
from targets.operator_tool import OperatorTool
from targets.visible import visible_line

WIDTH = 120

if TYPE_CHECKING:
    Role: TypeAlias = str
else:
    Role = text("a role")


class Escalation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call when the runbook has not helped ``after`` ns, and who stands in for them.

    ``opens``: the runbook that is followed then; None: they decide, and the operator's own work is over.
    """

    after: Duration
    to: Role
    deputy: Role
    opens: Slug | None = field(name="open", default=None)


class AppliesTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The alerts whose link leads here, and the phases that it holds for."""

    alerts: Names[AlertName]
    phases: Names[Phase]


class RunbookFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A runbook as it is written, in the order of its keys."""

    id: Slug = field(name="runbook")
    title: Bilingual
    applies: AppliesTo = field(name="for")
    escalation: Escalation
    steps: Steps
    prohibited: tuple[Bilingual, ...] = ()


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

    @property
    def acts(self) -> bool:
        """Whether any of its commands may change the system; one that only looks for a cause does not."""
        commands = [None if self.tool is None else self.tool.command(step.argv) for step in self.steps if step.argv]
        return any(command is None or not command.read_only for command in commands)

    @property
    def opens(self) -> tuple[str, ...]:
        """The runbooks that it may open."""
        named = [*(step.opens for step in self.steps), self.escalation.opens]
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def step(self, step_id: str) -> Step | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == step_id), None)


def load_runbook(file: Path, tool: OperatorTool | None) -> Runbook:
    """Read a runbook, whole: with the steps that it shares with others. BadInput with file:line.

    ``tool`` is the operator's of the target that it is for; None: the target has none.
    """
    root = read(file)
    form = decode(RunbookFile, root)
    runbook = Runbook(
        file,
        root.doc.source,
        form.id,
        form.title,
        form.applies.alerts,
        form.applies.phases,
        form.prohibited,
        form.escalation,
        steps_of(form.steps, tool),
        tool,
    )
    shared = [draft.shared for draft in form.steps if draft.shared is not None]
    if not shared:
        return runbook
    head = f"# {file.name} of {form.id} with the steps of {FILE} written out: {', '.join(shared)}"
    return msgspec.structs.replace(runbook, content=_content(runbook, form.steps, [head]))


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


def _drafts(runbook: Runbook) -> tuple[Draft, ...]:
    return decode(RunbookFile, read(runbook.file)).steps


def _rendered(right: Runbook, drafts: Sequence[Draft], changes: Sequence[Change], how: str) -> Runbook:
    typed, loosened = edits.loosened(drafts, right.tool)
    made = msgspec.structs.replace(right, steps=tuple(typed), changes=(*changes, *loosened))
    head = [f"# {made.file.name} of {made.id} as changed by {how}"]
    head += [f"#   {' '.join((change.how, change.step, *change.what))}" for change in made.changes]
    return msgspec.structs.replace(made, content=_content(made, drafts, head))


def _content(made: Runbook, drafts: Sequence[Draft], head: Sequence[str]) -> bytes:
    """A runbook file; its steps' fields as they are written, but for what was loosened."""
    written = dict(read(made.file).value)
    written["steps"] = [_written(draft, step) for draft, step in zip(drafts, made.steps, strict=True)]
    body = yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=WIDTH)
    return "\n".join([*map(visible_line, head), body]).encode()


def _written(draft: Draft, step: Step) -> dict[str, object]:
    fields = {key: node.value for key, node in draft.fields.items()}
    if "needs" in fields:
        fields["needs"] = list(step.needs)
    if "if_failed" in fields:
        after = step.if_failed
        fields["if_failed"] = after.action if after.step is None else f"go {after.step}"
    return fields
