"""Keeping a judgement together when a part of it breaks: the part is missing and says why, the rest still comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Attempts:
    """Runs the parts of a judgement one by one and remembers, in words, which of them broke."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def make(self, name: str, part: Callable[[], T], otherwise: Callable[[str], T]) -> T:
        """The part; where it raises, what ``otherwise`` makes of the reason."""
        try:
            return part()
        except Exception as error:  # noqa: BLE001  # a judge that broke has not seen anything: it must say so, not stop
            why = f"the judge failed at {name}: {type(error).__name__}: {error}"
            self.failures.append(why)
            return otherwise(why)
