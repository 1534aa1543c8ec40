"""Exit codes of the command line, and how it complains."""

from __future__ import annotations

import sys

from targets.visible import visible

EXIT_PASS, EXIT_FAIL, EXIT_UNKNOWN, EXIT_REFUSED = 0, 1, 2, 3
EXIT_INTERNAL, EXIT_HUNG_UP, EXIT_INTERRUPTED, EXIT_TERMINATED = 70, 129, 130, 143

EXITS = {
    "baseline": EXIT_UNKNOWN,
    "error": EXIT_UNKNOWN,
    "refused": EXIT_REFUSED,
    "hung-up": EXIT_HUNG_UP,
    "interrupted": EXIT_INTERRUPTED,
    "terminated": EXIT_TERMINATED,
}
"""Why a run ended -> what the command exits with, where that alone decides it; else the verdict does."""

CUTS = {EXIT_HUNG_UP: "hung up", EXIT_INTERRUPTED: "interrupted", EXIT_TERMINATED: "terminated"}
"""What a command says that a signal cut short."""


def complain(message: str, *, last: bool = False) -> None:
    """One line (or few) on stderr, never a trace-back; nothing in it that a terminal would obey.

    The ``last`` word of a command stands on stdout where stderr was closed: nothing else says why there is no result.
    """
    stream = sys.stdout if last and getattr(sys.stderr, "closed_before", False) else sys.stderr
    print(f"kunren: {visible(message)}", file=stream)  # the one way to complain
