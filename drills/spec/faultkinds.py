"""How a fault is written in a drill file: which fields a kind has, and what those refer to.

All of it comes from the declared types of the faults, and of the conditions that the target can plant; the loader, the
schema and the search for names that a target does not have go by the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from drills.spec.vocabulary import Vocabulary
from targets.references import Refers, reference


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of fault with its fields by their names in YAML.

    ``record`` is the fault. Where it plants a ``condition``, ``parameters`` is that one, and its fields stand beside
    those of the fault.
    """

    kind: str
    record: type[Any]
    condition: str | None = None
    parameters: type[msgspec.Struct] | None = None

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """Name -> how it is declared; but for ``kind``."""
        more = () if self.parameters is None else msgspec.structs.fields(self.parameters)
        return {field.encode_name: field for field in (*self.record.declared(), *more)}

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that have no default."""
        return tuple(name for name, field in self.fields.items() if field.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """The others."""
        return tuple(name for name, field in self.fields.items() if not field.required)

    @property
    def references(self) -> dict[str, Refers]:
        """The fields that name something of the target, and what."""
        found = {name: reference(field.type) for name, field in self.fields.items()}
        return {name: thing for name, thing in found.items() if thing is not None}

    @property
    def names_condition(self) -> str | None:
        """The field that names the condition, of a fault that plants one."""
        return next((name for name, thing in self.references.items() if thing is Refers.CONDITION), None)

    def check(self, chosen: Mapping[str, Any]) -> None:
        """Whether these values go together; msgspec.ValidationError says why they do not."""
        self.record.of(chosen)
        if self.parameters is not None:
            own = {field.encode_name for field in msgspec.structs.fields(self.parameters)}
            msgspec.convert({name: value for name, value in chosen.items() if name in own}, self.parameters)


def form(words: Vocabulary, kind: str, condition: str | None = None) -> Form:
    """The form of one kind that is known, and of a condition that is; without one only what all conditions share."""
    parameters = None if condition is None else words.conditions[condition]
    return Form(kind, words.faults[kind], condition, parameters)


def forms(words: Vocabulary) -> Iterator[Form]:
    """Of every kind, and of every condition that the target can plant."""
    for kind in words.faults:
        bare = form(words, kind)
        if bare.names_condition is None:
            yield bare
        else:
            yield from (form(words, kind, condition) for condition in words.conditions)


def form_of(words: Vocabulary, written: Mapping[str, Any]) -> Form | None:
    """The form that a fault is written in, as far as that can be told; None where its kind is not known."""
    kind = written.get("kind")
    if not isinstance(kind, str) or kind not in words.faults:
        return None
    bare = form(words, kind)
    named = None if bare.names_condition is None else written.get(bare.names_condition)
    return form(words, kind, named) if isinstance(named, str) and named in words.conditions else bare
