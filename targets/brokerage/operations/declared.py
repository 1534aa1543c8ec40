"""A command of ``brokerctl``, declared once: what it is called and takes, who may run it, what its reply holds.

The command line, the roles, what lint knows of it and the reply that a runbook may expect all follow from that.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.outcome import DONE, CommandResult
from targets.brokerage.roles import MANAGERS, Role
from targets.operator_tool import Argument, Command, Field, Kind, flag, text, whole

FORCE = Argument(
    "--force", "overrule what the system finds against it (duty manager)", Kind.FLAG, optional=True, roles=MANAGERS
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A command and what carries it out."""

    command: Command
    run: Callable[[Stack, Namespace], CommandResult]


def operation(
    run: Callable[[Stack, Namespace], CommandResult],
    name: str,
    says: str,
    roles: tuple[Role, ...],
    reply: Mapping[str, Field],
    *arguments: Argument,
    examples: tuple[str, ...] = (),
    read_only: bool = False,
    verifies: bool = False,
    reopens: bool = False,
) -> Operation:
    """Declare a command; ``reply`` is what it answers beside what every command does. Usual example: its name."""
    every = {"ok": flag(True), "exit": whole(DONE), "says": text(), "changed": flag(False) if read_only else flag()}
    command = Command(
        name, says, roles, {**every, **reply}, arguments, read_only, verifies, reopens, examples or (name,)
    )
    return Operation(command, run)
