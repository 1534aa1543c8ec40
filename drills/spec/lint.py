"""Drills and runbooks checked against one another and against what a recovery manual must have, nothing started.

Loading already refuses what is not known. On top of it (rkt-05, rkt-08): a runbook holds for the drill's phase and
alerts; a step that runs says what is expected; a right runbook's first step can tell a false alarm, it forbids
something, and nothing is re-opened on it before the books were verified; a wrong runbook is caught by something the
drill judges; a step that runbooks share is used by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drills.errors import BadInput, unknown
from drills.record.arm import ARMS, Arm, ArmKind
from drills.spec.arms import Expectation
from drills.spec.drafts import FILE as STEPS
from drills.spec.drafts import load_shared, used_in
from drills.spec.drill import Drill, load_drill
from drills.spec.files import CATALOGUE
from drills.spec.library import library
from drills.spec.planning import missing, variants
from drills.spec.reader import Node, read
from drills.spec.runbook import Runbook, load_runbook, varied
from drills.spec.schedulefile import load_schedule
from drills.spec.steps import Step, step_of
from drills.spec.targetfile import load_target
from drills.spec.variants import FILE as VARIANTS
from drills.spec.variants import Variant, load_variants
from drills.spec.vocabulary import Vocabulary, embedded
from targets.operator_tool import Command, OperatorTool
from targets.target import Capabilities

SUFFIXES = (".yaml", ".yml")

NO_TOOL = OperatorTool(name="", roles=(), commands=())
"""Of a target without one: a runbook that was read for it runs nothing."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to fix, with its place; prints as ``file:line: message``. A ``note`` is worth knowing, no more."""

    file: str
    line: int
    message: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'note: ' if self.note else ''}{self.message}"


def lint(
    paths: Sequence[Path] = (), words: Vocabulary | None = None, capabilities: Capabilities | None = None
) -> list[Finding]:
    """Check files and folders (default: the catalogue); findings sorted by place, none twice.

    With the offer of the target also whether a drill needs anything that is not there.
    """
    vocabulary = words or embedded()
    found: set[Finding] = set()
    for path in paths or (CATALOGUE,):
        files = _files(path)
        if not files:
            found.add(Finding(str(path), 1, "no drill or runbook in this folder"))
        for file in files:
            found.update(_findings(file, vocabulary, capabilities))
    return sorted(found)


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]


def _findings(file: Path, words: Vocabulary, capabilities: Capabilities | None) -> Iterator[Finding]:
    try:
        root = read(file)
        keys = root.value if isinstance(root.value, dict) else {}
        if "schedule" in keys:
            load_schedule(file)
        elif file.name == VARIANTS:
            load_variants(file)  # with their drill they are made, too
        elif file.name == STEPS:
            yield from lint_shared(file, words.operator)
        elif "drill" in keys or file.name.split(".")[0] == "drill":
            drill = load_drill(file, words)
            yield from lint_drill(drill)
            yield from (
                Finding(str(file), lack.line, lack.says)
                for lack in (missing(drill, capabilities) if capabilities else ())
            )
        elif "runbook" in keys:
            runbook = load_runbook(file, words.operator)
            if not file.name.startswith("wrong"):  # a whole file that a wrong variant names is asked with its drill
                yield from lint_runbook(runbook)
        elif "target" in keys:
            load_target(file)
        else:
            raise root.bad("no drill, runbook, target or schedule: no key of that name")
    except BadInput as error:
        yield Finding(error.file, error.line, f"{error.says} ({error.fix})" if error.fix else error.says)


def lint_drill(drill: Drill) -> Iterator[Finding]:
    """Findings on a drill with its runbooks; the runbooks must be readable (BadInput)."""
    root = read(drill.file)
    runbook = None if drill.runbook is None else load_runbook(drill.runbook, drill.tool)
    yield from _arms(root, drill, runbook)
    if runbook is None:
        return
    library(drill, runbook)
    if drill.phase not in runbook.phases:
        yield _at(
            root.child("phase"), f"the runbook holds for {', '.join(runbook.phases)}, not for phase {drill.phase}"
        )
    if not set(drill.alerts) & set(runbook.alerts):
        yield _at(root.child("alerts"), f"none of these leads to the runbook, which is for {', '.join(runbook.alerts)}")
    for variant in variants(drill).values():
        yield from _wrong(variant, runbook, drill)


def lint_shared(file: Path, tool: OperatorTool | None) -> Iterator[Finding]:
    """Findings on the steps that runbooks share.

    Each must be well-formed (BadInput), such as the target's tool can do, and used by some runbook.
    """
    shared = load_shared(file)
    others = file.parent.rglob("*.yaml") if file.parent == CATALOGUE else file.parent.glob("*.yaml")
    used = {name for each in others if each.name != STEPS for name in _used(each)}
    for name, step in shared.items():
        step_of(step, tool)
        if name not in used:
            yield Finding(str(file), step.at.key_line, f"step '{name}' is used by no runbook")


