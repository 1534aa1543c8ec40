"""The command line of a step: what an operator would type against the target's own tool.

Split as a shell would split it and never run by one, so what a shell would act on is refused instead of being passed
on as text. Who and where (``--role``, ``--env``) is the step's ``role:`` and the target, not part of the line.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection

from drills.errors import unknown
from drills.spec.reader import Node
from targets.brokerage.roles import PERMITTED, READ_ONLY, Role, refusal

TOOL = "brokerctl"

REOPENS = frozenset({"service open", "balances mark-current"})
"""Commands after which customers act on the system again."""

VERIFIES = frozenset({"reconcile", "gateway drain", "batch verify"})
"""Commands that compare our books with the exchange's, or with one another."""

ELSEWHERE = ("--role", "--env", "--stack", "--json")

SHELL = frozenset("|;&<>$`(){}*?!\n")
"""Acted on by a shell outside quotes; ``$``, a back-quote and ``!`` also inside double quotes."""

EXPANDED_IN_QUOTES = frozenset("$`!")


def command(node: Node) -> tuple[str, ...]:
    """The argv, beginning with ``brokerctl`` and one of its commands."""
    line = node.text("a command line")
    found = _first_shell_character(line)
    if found is not None:
        raise node.bad(f"{node.name}: {found!r} is for a shell, and this is never run by one; quote it or drop it")
    try:
        argv = tuple(shlex.split(line))
    except ValueError as error:
        raise node.bad(f"{node.name}: cannot be split: {str(error).lower()}") from error
    if argv[:1] != (TOOL,) or len(argv) < 2:
        raise node.expected(f"a line such as '{TOOL} gateway status'; only {TOOL} is run")
    for word in argv:
        if word.split("=")[0] in ELSEWHERE:
            raise node.bad(f"{node.name}: leave out {word}; the step's role and the target decide it")
    if spoken(argv) not in PERMITTED:
        raise node.bad(f"{node.name}: {unknown('command', ' '.join(argv[1:3]), PERMITTED)}")
    return argv


def query(node: Node) -> tuple[str, ...]:
    """The argv of a command that changes nothing."""
    argv = command(node)
    if spoken(argv) not in READ_ONLY:
        raise node.bad(f"{node.name}: '{spoken(argv)}' is not a query; known: {', '.join(sorted(READ_ONLY))}")
    return argv


def spoken(argv: tuple[str, ...]) -> str:
    """The command without its arguments: ``gateway use-link``; what is no command comes back as it is."""
    words = argv[1:]
    return words[0] if words[0] in PERMITTED else " ".join(words[:2])


def is_one_of(argv: tuple[str, ...] | None, commands: Collection[str]) -> bool:
    """Whether the argv is one of these commands, whatever its arguments."""
    return argv is not None and spoken(argv) in commands


def not_permitted(argv: tuple[str, ...], role: str) -> str | None:
    """Why the operator's tool would refuse this role; None when it would not."""
    return refusal(Role(role), spoken(argv), "--force" in argv)


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
