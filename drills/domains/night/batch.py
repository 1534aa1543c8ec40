"""What the target says its night batch has done, held against the list of jobs that must run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from drills.domains.night.calendar import Night
from drills.domains.night.rows import BatchJob
from drills.judge.timeline import observed_until
from drills.record.history import History

SUCCEEDED = "done"
"""The state of an attempt that did its work."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a job, with its place in the target's book."""

    index: int
    row: BatchJob


def attempts(history: History) -> dict[str, list[Attempt]]:
    """Job -> all attempts at it, by their start."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    for index, row in enumerate(history.books["oms"]):
        if isinstance(row, BatchJob):
            found[row.job].append(Attempt(index, row))
    return {job: sorted(mine, key=lambda one: (one.row.started_ns, one.index)) for job, mine in found.items()}


def successes(history: History) -> dict[str, list[Attempt]]:
    """Job -> the attempts that did its work before the end of the observation, by their start.

    One that ended before it began, or has no end, did nothing, whatever its state says.
    """
    end = observed_until(history)
    return {
        job: [one for one in mine if one.row.state == SUCCEEDED and one.row.started_ns <= one.row.ended_ns <= end]
        for job, mine in attempts(history).items()
    }


def undone(history: History, night: Night) -> list[str]:
    """The jobs that must run and were not done by the end of the observation, in their order."""
    done = successes(history)
    return [job for job in night.jobs if not done.get(job)]


def claims_done(history: History, night: Night | None) -> bool:
    """Whether the target says that all the night's work was done by the end of the observation."""
    return night is not None and bool(night.jobs) and not undone(history, night)
