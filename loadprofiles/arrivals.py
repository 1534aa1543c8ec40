"""When customers come, and which: pure and seeded, so that every arm of a drill sees the same arrivals.

Arrivals of each service are a Poisson process of its own. They depend on the seed and the service alone: a longer
duration only appends, and a change to one service leaves the others as they were. The exception is wanted: an inquiry
that follows a trade names a customer of the orders' schedule.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loadprofiles.profiles import Hot, Profile

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

    def rows(self) -> Iterator[tuple[int, int, list[int]]]:
        """Offset, service and customers of each arrival, in order."""
        return zip(self.offset.tolist(), self.service.tolist(), self.customer.tolist(), strict=True)


def schedule(
    profile: Profile, seed: int, duration_s: float, only: Mapping[str, Sequence[int]] | None = None
) -> Arrivals:
    """All arrivals of ``profile`` within ``duration_s`` of t0. ValueError where the seed is negative.

    ``only``: service -> indexes of the customers who come for it, sorted; those of any other service may be anybody.
    """
    offsets = {name: _poisson(rate, duration_s, _rng(seed, name, "when")) for name, rate in profile.services.items()}
    everybody = np.arange(profile.customers)
    pools = {name: np.asarray(only[name], np.int64) if only and only.get(name) else everybody for name in offsets}
    customers = {name: _customers(profile, pools[name], len(at), seed, name) for name, at in offsets.items()}
    if "inquiry" in offsets and "orders" in offsets and not profile.urls:
        customers["inquiry"] = _following(profile, seed, offsets, customers)
    merged = np.concatenate(list(offsets.values()))
    service = np.concatenate([np.full(len(at), i, np.uint8) for i, at in enumerate(offsets.values())])
    order = np.argsort(merged, kind="stable")
    return Arrivals(merged[order], service[order], np.concatenate(list(customers.values()))[order])


def additional(
    profile: Profile, seed: int, service: str, per_s: float, duration_s: float, name: str, only: Sequence[int] = ()
) -> Arrivals:
    """Arrivals of one service beside those of ``schedule``: a Poisson process of their own, by seed and ``name``.

    Its offsets count from its own start, so the same seed gives the same ones whenever that is.
    """
    at = _poisson(per_s, duration_s, _rng(seed, service, f"{name}/when"))
    pool = np.asarray(only, np.int64) if len(only) else np.arange(profile.customers)
    who = (_blocks(len(at), CHOICES, _rng(seed, service, f"{name}/who")) * len(pool)).astype(np.int64)
    return Arrivals(at, np.full(len(at), tuple(profile.services).index(service), np.uint8), pool[who])


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


def _customers(profile: Profile, pool: Ints, n: int, seed: int, service: str) -> Ints:
    """(n, CHOICES) customers of the pool, a share of the rows from the few who are hot."""
    chosen = pool[(_blocks(n, CHOICES, _rng(seed, service, "who")) * len(pool)).astype(np.int64)]
    few = _few(profile.hot, pool)
    if profile.hot is None or not len(few):
        return chosen
    draws = _blocks(n, CHOICES + 1, _rng(seed, service, "hot"))
    hot = draws[:, 0] < profile.hot.share
    chosen[hot] = few[(draws[hot, 1:] * len(few)).astype(np.int64)]
    return chosen


def _few(hot: Hot | None, pool: Ints) -> Ints:
    return pool[:0] if hot is None else pool[(pool >= hot.first) & (pool < hot.end)]


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
