"""Which environment a child process gets, and how a part of ours that is Python is started: decided here alone.

What libraries read by themselves from a shell's or a CI job's environment (``PG*``, ``*_PROXY``, ``SSL_*``,
``DOCKER_*``, ``LC_*``, ``TZ``, ``PYTHON*``, ``LOCUST_*``, ``PROMETHEUS_*`` …) is meant for other programs: our parts
get what is listed here and nothing else. Programs of the user's, such as the hooks of a target file and what sets
images up, get the user's own environment as it was. Standard library only; imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PERSON = frozenset({"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH"})
ENGINE = frozenset({
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
    "DOCKER_API_VERSION", "SSH_AUTH_SOCK",
})  # fmt: skip
"""Which container engine, and how it is reached: not what it does."""
TERMINAL = frozenset({"TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM"})
"""For the programs themselves: their children write to files and pipes."""
OURS = ("KUNREN_", "XDG_")

PATHS = frozenset({"PATH", "LD_LIBRARY_PATH"})
PLACES = frozenset({
    "HOME", "TMPDIR", "XDG_CACHE_HOME", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "KUNREN_CACHE", "KUNREN_STACK",
    "KUNREN_PG_BIN",
})  # fmt: skip
"""Variables that hold a path: made absolute, for a child works in another folder."""
PROGRAMS = frozenset({"KUNREN_TOXIPROXY"})
"""A path, or a name to be looked up."""

NEUTRAL = "/"
"""Working folder of our parts: nothing of the user's lies there."""

START = Path(__file__).resolve().parent.parent / "drills" / "start.py"

_users: dict[str, str] | None = None
"""The environment as it was before ``shed``."""
_alone = threading.Lock()


def python(module: str, *arguments: str) -> list[str]:
    """The argv of a module of ours as a process: it imports from our packages and installed ones alone."""
    return [sys.executable, "-E", "-P", str(START), module, *arguments]


def script(file: Path, *arguments: str) -> list[str]:
    """The argv of a file of ours that imports the standard library alone, as a process: nothing else is read."""
    return [sys.executable, "-I", "-S", str(file), *arguments]


def own_environment() -> dict[str, str]:
    """For a part of ours, or a program that works for it; paths in it are absolute."""
    return {name: _absolute(name, value) for name, value in os.environ.items() if _passes(name)}


def users_environment() -> dict[str, str]:
    """As the user's shell had it: for programs of the user's, and for what downloads or builds."""
    return dict(os.environ if _users is None else _users)


def keeper_environment() -> dict[str, str]:
    """For a part of ours that runs the user's programs: it sheds what is not for itself, and has the rest for them."""
    return {**users_environment(), **own_environment()}


def shed() -> None:
    """Take everything out of this process's environment that is neither for our parts nor for the terminal.

    For a process that is ours from the beginning (``drills/start.py``); ``users_environment`` still has all of it.
    """
    global _users
    if _users is None:
        _users = dict(os.environ)
    for name in [name for name in os.environ if not _passes(name) and name not in TERMINAL]:
        del os.environ[name]
    time.tzset()


@contextlib.contextmanager
def without(prefix: str) -> Iterator[None]:
    """Inside, this process's environment has no variable of this prefix; one thread at a time is in there.

    For a library that reads some of them whatever it is told, in a process that somebody else may have begun.
    """
    with _alone:
        taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(prefix)}
        try:
            yield
        finally:
            os.environ.update(taken)


def _passes(name: str) -> bool:
    return name in PERSON or name in ENGINE or name.startswith(OURS)


def _absolute(name: str, value: str) -> str:
    if name in PATHS:
        return os.pathsep.join(os.path.abspath(each) for each in value.split(os.pathsep) if each)
    is_place = name in PLACES or (name in PROGRAMS and os.sep in value)
    return os.path.abspath(value) if value and is_place else value
