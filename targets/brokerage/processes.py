"""Whose a process is: a service's own, or a child's of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psutil


def descendants(root: int) -> set[int]:
    """The children of a process, and theirs."""
    try:
        return {child.pid for child in psutil.Process(root).children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()


def owner(running: Mapping[str, int], pid: int, below: Callable[[int], set[int]] = descendants) -> str | None:
    """Which of the services (name -> pid) has ``pid`` for its process or a child; None when none has."""
    for name, root in running.items():
        if root == pid:
            return name
    return next((name for name, root in running.items() if pid in below(root)), None)