def _used(file: Path) -> Iterator[str]:
    """The shared steps that a file uses; a file that cannot be read is a finding of its own."""
    try:
        yield from used_in(read(file).value)
    except BadInput:
        return


def lint_runbook(runbook: Runbook) -> Iterator[Finding]:
    """Findings on one runbook; on a wrong variant only what no runbook may lack."""
    for step in runbook.steps:
        if step.argv is not None and step.expect is None:
            yield _on(runbook, step, f"step '{step.id}' runs a command but says nothing of the expected result")
        for refusal in dict.fromkeys(_not_permitted(runbook.tool or NO_TOOL, step)):
            yield _on(runbook, step, f"step '{step.id}': {refusal}")
    if runbook.wrong is not None:
        return
    yield from _right(runbook)


def _right(runbook: Runbook) -> Iterator[Finding]:
    """What a right runbook must have."""
    for step in runbook.steps:
        if step.opens is not None and step.expect is None:
            yield _on(runbook, step, f"step '{step.id}' opens {step.opens} whatever it sees: no 'expect'")
    if runbook.steps[0].before is None and not any(step.opens for step in runbook.steps):
        yield _on(
            runbook, runbook.steps[0], "the first step has no 'before': nothing would end the runbook on a false alarm"
        )
    if not runbook.prohibited:
        yield Finding(str(runbook.file), 1, "'prohibited' lists nothing; say what must not be done")
    for step in runbook.steps:
        command = _command(runbook, step)
        if command is not None and command.reopens and not _verified(runbook, step):
            asked = " or ".join(sorted(each.name for each in (runbook.tool or NO_TOOL).commands if each.verifies))
            yield _on(runbook, step, f"step '{step.id}' re-opens but needs no step that verifies ({asked})")


def _arms(root: Node, drill: Drill, runbook: Runbook | None) -> Iterator[Finding]:
    place = root.child("arms")
    lacking = [str(arm) for arm in ARMS if arm not in drill.arms and not (runbook is None and arm.acts)]
    if lacking and drill.variant is None:
        yield _at(place, f"arms: nothing is said of {', '.join(lacking)}; without them the drill cannot be trusted")
    for arm, wanted in drill.arms.items():
        at = place.child(str(arm))
        what, known = _known(arm, drill, runbook)
        if arm.detail and arm.detail not in known:
            yield _at(at, f"arms: {unknown(what, arm.detail, known)}")
        yield from (_at(at, f"arms.{arm}: {says}") for says in _unjudged(wanted, drill))


def _known(arm: Arm, drill: Drill, runbook: Runbook | None) -> tuple[str, list[str]]:
    """What the detail of such an arm is, and which there are."""
    if arm.kind == ArmKind.WITHOUT:
        return "step", [] if runbook is None else [step.id for step in runbook.steps]
    return "variant", list(variants(drill))


def _wrong(variant: Variant, right: Runbook, drill: Drill) -> Iterator[Finding]:
    runbook = varied(right, variant)
    if runbook.id != right.id:
        yield _at(
            variant.at, f"{runbook.file.name} is '{runbook.id}', but it stands in for '{right.id}' behind the alert"
        )
    if variant.harmless is None and drill.variant is None:  # a variant of the drill says itself what its arms show
        yield from (_at(variant.at.child("expect"), f"expect: {says}") for says in _unjudged(variant.expect, drill))
    yield from lint_runbook(runbook)
    for change in runbook.changes:
        if change.how == "loosened":
            says = f"{variant.name}: step '{change.step}' no longer demands {', '.join(change.what)}"
            yield Finding(str(variant.at.doc.file), variant.at.key_line, says, note=True)


def _unjudged(wanted: Expectation, drill: Drill) -> Iterator[str]:
    judged = {*drill.checks, *(objective.id for objective in drill.objectives)}
    for name in wanted.by:
        if name not in judged:
            yield f"'{name}' is neither a check nor an objective of drill {drill.name}"


def _verified(runbook: Runbook, step: Step) -> bool:
    """Whether a step that verifies must have been done before this one; ``needs`` only point up, so this ends."""
    for need in step.needs:
        before = runbook.step(need)
        if before is None:
            continue
        command = _command(runbook, before)
        if (command is not None and command.verifies) or _verified(runbook, before):
            return True
    return False


def _command(runbook: Runbook, step: Step) -> Command | None:
    return (runbook.tool or NO_TOOL).command(step.argv or ())


def _not_permitted(tool: OperatorTool, step: Step) -> Iterator[str]:
    """Why the tool would refuse the step's role what the step runs or asks."""
    asked = [each.argv for each in (step.before, step.expect) if each is not None]
    for argv in filter(None, (step.argv, *asked)):
        command = tool.command(argv)
        refusal = None if command is None else tool.refusal(step.role, command, argv)
        if refusal is not None:
            yield refusal


def _on(runbook: Runbook, step: Step, message: str) -> Finding:
    return Finding(str(step.file), step.line, message)


def _at(node: Node, message: str) -> Finding:
    return Finding(str(node.doc.file), node.line, message)
