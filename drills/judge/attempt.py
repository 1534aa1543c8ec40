"""Keeping a judgement together when a part of it breaks: the part is missing and says why, the rest still comes out."""

from __future__ import annotations

from collections.abc import Callable
from traceback import walk_tb
from typing import TypeVar

from drills.record.history import Reason

T = TypeVar("T")


class Attempts:
    """Runs the parts of a judgement one by one and remembers which of them broke."""

    def __init__(self) -> None:
        self.failures: list[Reason] = []

    def make(self, name: str, part: Callable[[], T], otherwise: Callable[[Reason], T]) -> T:
        """The part; where it raises, what ``otherwise`` makes of the reason."""
        try:
            return part()
        except Exception as error:  # noqa: BLE001  # a judge that broke has not seen anything: it must say so, not stop
            why = Reason("judge-failed", {"part": name, "error": broke(error)})
            self.failures.append(why)
            return otherwise(why)


def broke(error: Exception) -> str:
    """What broke and in which function of ours, in words that every Python says alike.

    The error's own message is Python's or a library's and changes with their versions; so do line numbers and the
    names of comprehensions.
    """
    ours = [
        f"{frame.f_globals['__name__']}.{frame.f_code.co_name}"
        for frame, _ in walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith("drills.") and not frame.f_code.co_name.startswith("<")
    ]
    return f"{type(error).__name__} in {ours[-1]}" if ours else type(error).__name__
