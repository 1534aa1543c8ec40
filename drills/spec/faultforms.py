"""How a fault is written in a drill file: which fields a kind has, and what those refer to.

All of it comes from the declared types of the faults; the loader, the schema and the search for names that a target
does not have go by the same.
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
    """A kind of fault with its fields by their names in YAML."""

    kind: str
    fields: Mapping[str, FieldInfo]
    record: type[Any]

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

    def check(self, chosen: Mapping[str, Any]) -> None:
        """Whether these values go together; msgspec.ValidationError says why they do not."""
        msgspec.convert(chosen, self.record, strict=True)


def form(words: Vocabulary, kind: str) -> Form:
    """The form of one kind that is known."""
    record = words.faults[kind]
    return Form(kind, {field.encode_name: field for field in msgspec.structs.fields(record)}, record)


def forms(words: Vocabulary) -> Iterator[Form]:
    """Of every kind."""
    yield from (form(words, kind) for kind in words.faults)
