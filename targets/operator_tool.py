"""The tool with which operators work on a target, as data: its commands, who may run them, what their replies hold.

It is part of the target's ``Capabilities``, so that a runbook can be checked before anything starts: whether there is
such a command, whether the role may run it, and whether a reply of it can be what the runbook expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a value is, in words for people."""

    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    SECONDS = "a number of seconds"
    TEXT = "a text"
    LIST = "a list"
    MAPPING = "a mapping"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a reply.

    ``only``: all values that it can have; empty: any of its kind. ``least``: a number is never below it. ``fields`` are
    those of a mapping. ``nullable``: may be null. ``optional``: may be missing.
    """

    kind: Kind
    only: tuple[str | int | bool, ...] = ()
    least: float | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    nullable: bool = False
    optional: bool = False

    def or_null(self) -> Field:
        """The same, and it may be null."""
        return replace(self, nullable=True)

    def or_missing(self) -> Field:
        """The same, and it may be missing."""
        return replace(self, optional=True)


def flag(*only: bool) -> Field:
    """True or false, or always the one that is given."""
    return Field(Kind.FLAG, only)


def whole(*only: int, least: float | None = None) -> Field:
    """A whole number."""
    return Field(Kind.WHOLE, only, least)


def count() -> Field:
    """How many: a whole number that is never negative."""
    return whole(least=0)


def number(least: float | None = None) -> Field:
    """Any number."""
    return Field(Kind.NUMBER, least=least)


def seconds(least: float | None = 0) -> Field:
    """A time in seconds."""
    return Field(Kind.SECONDS, least=least)


def text(*only: str) -> Field:
    """A text: one of those that are given, or any."""
    return Field(Kind.TEXT, only)


def listing() -> Field:
    """A list, whatever is in it."""
    return Field(Kind.LIST)


def mapping(fields: Mapping[str, Field]) -> Field:
    """A mapping with these fields."""
    return Field(Kind.MAPPING, fields=fields)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command: an option where its name begins with ``--``, else a word at its place.

    ``kind`` is FLAG (an option without a value), WHOLE, SECONDS (more than 0) or TEXT. ``only``: all values of a text,
    or the words that may stand instead of a number. ``default`` of an optional one. ``most``: no number is above it.
    ``many``: a text that may come several times, at the end of those with a place.
    ``shown`` is its value in the usage line. ``roles``: who may use it; empty: whoever may run the command.
    """

    name: str
    says: str = ""
    kind: Kind = Kind.TEXT
    only: tuple[str, ...] = ()
    optional: bool = False
    default: float | None = None
    most: float | None = None
    shown: str = ""
    roles: tuple[str, ...] = ()
    many: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it is given by its name."""
        return self.name.startswith("--")


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``name`` is what is typed after the tool's name: ``status``, or noun and verb, ``gateway probe``.

    ``reply`` are the fields of its answer once it is done (exit 0). ``read_only``: it never changes anything.
    ``verifies``: it looks whether something is right. ``reopens``: customers act on the system again afterwards.
    ``examples`` are command lines without the tool's name.
    """

    name: str
    says: str
    roles: tuple[str, ...]
    reply: Mapping[str, Field]
    arguments: tuple[Argument, ...] = ()
    read_only: bool = False
    verifies: bool = False
    reopens: bool = False
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorTool:
    """``name`` is the program; ``roles`` from least to most that they may do.

    ``given``: options that come from whoever runs a step (role, environment, form of the reply), never from a runbook.
    """

    name: str
    roles: tuple[str, ...]
    commands: tuple[Command, ...]
    given: tuple[str, ...] = ()

    def command(self, argv: Sequence[str]) -> Command | None:
        """The command of a command line, which begins with the program; None for any other line."""
        if list(argv[:1]) != [self.name]:
            return None
        names = (" ".join(argv[1:length]) for length in range(len(argv), 1, -1))
        known = {command.name: command for command in self.commands}
        return next((known[name] for name in names if name in known), None)

    def arguments(self, command: Command, argv: Sequence[str]) -> Sequence[str]:
        """What follows the command's name in its command line."""
        return argv[1 + len(command.name.split()) :]

    def refusal(self, role: str, command: Command, words: Sequence[str]) -> str | None:
        """Why ``role`` may not run a command with these arguments; None when it may."""
        if role not in command.roles:
            return f"role {role} may not {command.name}; it takes {self._names(command.roles)}"
        used = {word.split("=")[0] for word in words}
        for argument in command.arguments:
            if argument.roles and argument.name in used and role not in argument.roles:
                return f"role {role} may not use {argument.name}; it takes {self._names(argument.roles)}"
        return None

    def _names(self, roles: Sequence[str]) -> str:
        return " or ".join(role for role in self.roles if role in roles) or "nobody"
