"""The form of a file: a msgspec Struct whose fields are the file's keys, and what is made from it.

``decode`` turns a file into the Struct, ``schema_of`` makes the JSON Schema. Where something is written in a way of its
own (``5s``, a range, a name that the target knows), the type of the field is a ``Kind``. msgspec sees to it that keys
are there and known, and that lists are lists; a kind reads its node itself. Scalars come to it as nodes, so that it has
the characters that were written and the line: whatever is refused is refused as ``file:line: place: what was found``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, get_args, get_origin

import msgspec

from drills.errors import BadInput
from drills.spec.reader import Node
from drills.spec.vocabulary import Vocabulary

Schema = dict[str, Any]

Form = TypeVar("Form")

PATH = re.compile(r"\.([^.\[`]+)|\[(\d+)\]")
"""One step of the path in an error of msgspec's, such as ``$.timeline[0].fault``."""


class _Read(type):
    """Of the kinds: whatever one has read is an instance of it. So a time is a plain number of ns once it is read."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class Kind(metaclass=_Read):
    """A kind of value that is written in a way of its own. ``Names[Alert]`` is one whose ``item`` is ``Alert``."""

    what: ClassVar[str] = "value"
    item: ClassVar[Any] = None

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Any:
        """The value; BadInput with its place. ``words`` are there in files that name something of the target."""
        raise NotImplementedError

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        """Its JSON Schema; without ``words`` any name will do."""
        raise NotImplementedError

    @classmethod
    @cache  # classes live as long as the process
    def __class_getitem__(cls, item: Any) -> type[Self]:
        return type(f"{cls.__name__}[{item.__name__}]", (cls,), {"item": item})


def kind(what: str, read: Callable[[Node], Any], schema: Schema) -> type[Kind]:
    """A kind that needs no vocabulary; ``what`` is what one is called."""

    class Plain(Kind):
        @classmethod
        def read(cls, node: Node, words: Vocabulary | None) -> Any:
            return read(node)

        @classmethod
        def schema(cls, words: Vocabulary | None) -> Schema:
            return schema

    Plain.what = what
    return Plain


def decode(form: type[Form], node: Node, words: Vocabulary | None = None) -> Form:
    """What stands at the node; BadInput with the place of the first thing that is not of the form.

    Keys that are missing or not known come before values that cannot be taken.
    """
    tree = _Tree(words)
    try:
        return tree.converted(form, tree.plain(node))
    except msgspec.ValidationError as error:
        raise _refusal(form, node, str(error)) from None


def value_of(form: Any, node: Node, words: Vocabulary | None = None) -> Any:
    """What stands at the node, be it of a form or of a kind."""
    return form.read(node, words) if _is_kind(form) else decode(form, node, words)


def decode_fields(form: type[Form], fields: Mapping[str, Node], at: Node, words: Vocabulary | None = None) -> Form:
    """The same of keys whose values may stand in different files; what concerns none of them is said of ``at``."""
    tree = _Tree(words)
    try:
        return tree.converted(form, {key: tree.plain(node) for key, node in fields.items()})
    except msgspec.ValidationError as error:
        raise _refusal(form, at, str(error), fields) from None


def keys_of(form: type[msgspec.Struct]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that must be there, and those that may."""
    fields = msgspec.structs.fields(form)
    required = tuple(field.encode_name for field in fields if field.required)
    return required, tuple(field.encode_name for field in fields if not field.required)


def schema_of(form: Any, words: Vocabulary | None = None) -> Schema:
    """The JSON Schema of a form or a kind, whole: it refers to no definition elsewhere."""

    def described(kind: Any) -> Schema:
        found: Schema = kind.schema(words)
        return found

    if _is_kind(form):
        return described(form)
    (found,), parts = msgspec.json.schema_components([form], schema_hook=described, ref_template="{name}")
    whole: Schema = _whole(found, parts)
    return whole


def _is_kind(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Kind)


class _Tree:
    """A file as msgspec takes it: mappings and lists as they are, a node for each scalar."""

    def __init__(self, words: Vocabulary | None) -> None:
        self.words = words
        self.nodes: dict[int, tuple[Any, Node]] = {}  # id of a mapping or list -> itself, kept alive, and its node

    def plain(self, node: Node) -> Any:
        made: Any = node
        if isinstance(node.value, dict):
            made = {key: self.plain(node.child(key)) for key in node.value}
        elif isinstance(node.value, list):
            made = [self.plain(node.child(index)) for index in range(len(node.value))]
        self.nodes[id(made)] = made, node
        return made

    def converted(self, form: type[Form], tree: Any) -> Form:
        msgspec.convert(tree, form, dec_hook=lambda kind, value: None)  # the keys alone
        return msgspec.convert(tree, form, dec_hook=self._read)

    def _read(self, kind: type[Kind], value: Any) -> Any:
        _, node = self.nodes[id(value)]
        return kind.read(node, self.words)


def _refusal(form: Any, at: Node, error: str, fields: Mapping[str, Node] | None = None) -> BadInput:
    """In our words: msgspec says where; what it is about is asked of the node again."""
    says, _, path = error.partition(" - at `$")
    for name, index in PATH.findall(path):
        form = _within(form, name)
        at = fields[name] if fields is not None else at.child(name or int(index))
        fields = None
    bare, described = _bare(form)
    if fields is None:
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            at.fields(*keys_of(bare))
        elif get_origin(bare) is tuple:
            at.items(described.description or "a list", least=described.min_length or 0)
    return at.bad(f"{at.name}: {says}")


def _within(form: Any, name: str) -> Any:
    """The type of a field, or of the items of a list where there is no name."""
    bare, _ = _bare(form)
    if not name:
        return get_args(bare)[0]
    return next(field.type for field in msgspec.structs.fields(bare) if field.encode_name == name)


def _bare(form: Any) -> tuple[Any, msgspec.Meta]:
    """Without ``| None`` and ``Annotated``, and what the latter says of it."""
    described = msgspec.Meta()
    while get_origin(form) in (Annotated, Union, UnionType):
        if get_origin(form) is Annotated:
            form, described = get_args(form)
        else:
            (form,) = (each for each in get_args(form) if each is not NoneType)
    return form, described


def _whole(schema: Any, parts: Mapping[str, Schema]) -> Any:
    """With what it refers to put in its place, and without what a file cannot write: nothing, and our defaults."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"]], parts)
    kept = {key: value for key, value in schema.items() if key not in ("title", "description", "default")}
    if "properties" in kept:
        kept["properties"] = {name: _whole(each, parts) for name, each in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _whole(kept["items"], parts)
    if "anyOf" in kept:
        found = [_whole(each, parts) for each in kept["anyOf"] if each != {"type": "null"}]
        return found[0] if len(found) == 1 else {**kept, "anyOf": found}
    return kept
