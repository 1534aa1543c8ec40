"""Whether a drill was written for the sort of target that it is to be run on.

A drill for a system that a target file describes leaves out what that system does not have, and may not ask for it
either. Read for a target of this package such a drill would seem full of mistakes, where there is but one: its target
was not named.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from drills.errors import BadInput
from drills.record.arm import Arm
from drills.record.history import Objective
from drills.record.unsupported import ALERTS, BOOKS, OPERATOR
from drills.spec.arms import Expectation
from drills.spec.faultkinds import form_of
from drills.spec.reader import Node
from drills.spec.vocabulary import Vocabulary

SPEAKS_OF = {"sources": BOOKS, "phase": BOOKS, "checks": BOOKS, "runbook": OPERATOR, "alerts": ALERTS}
"""Key -> what it speaks of: a drill need not have it for a target that says that it has nothing of the kind."""

ASKS_FOR = {
    "phase": (BOOKS, "it has no business day"),
    "business_start": (BOOKS, "it has no business day"),
    "alerts": (ALERTS, "it has no monitor"),
    "runbook": (OPERATOR, "there is nothing to follow it with"),
}
"""Key -> what cannot be had without it, and why; ``checks`` are looked at one by one."""

TELLING = tuple(key for key in SPEAKS_OF if key != "sources")
"""A drill without any of these can only be for a described target; an incident may be cited for any."""

USUAL_NAME = "target.yaml"


def refuse_not_offered(root: Node, words: Vocabulary) -> None:
    """BadInput for a key or check that asks for what the target's own file says it does not have.

    A name that the target does not know comes first: its key is no matter then, and the reader has more to say of it.
    """
    if any(_strange(root, words)):
        return
    for key, (thing, why) in ASKS_FOR.items():
        if key in _keys(root) and thing in words.unsupported:
            raise root.child(key).bad(f"{key}: the target offers no {thing}: {why}; leave it out", at_key=True)
    if BOOKS in words.unsupported and "checks" in _keys(root):
        _refuse_checks(root.child("checks"))


def refuse_stranger(root: Node, words: Vocabulary, required: tuple[str, ...]) -> None:
    """BadInput for a drill that lacks all that only a described target can do without; ``required`` by this one."""
    absent = [key for key in SPEAKS_OF if key in required and key not in _keys(root)]
    if words.runtime is None or not set(TELLING) <= set(absent):
        return
    strange = list(_strange(root, words))
    if not strange and any(key not in _keys(root) for key in required if key not in SPEAKS_OF):
        return  # hardly begun: the reader says what it still needs
    line = strange[0][0].line if strange else root.line
    says = f"not written for target {words.runtime}: a drill for it must have {', '.join(absent)}"
    names = dict.fromkeys(name for _, name in strange)
    knows = f", and it has no {', no '.join(names)}" if names else ""
    raise BadInput(root.doc.file, line, says + knows, _fix(root.doc.file))


def refuse_unjudgeable(
    root: Node, words: Vocabulary, objectives: Collection[Objective], arms: Mapping[Arm, Expectation]
) -> None:
    """BadInput where every objective needs something that the target says it does not have, or an arm waits for it."""
    needs = {objective.id: _lacking(objective.metric, words.unsupported) for objective in objectives}
    if all(needs.values()):
        lacks = "; ".join(f"{name} needs {' and '.join(things)}" for name, things in needs.items())
        raise root.child("objectives").bad(f"objectives: none can be judged on this target: {lacks}")
    for arm, wanted in arms.items():
        for index, name in enumerate(wanted.by):
            things = _lacking(name, words.unsupported)
            if things:
                place = root.child("arms").child(str(arm)).child("by").child(index)
                raise place.bad(f"{place.name}: {name} can never be red here: the target offers no {', '.join(things)}")


def _lacking(outcome: str, unsupported: Collection[str]) -> list[str]:
    """What a metric or a check needs and the target does not have."""
    from drills.domains.registry import DOMAINS  # when asked for: reading a drill needs no judge
    from drills.judge.metric import lacking

    if outcome in DOMAINS.checks and DOMAINS.checks[outcome].needs_books:
        return [BOOKS] if BOOKS in unsupported else []
    metric = DOMAINS.metrics.get(outcome)
    return [] if metric is None else lacking(metric, unsupported)


def _keys(root: Node) -> Collection[str]:
    """None of a file that is no mapping: the reader says so."""
    return root.value if isinstance(root.value, dict) else ()


def _refuse_checks(node: Node) -> None:
    for item in node.items():
        if isinstance(item.value, str) and _lacking(item.value, {BOOKS}):
            raise item.bad(f"{item.name}: the target offers no {BOOKS}, which {item.value} needs; leave it out")


def _strange(root: Node, words: Vocabulary) -> Iterator[tuple[Node, str]]:
    """Names that the target does not know, each with its place; whatever is ill-formed is left to the reader."""
    if not isinstance(root.value, dict):
        return
    load = root.value.get("load")
    if isinstance(load, str) and load not in words.loads:
        yield root.child("load"), f"load profile '{load}'"
    for fault in _faults(root):
        written = form_of(words, fault.value)
        for field, thing in (written.references if written else {}).items():
            known = words.names(thing)
            for name in _names(fault.value.get(field)):
                if known is not None and name not in known:
                    yield fault.child(field), f"{thing} '{name}'"


def _faults(root: Node) -> Iterator[Node]:
    timeline = root.value.get("timeline")
    for index, entry in enumerate(timeline if isinstance(timeline, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("fault"), dict):
            yield root.child("timeline").child(index).child("fault")


def _names(value: object) -> list[str]:
    """One name, or a list of which one is drawn."""
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _fix(file: Path) -> str:
    beside = [folder / USUAL_NAME for folder in (file.parent, file.parent.parent)]
    likely = next((each for each in beside if each.is_file()), None)
    if likely is None:
        return "name the file that describes its system: --target FILE"
    return f"name the file that describes its system, which is likely --target {shlex.quote(str(likely))}"
