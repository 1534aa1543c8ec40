"""When customers come, and which: pure and seeded, so that every arm of a drill sees the same arrivals.

Arrivals of each service are a Poisson process of its own. They depend on the seed and the service alone: a longer
duration only appends, and a change to one service leaves the others as they were. The exception is wanted: an inquiry
that follows a trade names a customer of the orders' schedule.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loadprofiles.profiles import Profile

NS = 1_000_000_000
CHOICES = 3
"""Customers named per arrival, in order of preference: the first who is idle comes."""
_BLOCK = 1024  # drawn at a time, so that a longer duration draws the same numbers first

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The schedule, sorted by time: columns of length n.

    ``offset`` ns after t0; ``service`` indexes the profile's services; ``customer`` is (n, CHOICES) of indexes.
    """

    offset: Ints
    service: npt.NDArray[np.uint8]
    customer: Ints

    def __len__(self) -> int:
        return len(self.offset)


def schedule(profile: Profile, seed: int, duration_s: float) -> Arrivals:
    """All arrivals of ``profile`` within ``duration_s`` of t0. ValueError where the seed is negative."""
    offsets = {name: _poisson(rate, duration_s, _rng(seed, name, "when")) for name, rate in profile.services.items()}
    customers = {name: _uniform(len(at), profile.customers, _rng(seed, name, "who")) for name, at in offsets.items()}
    if "inquiry" in offsets and "orders" in offsets:
        customers["inquiry"] = _following(profile, seed, offsets, customers)
    merged = np.concatenate(list(offsets.values()))
    service = np.concatenate([np.full(len(at), i, np.uint8) for i, at in enumerate(offsets.values())])
    order = np.argsort(merged, kind="stable")
    return Arrivals(merged[order], service[order], np.concatenate(list(customers.values()))[order])


def _rng(seed: int, service: str, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(f"{service}/{purpose}".encode())])


def _poisson(rate: float, duration_s: float, rng: np.random.Generator) -> Ints:
    """Instants in ns of a Poisson process within the duration."""
    end = round(duration_s * NS)
    at = np.empty(0, np.int64)
    while not len(at) or at[-1] < end:
        gaps = np.rint(rng.exponential(NS / rate, _BLOCK)).astype(np.int64)
        at = np.concatenate([at, (at[-1] if len(at) else 0) + np.cumsum(gaps)])
    return at[at < end]


def _blocks(n: int, columns: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(n, columns) uniform numbers in [0, 1), the same first rows whatever n is."""
    blocks = [rng.random((_BLOCK, columns)) for _ in range(n // _BLOCK + 1)]
    return np.concatenate(blocks)[:n]


def _uniform(n: int, customers: int, rng: np.random.Generator) -> Ints:
    return (_blocks(n, CHOICES, rng) * customers).astype(np.int64)


def _following(profile: Profile, seed: int, offsets: dict[str, Ints], customers: dict[str, Ints]) -> Ints:
    """Customers of inquiries, a share of them replaced by customers of recent order arrivals."""
    at, orders = offsets["inquiry"], offsets["orders"]
    draws = _blocks(len(at), CHOICES + 1, _rng(seed, "inquiry", "follows"))
    first = np.searchsorted(orders, at - round(profile.behaviour.recent_s * NS))
    recent = np.searchsorted(orders, at) - first
    follows = (draws[:, 0] < profile.behaviour.follow) & (recent > 0)
    picks = first[:, None] + (draws[:, 1:] * recent[:, None]).astype(np.int64)
    chosen = customers["inquiry"].copy()
    chosen[follows] = customers["orders"][picks[follows], 0]
    return chosen
