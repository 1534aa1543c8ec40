"""When the night's work will be done, at the pace seen lately: pure arithmetic."""

from __future__ import annotations

from targets.brokerage.batch.jobs import JOBS
from targets.brokerage.batch.marking import JOB as MARK
from targets.brokerage.batch.marking import Progress
from targets.brokerage.config import BatchConfig

SHORT_JOB_S = 0.1
BLOCK_S = 0.03
"""What a short job and a block of lots usually take."""


def remaining_s(
    states: dict[str, str], progress: Progress, seconds_a_lot: float | None, config: BatchConfig
) -> float | None:
    """Seconds until all jobs are done; None while the pace is not known."""
    left = [job for job in JOBS if states.get(job) != "done"]
    short = SHORT_JOB_S * len([job for job in left if job != MARK])
    if MARK not in left:
        return short
    if seconds_a_lot is None:
        return None
    apart = sum(-(-lots // config.block) for lots in progress.apart.values())
    pauses = (progress.total - progress.done) / config.chunk * config.pause_s
    return short + (progress.lots - progress.lots_done) * seconds_a_lot + apart * BLOCK_S + pauses
