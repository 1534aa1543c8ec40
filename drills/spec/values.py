"""Kinds of values that the files of drills have in common: texts, names, times, lists of distinct names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from drills.spec.forms import Kind, Schema, kind, schema_of, value_of
from drills.spec.reader import SLUG, Node, Words
from drills.spec.vocabulary import PHASES, Vocabulary

AS_WRITTEN = ["string", "number", "boolean"]
"""What an editor takes plain text for: ``3.10`` and ``true`` are read as they are written."""

TEXT: Schema = {"type": AS_WRITTEN, "minLength": 1, "pattern": r"^[^\x00]*$"}
NAME: Schema = {"type": AS_WRITTEN, "pattern": "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"}
TIME: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?\s?(ms|s|m|h)$"}
Item = TypeVar("Item")


def enum(names: Collection[str]) -> Schema:
    """The schema of one of these names."""
    return {"type": "string", "enum": list(names)}


def listed(item: Schema, least: int = 1) -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": item, "minItems": least}


def closed(properties: Schema, required: Collection[str] | None = None) -> Schema:
    """The schema of a mapping with these keys and no others; all are required unless said."""
    names = list(properties if required is None else required)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def by_name(item: Schema) -> Schema:
    """The schema of a mapping of names of one's own, at least one."""
    return {"type": "object", "propertyNames": NAME, "additionalProperties": item, "minProperties": 1}


def text(what: str) -> type[Kind]:
    """Text that is not blank, as it was written; ``what`` is it, for who left it out."""
    return kind(what, lambda node: node.text(what), TEXT)


def one_of(names: Collection[str], what: str) -> type[Kind]:
    """One of the names, which are the same for every target."""
    return kind(what, lambda node: node.one_of(names, what), enum(names))


def known(what: str, names: Callable[[Vocabulary], Collection[str] | None]) -> type[Kind]:
    """One of the names that the vocabulary has; any, where the target says nothing of them."""

    class Known(Kind):
        @classmethod
        def read(cls, node: Node, words: Vocabulary | None) -> str:
            found = None if words is None else names(words)
            return node.text("a name") if found is None else node.one_of(found, what)

        @classmethod
        def schema(cls, words: Vocabulary | None) -> Schema:
            found = None if words is None else names(words)
            return enum(found) if found else TEXT

    Known.what = what
    return Known


class _Names(Kind):
    """A list of names, each once, at least one; what is read is a tuple."""

    least: ClassVar[int] = 1

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[Any, ...]:
        what = cls.item.what
        nodes = node.items(f"a list of {what}s", least=cls.least)
        found = tuple(cls.item.read(each, words) for each in nodes)
        for index, (each, name) in enumerate(zip(nodes, found, strict=True)):
            if name in found[:index]:
                raise each.bad(f"{each.name}: {what} '{name}' stands twice")
        return found

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return listed(schema_of(cls.item, words), cls.least)


class _AnyNames(_Names):
    """The same, or none."""

    least: ClassVar[int] = 0


class _OneOrMore(Kind):
    """One mapping of the form ``item``, or a list of them; what is read is a tuple."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> tuple[Any, ...]:
        nodes = node.items(least=1) if isinstance(node.value, list) else [node]
        return tuple(value_of(cls.item, each, words) for each in nodes)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        one = schema_of(cls.item, words)
        return {"anyOf": [one, listed(one)]}


class _ByName(Kind):
    """A mapping of names of one's own to ``item``, at least one."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> dict[str, Any]:
        found = node.mapping()
        if not found:
            raise node.expected("at least one")
        for name, each in found.items():
            if not SLUG.match(name):
                says = f"'{name}' is no name of lower-case letters, digits and hyphens"
                raise each.bad(f"{node.name}: {says}", at_key=True)
        return {name: value_of(cls.item, each, words) for name, each in found.items()}

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return by_name(schema_of(cls.item, words))


if TYPE_CHECKING:  # what has been read is plain
    Text: TypeAlias = str
    Slug: TypeAlias = str
    Phase: TypeAlias = str
    AlertName: TypeAlias = str
    StepId: TypeAlias = str
    Time: TypeAlias = int
    Duration: TypeAlias = int
    Number: TypeAlias = float
    Share: TypeAlias = float
    Bilingual: TypeAlias = Words
    Names: TypeAlias = tuple[Item, ...]
    AnyNames: TypeAlias = tuple[Item, ...]
    OneOrMore: TypeAlias = tuple[Item, ...]
    ByName: TypeAlias = dict[str, Item]
else:
    Text = text("text")
    Slug = kind("name", Node.slug, NAME)
    Phase = one_of(PHASES, "phase")
    AlertName = kind("alert", lambda node: node.text("an alert"), TEXT)
    StepId = kind("step id", lambda node: node.text("a step id"), NAME)
    Time = kind("time", Node.time, TIME)
    Duration = kind("time", partial(Node.time, positive=True), TIME)
    Number = kind("number", Node.number, {"type": "number"})
    Share = kind("share", lambda node: node.number(0, 1), {"type": "number", "minimum": 0, "maximum": 1})
    Bilingual = kind("words", Node.words, closed({"en": TEXT, "ja": TEXT}))
    Names, AnyNames, OneOrMore, ByName = _Names, _AnyNames, _OneOrMore, _ByName
