"""The command line of a step: what an operator would type against the target's own tool.

Split as a shell would split it and never run by one, so what a shell would act on is refused instead of being passed
on as text. Who and where is the step's ``role:`` and the target, not part of the line.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from drills.errors import unknown
from drills.spec.forms import Schema
from drills.spec.reader import Node
from drills.spec.values import TEXT
from drills.spec.vocabulary import Vocabulary
from targets.operator_tool import Command, OperatorTool
from targets.tool_arguments import misuse

SHELL = frozenset("|;&<>$`(){}*?!\n")
"""Acted on by a shell outside quotes; ``$``, a back-quote and ``!`` also inside double quotes."""

EXPANDED_IN_QUOTES = frozenset("$`!")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What is typed, beginning with the tool's name, and the command that it is."""

    argv: tuple[str, ...]
    command: Command


def command_line(node: Node, tool: OperatorTool | None) -> CommandLine:
    """One of the tool's commands with its arguments; BadInput also where the target has no tool."""
    if tool is None:
        raise node.bad(f"{node.name}: the target has no operator tool")
    argv = _split(node, tool)
    for word in argv:
        if word.split("=")[0] in tool.given:
            raise node.bad(f"{node.name}: leave out {word}; the step's role and the target decide it")
    command = tool.command(argv)
    if command is None:
        known = [each.name for each in tool.commands]
        raise node.bad(f"{node.name}: {unknown('command', ' '.join(argv[1:3]), known)}")
    wrong = misuse(command, tool.arguments(command, argv))
    if wrong is not None:
        raise node.bad(f"{node.name}: {command.name}: {wrong}")
    return CommandLine(argv, command)


def query(node: Node, tool: OperatorTool | None) -> CommandLine:
    """A command that changes nothing."""
    line = command_line(node, tool)
    if tool is not None and not line.command.read_only:
        known = sorted(each.name for each in tool.commands if each.read_only)
        raise node.bad(f"{node.name}: '{line.command.name}' is not a query; known: {', '.join(known)}")
    return line


def tool_of(words: Vocabulary | None) -> OperatorTool | None:
    """The tool of the target that the names belong to, if it has one."""
    return None if words is None else words.operator


def schema(words: Vocabulary | None) -> Schema:
    """The JSON Schema of a command line."""
    tool = tool_of(words)
    return TEXT if tool is None else {"type": "string", "pattern": f"^{tool.name} "}


def _split(node: Node, tool: OperatorTool) -> tuple[str, ...]:
    """The words of the line, at least two, the first of which is the tool's name."""
    line = node.text("a command line")
    found = _first_shell_character(line)
    if found is not None:
        raise node.bad(f"{node.name}: {found!r} is for a shell, and this is never run by one; quote it or drop it")
    try:
        argv = tuple(shlex.split(line))
    except ValueError as error:
        raise node.bad(f"{node.name}: cannot be split: {str(error).lower()}") from error
    if argv[:1] != (tool.name,) or len(argv) < 2:
        example = next((each.examples[0] for each in tool.commands if each.read_only and each.examples), "COMMAND")
        raise node.expected(f"a line such as '{tool.name} {example}'; only {tool.name} is run")
    return argv


def _first_shell_character(line: str) -> str | None:
    quote = ""
    for position, character in enumerate(line):
        if quote:
            if character == quote:
                quote = ""
            elif quote == '"' and character in EXPANDED_IN_QUOTES:
                return character
        elif character in "'\"" and line[position - 1 : position] != "\\":
            quote = character
        elif character in SHELL:
            return character
    return None
