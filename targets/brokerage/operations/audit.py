"""The audit log of operator commands: ``<stack>/audit.jsonl``, one row when a command ends, one before it may act.

Row: ``t_ns`` (CLOCK_MONOTONIC), ``at`` (UTC), ``who``, ``role``, ``env``, ``argv``, ``exit`` (null in the row written
before acting, so that a command that was itself killed leaves a trace), ``says``, ``changed``; of one that has ended
also ``command`` (the words without the options before them), ``began_ns``, ``reply``, and whether it was ``typed``.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from targets.brokerage.operations.outcome import CommandResult

FILE = "audit.jsonl"
OPTIONS = ("--stack", "--role", "--env")
"""Before the noun, each with a value after it."""


@dataclass(frozen=True, slots=True)
class Given:
    """How a command was given: when it began (CLOCK_MONOTONIC), and whether a person typed it at a terminal."""

    began_ns: int
    typed: bool


def record(
    folder: Path,
    role: str | None,
    env: str | None,
    argv: Sequence[str],
    outcome: CommandResult | None,
    given: Given | None = None,
) -> None:
    """Append one row; ``outcome`` None says that the command is about to act. Raises OSError."""
    row = {
        "t_ns": time.monotonic_ns(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "who": who(),
        "role": role,
        "env": env,
        "argv": list(argv),
        "exit": None if outcome is None else outcome.exit,
        "says": "about to act" if outcome is None else outcome.says,
        "changed": None if outcome is None else outcome.changed,
    }
    if outcome is not None and given is not None:
        row |= {"command": list(command_words(argv)), "reply": outcome.as_json(), **asdict(given)}
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(row, ensure_ascii=False).encode() + b"\n")  # one write: rows never interleave
    finally:
        os.close(file)


def command_words(argv: Sequence[str]) -> Sequence[str]:
    """The words of a command line from its noun on."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        at += 2 if argv[at] in OPTIONS else 1
    return argv[at:]


def typed(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of commands that people have typed and that have ended, in order; none where nothing was logged yet."""
    try:
        content = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return
    for line in content.split(b"\n")[:-1]:
        row = json.loads(line)
        if row.get("typed"):
            yield row


def who() -> str:
    """Whoever runs this process, by name where the uid has one."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a uid without a name, as in containers
        return str(os.getuid())
