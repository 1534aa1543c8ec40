"""Services played through an outage of known start and end: what a load that measures it would have written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from drills.judge import outage
from drills.record.history import NS

MS = 1_000_000
TAU = NS
TIMEOUT = 2 * NS
Kind = Literal["refused", "stall", "timeout"]


@dataclass(frozen=True)
class Play:
    """A service as it was measured, and the truth in ns."""

    service: outage.ServiceSamples
    start: int
    end: int


def play(
    seed: int, kind: Kind, rate: float, length: float, poisson: bool = False, before: float = 4, after: float = 6
) -> Play:
    """Arrivals with up to 1 ms of lateness in sending and 0.5 to 2 ms for an answer; down from ``before`` on."""
    rng = np.random.default_rng(seed)
    start = round((before + rng.random()) * NS)
    end = start + round(length * NS)
    intended = _arrivals(rng, rate, end + round(after * NS), poisson)
    sent = intended + rng.integers(0, MS, len(intended))
    done = sent + rng.integers(MS // 2, 2 * MS, len(intended))
    bad = np.zeros(len(intended), np.bool_)
    if kind == "refused":  # decided when it arrives
        bad = (sent >= start) & (sent < end)
    else:  # what would be answered during the outage is not answered before its end, or never
        stuck = (done >= start) & (sent < end)
        done = np.where(stuck, end + rng.integers(0, 2 * MS, len(intended)), done)
        if kind == "timeout":
            bad, done = stuck, np.where(stuck, sent + TIMEOUT, done)
    bad |= done - intended > TAU
    none = np.zeros(len(intended), np.bool_)
    window = max(outage.WINDOW, round(outage.WINDOW_REQUESTS * NS / rate))
    degraded = outage.degraded(intended, bad, window)
    return Play(outage.ServiceSamples("x", rate, intended, sent, done, bad, none, degraded), start, end)


def _arrivals(rng: np.random.Generator, rate: float, until: int, poisson: bool) -> npt.NDArray[np.int64]:
    spacing = NS / rate
    if not poisson:
        return np.arange(int(rng.integers(0, round(spacing))), until, round(spacing), dtype=np.int64)
    gaps = rng.exponential(spacing, round(until / spacing * 1.5) + 20)
    times = np.cumsum(gaps).astype(np.int64)
    return times[times < until]
