"""Steps as runbooks write them: whole, or by the name of one that several runbooks share.

::

    # steps.yaml, beside the runbook or else the catalogue's        # runbook.yaml
    open-orders:                                                    steps:
      role: operator                                                  - use: open-orders
      text: {en: Open order entry., ja: …}                              needs: [verify]
      run: brokerctl service open orders
      within: 5s

Who does what, and how one sees that it worked, are what makes it that step; ``OWN`` is what a runbook may say anew
beside ``use``. Which steps must have been done before is said by each runbook alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from drills.errors import unknown
from drills.spec.files import CATALOGUE, beside
from drills.spec.forms import Kind, Schema, keys_of, schema_of
from drills.spec.reader import SLUG, Node, read
from drills.spec.steps import Draft, StepForm, after_failure
from drills.spec.values import StepId, listed
from drills.spec.vocabulary import Vocabulary

FILE = "steps.yaml"

OWN = ("id", "text", "before", "within", "needs", "if_failed")

ORDER = ("id", "role", "text", "before", "run", "manual", "expect", "open", "within", "needs", "if_failed")
"""Of the keys where a step is written out."""

_FIELDS = msgspec.structs.fields(StepForm)

Use = msgspec.defstruct(
    "Use",
    [("use", StepId), *((each.encode_name, each.type | None, None) for each in _FIELDS if each.encode_name in OWN)],
    frozen=True,
    forbid_unknown_fields=True,
)
"""The form of a step that is used by its name."""

Shared = msgspec.defstruct(
    "Shared",
    [
        (each.encode_name, each.type) if each.required else (each.encode_name, each.type, each.default)
        for each in _FIELDS
        if each.encode_name not in ("id", "needs")
    ],
    frozen=True,
    forbid_unknown_fields=True,
)
"""The form of a step in ``steps.yaml``, under its name."""


def load_shared(file: Path) -> dict[str, Draft]:
    """Name -> step, in the file's order; BadInput with file:line.

    What stands under its keys is checked where it is used, with the tool of that runbook's target: ``steps.step_of``.
    """
    found = read(file).mapping("steps by name")
    return {name: _shared(name, node) for name, node in found.items()}


def shared_for(folder: Path) -> dict[str, Draft]:
    """Name -> step that a runbook in this folder may use: those of the file beside it, and the catalogue's others."""
    files = [file for file in (beside(CATALOGUE, FILE), beside(folder, FILE)) if file is not None]
    return {name: step for file in files for name, step in load_shared(file).items()}


def used_in(value: object) -> Iterator[str]:
    """The names after each ``use`` of a file's plain data."""
    if isinstance(value, dict):
        if isinstance(value.get("use"), str):
            yield value["use"]
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from used_in(each)


def draft(node: Node, shared: Mapping[str, Draft] | None = None) -> Draft:
    """The step at this place, with what it takes from a shared one."""
    if not isinstance(node.value, dict) or "use" not in node.value:
        return Draft(node.fields(*keys_of(StepForm)), node)
    known = shared_for(node.doc.file.parent) if shared is None else shared
    own = node.fields(*keys_of(Use))
    name = own.pop("use")
    if name.text("a shared step") not in known:
        raise name.bad(f"{name.name}: {unknown('shared step', name.text(), tuple(known))}")
    fields = {**known[name.text()].fields, "id": name, **own}
    return Draft({key: fields[key] for key in ORDER if key in fields}, node, name.text())


class _Drafts(Kind):
    """The steps of a runbook."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[Draft, ...]:
        items = node.items("a list of steps", least=1)
        uses = any(isinstance(item.value, dict) and "use" in item.value for item in items)
        shared = shared_for(node.doc.file.parent) if uses else {}
        return tuple(draft(item, shared) for item in items)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return listed(_NewStep.schema(words))


class _NewStep(Kind):
    """One step."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Draft:
        return draft(node)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"anyOf": [schema_of(StepForm, words), schema_of(Use, words)]}


if TYPE_CHECKING:
    NewStep: TypeAlias = Draft
    Steps: TypeAlias = tuple[Draft, ...]
else:
    NewStep, Steps = _NewStep, _Drafts


def _shared(name: str, node: Node) -> Draft:
    if not SLUG.match(name):
        raise node.bad(f"found '{name}', expected a name of lower-case letters, digits and hyphens", at_key=True)
    found: dict[str, Any] = node.fields(*keys_of(Shared))
    made = Draft({"id": replace(node, value=name), **found}, node, name)
    place = found.get("if_failed")
    if place is not None and after_failure(place).step is not None:
        raise place.bad(f"{place.name}: a shared step knows no other; say where to go on beside 'use'")
    return made
