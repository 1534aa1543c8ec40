"""What more than one test plants in a made-up history, beside the defects of the books."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from drills.domains.cash.rows import Balance
from drills.record.history import Kind

from . import synthetic as made
from .synthetic import Draft, at

Plant = Callable[[Draft], None]


def silent_load(start: float, end: float) -> Plant:
    """The schedule stood still: what was due is in no sample, not even as dropped."""

    def plant(draft: Draft) -> None:
        draft.samples = [sample for sample in draft.samples if not at(start) <= sample[0] < at(end)]

    return plant


def injected(fault: int) -> Plant:
    """So soon that both events share an instant."""

    def plant(draft: Draft) -> None:
        for kind in (Kind.INVOKE, Kind.OK):
            draft.note(9, f"fault:{fault}", kind, "inject")

    return plant


def balances_unread(draft: Draft) -> None:
    """Nobody read what the brokerage has stored, and the drill asks for it."""
    draft.oms = [row for row in draft.oms if not isinstance(row, Balance)]
    draft.plan = msgspec.structs.replace(draft.plan, checks=["figures-right"])


def retried(draft: Draft) -> None:
    """A step of the page was done again."""
    made.step(draft, "open", 14.3, 14.4)


def failed_step(draft: Draft) -> None:
    """A step of the page went wrong."""
    made.step(draft, "tell", 14.3, 14.4, outcome="failed")


def own_error(part: str, kind: str = "too many open files", count: int = 1, first: str = "accept on x") -> Plant:
    """A part of ours tells of an error of its own."""

    def plant(draft: Draft) -> None:
        unaccounted(part)(draft)
        draft.note(made.END + 2.3, part, Kind.FAIL, "own-errors", counts={kind: count}, first=first)

    return plant


def unaccounted(*parts: str) -> Plant:
    """Of these parts nobody knows whether they were sound."""

    def plant(draft: Draft) -> None:
        draft.events = [event for event in draft.events if not (event[1] in parts and event[3] == "own-errors")]

    return plant
