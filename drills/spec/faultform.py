"""What a drill breaks: a fault's kind and its fields, each of which may be drawn from the seed.

A fault is a record of ``faults`` and its fields are its form. What is read here holds, for each field, what may be
drawn for it; that every draw would make a valid fault is found out by making them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args, get_origin

import msgspec

from drills.errors import unknown
from drills.spec.commands import command_line, query
from drills.spec.faultkinds import Form, form, forms
from drills.spec.forms import Kind, Schema
from drills.spec.reader import Node, path_words
from drills.spec.seeded import Draw, Fixed, corners, drawn, ranged
from drills.spec.values import TEXT, closed, enum
from drills.spec.vocabulary import Vocabulary
from targets.references import NameRange, Refers, reference

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
        return read_fault(node, words)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        assert words is not None
        return {"anyOf": [_schema(each, words) for each in forms(words)]}


if TYPE_CHECKING:
    Fault: TypeAlias = DrawnFault
else:
    Fault = _Fault


def read_fault(node: Node, words: Vocabulary) -> DrawnFault:
    """What stands there; BadInput with its place."""
    found = node.mapping("a mapping with the fault's kind")
    if "kind" not in found:
        raise node.bad(f"{node.name}: missing key 'kind'; known kinds: {', '.join(words.faults)}")
    kind = found["kind"].one_of(words.faults, "fault kind")
    written = _form(node, kind, words)
    given = node.fields(("kind", *written.required), written.optional)
    params = {name: _param(item, written.fields[name].type, words) for name, item in given.items() if name != "kind"}
    _check_whole(node, written, params)
    return DrawnFault(kind, params, node.line)


def _form(node: Node, kind: str, words: Vocabulary) -> Form:
    """What may stand there: of a fault that plants a condition, the fields of that one, too."""
    naming = form(words, kind).names_condition
    if naming is None:
        return form(words, kind)
    found = node.mapping()
    if naming not in found:
        known = ", ".join(words.conditions) or "none"
        raise node.bad(f"{node.name}: missing key '{naming}'; known conditions: {known}")
    return form(words, kind, found[naming].one_of(words.conditions, Refers.CONDITION))


def _param(node: Node, declared: Any, words: Vocabulary) -> Draw[Any]:
    thing = reference(declared)
    known = None if thing is None else words.names(thing)
    shown = (str(known),) if isinstance(known, NameRange) else known

    def read(item: Node) -> Any:
        if thing is None:
            return _convert(item, declared, str(node.place[-1]))
        return item.text() if known is None else item.one_of(known, thing, shown)

    _check_commands(node, declared, words)
    is_list = isinstance(msgspec.inspect.type_info(declared), LIST_TYPES)
    return Fixed(read(node)) if is_list else drawn(node, read)


def _check_commands(node: Node, declared: Any, words: Vocabulary) -> None:
    """Every command line in the field is one of the target's tool; BadInput with its place."""
    for place, thing in _commands(node, declared):
        (query if thing is Refers.QUERY else command_line)(place, words.operator)


def _commands(node: Node, declared: Any) -> Iterator[tuple[Node, Refers]]:
    """The command lines that such a field holds, in lists and records too."""
    thing = reference(declared)
    if thing in (Refers.COMMAND, Refers.QUERY):
        yield node, thing
        return
    plain = get_args(declared)[0] if get_origin(declared) is Annotated else declared
    if get_origin(plain) is tuple and isinstance(node.value, list):
        for item in node.items():
            yield from _commands(item, get_args(plain)[0])
    elif isinstance(plain, type) and issubclass(plain, msgspec.Struct) and isinstance(node.value, dict):
        for field in msgspec.structs.fields(plain):
            if field.encode_name in node.value:
                yield from _commands(node.child(field.encode_name), field.type)


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


def _check_whole(node: Node, written: Form, params: Mapping[str, Draw[Any]]) -> None:
    """Fields that are each right may not go together; the fault itself says so."""
    for chosen in corners(params):
        try:
            written.check(chosen)
        except msgspec.ValidationError as error:
            raise node.bad(f"{node.name}: {str(error).replace('`', '')}") from error


def _schema(written: Form, words: Vocabulary) -> Schema:
    values = {name: ranged(_value(field.type, words)) for name, field in written.fields.items()}
    if written.names_condition is not None:
        values[written.names_condition] = {"const": written.condition}
    return closed({"kind": {"const": written.kind}, **values}, ("kind", *written.required))


def _value(declared: Any, words: Vocabulary) -> Schema:
    """Of a field of a fault; what refers to the target is one of its names."""
    thing = reference(declared)
    if thing is None:
        return _one(declared)
    names = words.names(thing)
    if isinstance(names, NameRange):
        return {"type": "string", "pattern": names.pattern}
    return enum(names) if names else TEXT


def _one(declared: Any) -> Schema:
    (found,), definitions = msgspec.json.schema_components([declared], ref_template="#/$defs/{name}")
    if declared is str:
        return TEXT
    return {} if definitions else found  # a nested type: the loader checks it
