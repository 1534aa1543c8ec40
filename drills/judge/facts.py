"""Facts of a history that several checks, metrics and milestones ask for, each computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from drills.record.history import History

T = TypeVar("T")


def fact(compute: Callable[[History], T]) -> Callable[[History], T]:
    """Remember with the history what a pure function of it gives. Nobody may change what it gives."""

    @wraps(compute)
    def once(history: History) -> T:
        if compute not in history.facts:
            history.facts[compute] = compute(history)
        return cast(T, history.facts[compute])

    return once
