"""What an answer of the operator's tool must say, and whether it does.

::

    expect: {session: up}                                       about the step's own answer
    expect: {run: brokerctl gateway status, says: {link: B}}    about the answer of a query of its own
    before: {run: brokerctl gateway status, says: {heartbeat_age_s: {at_least: 1}}}

``says`` compares fields of the JSON answer, all of which must hold: a value is equality, else one of
``{at_most: n}``, ``{at_least: n}``, ``{not: value}``. ``a.b`` reaches into a mapping. A field that the answer does not
have never holds. Text, numbers and truth values are never equal to one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from drills.errors import unknown
from drills.spec.commands import TOOL, query
from drills.spec.forms import Kind, Schema, decode, kind, schema_of
from drills.spec.reader import Node, describe
from drills.spec.vocabulary import Vocabulary

Scalar = str | int | float | bool | None

BOUNDS = ("at_most", "at_least", "not")

RESERVED = ("run", "says")
"""Keys of the long form; no answer has fields of these names that a demand could be about, except in ``says:``."""


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


def facts(node: Node) -> dict[str, Fact]:
    """``{FIELD: value | {at_most|at_least|not: value}}``, at least one."""
    found = node.mapping("a mapping of the answer's fields")
    if not found:
        raise node.expected("at least one field of the answer")
    return {name: _fact(item) for name, item in found.items()}


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


COMMAND: Schema = {"type": "string", "pattern": f"^{TOOL} "}

if TYPE_CHECKING:
    Query: TypeAlias = tuple[str, ...]
    Facts: TypeAlias = dict[str, Fact]
else:
    Query = kind("query", query, COMMAND)
    Facts = kind("facts", facts, _facts_schema())


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``argv`` asks (None: the step's own answer is meant), and each field in ``says`` must hold."""

    argv: Query | None = msgspec.field(name="run")
    says: Facts


class _Expect(Kind):
    """Facts about the step's own answer, or a query and facts about its answer."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Demand:
        if isinstance(node.value, dict) and any(key in node.value for key in RESERVED):
            return decode(Demand, node)
        return Demand(None, facts(node))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        own = {**_facts_schema(), "propertyNames": {"not": {"enum": list(RESERVED)}}}
        return {"anyOf": [schema_of(Demand), own]}


if TYPE_CHECKING:
    Expect: TypeAlias = Demand
else:
    Expect = _Expect


def disagreements(says: Mapping[str, Fact], answer: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each field that does not hold; empty when the answer is as demanded."""
    return tuple(_sentence(name, fact, answer) for name, fact in says.items() if not _holds(name, fact, answer))


def _fact(node: Node) -> Fact:
    if not isinstance(node.value, dict):
        return Fact("is", _scalar(node))
    inner = node.mapping()
    if len(inner) != 1:
        raise node.expected(f"one of {', '.join(BOUNDS)}")
    ((how, item),) = inner.items()
    if how == "at_most":
        return Fact("at_most", item.number())
    if how == "at_least":
        return Fact("at_least", item.number())
    if how != "not":
        raise item.bad(f"{node.name}: {unknown('comparison', how, BOUNDS)}", at_key=True)
    return Fact("not", _scalar(item))


def _scalar(node: Node) -> Scalar:
    if isinstance(node.value, dict | list) or node.value is None:
        raise node.expected("a text, a number, true or false")
    value: Scalar = node.value
    return value


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
