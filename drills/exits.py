"""Exit codes of the command line, and how it complains."""

from __future__ import annotations

import sys

from targets.visible import visible

EXIT_PASS, EXIT_FAIL, EXIT_UNKNOWN, EXIT_REFUSED = 0, 1, 2, 3
EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_TERMINATED = 70, 130, 143

EXITS = {
    "baseline": EXIT_UNKNOWN,
    "error": EXIT_UNKNOWN,
    "refused": EXIT_REFUSED,
    "interrupted": EXIT_INTERRUPTED,
    "terminated": EXIT_TERMINATED,
}
"""Why a run ended -> what the command exits with, where that alone decides it; else the verdict does."""


def complain(message: str) -> None:
    """One line (or few) on stderr, never a trace-back; nothing in it that a terminal would obey."""
    print(f"kunren: {visible(message)}", file=sys.stderr)  # noqa: T201  # the one way to complain
