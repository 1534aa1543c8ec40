"""What an answer of the operator's tool must say, and whether it does.

::

    expect: {session: up}                                       about the step's own answer
    expect: {run: brokerctl gateway status, reply: {link: B}}    about the answer of a query of its own
    before: {run: brokerctl gateway status, reply: {heartbeat_age_s: {at_least: 1}}}

``reply`` compares fields of the JSON answer, all of which must hold: a value is equality, else one of
``{at_most: n}``, ``{at_least: n}``, ``{not: value}``. ``a.b`` reaches into a mapping. A field that the answer does not
have never holds. Text, numbers and truth values are never equal to one another. What no reply of the command can have
(``spec.replies``) is refused when the runbook is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from drills.errors import unknown
from drills.spec import commands
from drills.spec.commands import CommandLine
from drills.spec.forms import Kind, Schema, decode, kind, schema_of
from drills.spec.reader import Node, describe
from drills.spec.replies import NUMBERS, field_of, number_of, value_of
from drills.spec.vocabulary import Vocabulary
from targets.operator_tool import Command, Field

Scalar = str | int | float | bool | None

BOUNDS = ("at_most", "at_least", "not")

RESERVED = ("run", "reply")
"""Keys of the long form; no answer has fields of these names that a demand could be about, except in ``reply:``."""


class Fact(msgspec.Struct, frozen=True):
    """How one field of an answer must compare."""

    how: Literal["is", "not", "at_most", "at_least"]
    value: Scalar

    def holds(self, found: object) -> bool:
        """Whether the found value compares so."""
        if self.how in ("is", "not"):
            return _same(found, self.value) == (self.how == "is")
        if not _is_number(found):
            return False
        return found <= self.value if self.how == "at_most" else found >= self.value  # type: ignore[operator]

    def words(self) -> str:
        """For people: ``at least 0.75``."""
        return f"{'' if self.how == 'is' else self.how.replace('_', ' ') + ' '}{_shown(self.value)}"


class Demand(msgspec.Struct, frozen=True):
    """``argv`` asks (None: the step's own answer is meant), and each field in ``reply`` must hold."""

    argv: tuple[str, ...] | None
    reply: dict[str, Fact]


def _fields(node: Node) -> Node:
    if not node.mapping("a mapping of the answer's fields"):
        raise node.expected("at least one field of the answer")
    return node


def _facts_schema() -> Schema:
    value: Schema = {"type": ["string", "number", "boolean"]}
    compared = {
        "type": "object",
        "properties": dict.fromkeys(BOUNDS, value),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"type": "object", "additionalProperties": {"anyOf": [value, compared]}, "minProperties": 1}


class _Query(Kind):
    """A command line that changes nothing."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> CommandLine:
        return commands.query(node, commands.tool_of(words))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return commands.schema(words)


if TYPE_CHECKING:  # which fields an answer has is known with its command: until then they keep their places
    Query: TypeAlias = CommandLine
    Fields: TypeAlias = Node
else:
    Query = _Query
    Fields = kind("facts", _fields, _facts_schema())


class _QuestionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query and facts about its answer, as they are written."""

    run: Query
    reply: Fields


class _Question(Kind):
    """A query and facts about its answer."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Demand:
        form = decode(_QuestionForm, node, words)
        return Demand(form.run.argv, _facts(form.reply, form.run.command))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return schema_of(_QuestionForm, words)


class _Expect(Kind):
    """Facts about the step's own answer, which stay as written, or a query and facts about its answer."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Demand | Node:
        if isinstance(node.value, dict) and any(key in node.value for key in RESERVED):
            return _Question.read(node, words)
        return _fields(node)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        own = {**_facts_schema(), "propertyNames": {"not": {"enum": list(RESERVED)}}}
        return {"anyOf": [_Question.schema(words), own]}


if TYPE_CHECKING:
    Question: TypeAlias = Demand
    Expect: TypeAlias = Demand | Node
else:
    Question, Expect = _Question, _Expect


def demanded(expect: Expect | None, command: Command | None) -> Demand | None:
    """What a step must lead to; ``command`` is the one that it runs. BadInput for what no answer of it can be."""
    if not isinstance(expect, Node):
        return expect
    if command is None:
        raise expect.bad(f"{expect.name}: the step runs nothing that could answer; ask with {{run: …, reply: …}}")
    return Demand(None, _facts(expect, command))


def disagreements(reply: Mapping[str, Fact], answer: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each field that does not hold; empty when the answer is as demanded."""
    return tuple(_sentence(name, fact, answer) for name, fact in reply.items() if not _holds(name, fact, answer))


def _facts(node: Node, command: Command) -> dict[str, Fact]:
    """``{FIELD: value | {at_most|at_least|not: value}}``, of the fields that the command answers with."""
    return {name: _fact(item, field_of(item, name, command)) for name, item in node.mapping().items()}


def _fact(node: Node, field: Field) -> Fact:
    if not isinstance(node.value, dict):
        return Fact("is", value_of(node, field))
    inner = node.mapping()
    if len(inner) != 1:
        raise node.expected(f"one of {', '.join(BOUNDS)}")
    ((how, item),) = inner.items()
    if how == "not":
        return Fact("not", value_of(item, field))
    if how not in BOUNDS:
        raise item.bad(f"{node.name}: {unknown('comparison', how, BOUNDS)}", at_key=True)
    if field.kind not in NUMBERS:
        raise item.bad(f"{node.name}: {how} compares numbers, and this is {field.kind}", at_key=True)
    return Fact("at_most" if how == "at_most" else "at_least", number_of(item, field))


def _lookup(name: str, answer: Mapping[str, Any]) -> tuple[bool, Any]:
    found: Any = answer
    for part in (name,) if name in answer else name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return False, None
        found = found[part]
    return True, found


def _holds(name: str, fact: Fact, answer: Mapping[str, Any]) -> bool:
    there, found = _lookup(name, answer)
    return there and fact.holds(found)


def _sentence(name: str, fact: Fact, answer: Mapping[str, Any]) -> str:
    there, found = _lookup(name, answer)
    if not there:
        return f"the answer has no field '{name}', expected {fact.words()}"
    return f"{name} is {_shown(found)}, expected {fact.words()}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(found: object, wanted: object) -> bool:
    if _is_number(found) and _is_number(wanted):
        return found == wanted
    return type(found) is type(wanted) and found == wanted


def _shown(value: object) -> str:
    return str(value) if _is_number(value) else describe(value).strip("'")
