"""The audit log of operator commands: ``<stack>/audit.jsonl``, one row when a command ends, one before it may act.

Row: ``t_ns`` (CLOCK_MONOTONIC), ``at`` (UTC), ``who``, ``role``, ``env``, ``argv``, ``exit`` (null in the row written
before acting, so that a command that was itself killed leaves a trace), ``says``, ``changed``.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Sequence
from pathlib import Path

from targets.brokerage.operations.outcome import CommandResult


def record(folder: Path, role: str | None, env: str | None, argv: Sequence[str], outcome: CommandResult | None) -> None:
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
    file = os.open(folder / "audit.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(row, ensure_ascii=False).encode() + b"\n")  # one write: rows never interleave
    finally:
        os.close(file)


def who() -> str:
    """Whoever runs this process, by name where the uid has one."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a uid without a name, as in containers
        return str(os.getuid())
