"""What a drill breaks: a fault's kind and its fields, each of which may be drawn from the seed.

A fault is a record of ``faults`` and its fields are its form. What is read here holds, for each field, what may be
drawn for it; that every draw would make a valid fault is found out by making them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from drills.errors import unknown
from drills.spec.forms import Kind, Schema
from drills.spec.reader import Node, path_words
from drills.spec.seeded import Draw, Fixed, corners, drawn, ranged
from drills.spec.values import TEXT, closed, enum
from drills.spec.vocabulary import Vocabulary

LIST_TYPES = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.TupleType)


class DrawnFault(msgspec.Struct, frozen=True):
    """A fault before its fields have been drawn; ``line`` is where it stands."""

    kind: str
    params: dict[str, Draw[Any]]
    line: int


class _Fault(Kind):
    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> DrawnFault:
        assert words is not None
        return _fault(node, words)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        return {"anyOf": [_schema(kind, fault, words) for kind, fault in words.faults.items()]}


if TYPE_CHECKING:
    Fault: TypeAlias = DrawnFault
else:
    Fault = _Fault


def _fault(node: Node, words: Vocabulary) -> DrawnFault:
    found = node.mapping("a mapping with the fault's kind")
    if "kind" not in found:
        raise node.bad(f"{node.name}: missing key 'kind'; known kinds: {', '.join(words.faults)}")
    kind = found["kind"].one_of(words.faults, "fault kind")
    described = msgspec.structs.fields(words.faults[kind])
    required = [field.encode_name for field in described if field.required]
    optional = [field.encode_name for field in described if not field.required]
    given = node.fields(("kind", *required), optional)
    types = {field.encode_name: field.type for field in described}
    params = {name: _param(item, types[name], words) for name, item in given.items() if name != "kind"}
    _check_whole(node, words.faults[kind], params)
    return DrawnFault(kind, params, node.line)


def _param(node: Node, declared: Any, words: Vocabulary) -> Draw[Any]:
    name = str(node.place[-1])
    known = _names(words).get(name)

    def read(item: Node) -> Any:
        return _convert(item, declared, name) if known is None else item.one_of(known, name)

    is_list = isinstance(msgspec.inspect.type_info(declared), LIST_TYPES)
    return Fixed(read(node)) if is_list else drawn(node, read)


def _convert(node: Node, declared: Any, name: str) -> Any:
    if declared is str:
        return node.text()
    info = msgspec.inspect.type_info(declared)
    if isinstance(info, msgspec.inspect.LiteralType) and isinstance(node.value, str) and node.value not in info.values:
        known = tuple(str(value) for value in info.values)
        raise node.bad(f"{path_words(node.place)}: {unknown(name, node.value, known)}")
    try:
        msgspec.convert(node.value, declared, strict=True)
    except msgspec.ValidationError as error:
        raise node.bad(f"{node.name}: {str(error).replace('`', '')}") from error
    return node.value


def _check_whole(node: Node, fault: type[Any], params: Mapping[str, Draw[Any]]) -> None:
    """Fields that are each right may not go together; the fault itself says so."""
    for chosen in corners(params):
        try:
            msgspec.convert(chosen, fault, strict=True)
        except msgspec.ValidationError as error:
            raise node.bad(f"{node.name}: {str(error).replace('`', '')}") from error


def _names(words: Vocabulary) -> dict[str, Any]:
    """Field -> the names that the target has for it; None: any will do here."""
    return {"link": words.links, "service": words.services}


def _schema(kind: str, fault: type[Any], words: Vocabulary) -> Schema:
    fields = msgspec.structs.fields(fault)
    names = _names(words)
    values = {
        each.encode_name: enum(names[each.encode_name]) if names.get(each.encode_name) else _one(each.type)
        for each in fields
    }
    required = ("kind", *(each.encode_name for each in fields if each.required))
    return closed({"kind": {"const": kind}, **{name: ranged(value) for name, value in values.items()}}, required)


def _one(declared: Any) -> Schema:
    (found,), definitions = msgspec.json.schema_components([declared], ref_template="#/$defs/{name}")
    if declared is str:
        return TEXT
    return {} if definitions else found  # a nested type: the loader checks it
