"""What a reply can be expected to be: what no reply of the command has is refused, with its place."""

from __future__ import annotations

import math

from drills.errors import unknown
from drills.record.history import NS
from drills.spec.reader import Node, path_words
from targets.operator_tool import Command, Field, Kind

NUMBERS = (Kind.WHOLE, Kind.NUMBER, Kind.SECONDS)


def field_of(node: Node, name: str, command: Command) -> Field:
    """The field of this name; ``a.b`` reaches into a mapping. BadInput where no reply has it, or it has many values."""
    place = f"{path_words(node.place[:-1])}: reply of '{command.name}'"
    fields, before, found = command.reply, "", None
    for part in (name,) if name in fields else name.split("."):
        if part not in fields:
            known = [before + key for key in fields] or [before.removesuffix(".")]
            raise node.bad(f"{place}: {unknown('field', name, known)}", at_key=True)
        found = fields[part]
        fields, before = found.fields, f"{before}{part}."
    assert found is not None  # a name has at least one part
    if found.kind is Kind.MAPPING:
        raise node.bad(f"{place}: '{name}' has fields, name one: {', '.join(before + key for key in fields)}")
    if found.kind is Kind.LIST:
        raise node.bad(f"{place}: '{name}' is a list, which is compared with nothing")
    return found


def value_of(node: Node, field: Field) -> str | int | float | bool:
    """The value that the field is to have, or not to have; a time may be written with its unit."""
    if field.only:
        return _one_of(node, field)
    if field.kind in NUMBERS:
        return number_of(node, field, whole=field.kind is Kind.WHOLE)
    if not isinstance(node.value, bool if field.kind is Kind.FLAG else str):
        raise node.expected(field.kind)
    value: str | bool = node.value
    return value


def number_of(node: Node, field: Field, *, whole: bool = False) -> int | float:
    """A number that the field is compared with, in seconds where it is a time."""
    if field.kind is Kind.SECONDS and isinstance(node.value, str):
        return node.time() / NS
    least = -math.inf if field.least is None else field.least
    return node.integer(least) if whole else node.number(least)


def _one_of(node: Node, field: Field) -> str | int | bool:
    found = next((each for each in field.only if type(each) is type(node.value) and each == node.value), None)
    if found is not None:
        return found
    known = [_shown(each) for each in field.only]
    if field.kind is Kind.TEXT and isinstance(node.value, str):
        raise node.bad(f"{node.name}: {unknown('value', node.value, known)}")
    raise node.expected(" or ".join(known))


def _shown(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"
