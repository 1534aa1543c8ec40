"""Known outages, measured: what ``kunren probe`` reads of them, and how long a server says that it really was out.

A part plays one kind of outage at several rates at once, each against a port of its own, in random lengths from 0.2 to
10 s that begin at random phases, and adds a line for each outage to ``results.jsonl``. ``make calibrate`` plays the
parts that are still missing, and may be stopped at any time; ``--table`` prints what there is. Exit 1 where a goal is
missed, an outage was not found or was made up, or fewer were played than wanted.

``lost`` is the service that the meter read as lost, of what the server failed. Beside each meter a client asks 20 times
a second in a closed loop, one request after the other: ``closed loop`` is what it would count as lost, of what was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from scipy.stats import beta

from drills.probing.address import address
from drills.probing.meter import NS, Meter, Plan
from drills.probing.outages import Limits, Outage, lateness_p99, outages

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
RATES = (500.0, 100.0, 50.0)
CLOSED_RATE = 20.0
SHORTEST_S, LONGEST_S = 0.2, 10.0
PATIENCE_NS, SLOW_NS = 2 * NS, NS // 10
"""A stall of 0.2 s is an outage where an answer after 0.1 s is a bad one."""
SHARES = (0.1, 0.3, 0.6)
WANTED = {
    "refuse": 1_000, "stall": 1_000, "reset": 60, "error": 60, "slow": 60, "partial": 90, "flapping": 120, "lost": 60,
}  # fmt: skip
"""Outages of each kind, over all rates."""
A_PART = {"refuse": 40, "stall": 40, "flapping": 30}
USUAL_PART = 20
"""Outages of a part at one rate."""
LEAST_BETWEEN_S = {"stall": 2.2, "slow": 2.2, "lost": 2.2, "partial": 5.0}
"""Until all has been answered or given up; and until nobody takes the next one for the same."""
COUNTED = ("error", "partial", "slow", "lost")
"""Kinds of which the server knows how many requests it failed."""
COVERED, LOST_WITHIN = 0.99, 0.02


@dataclass(frozen=True, slots=True)
class Truth:
    """What a server says of one outage (ns): out from the first act on that ends service, and until the last that
    brings it back; a stall until the first answer."""

    start: int
    end: int
    failed: int

    @property
    def lasted(self) -> int:
        """How long."""
        return self.end - self.start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=WANTED, help="only these")
    parser.add_argument("--parts", type=int, default=10**6, help="at most so many parts")
    parser.add_argument("--outages", type=int, help="of a part at one rate, instead of the usual number")
    parser.add_argument("--seed", type=int, help="of the first part; drawn by default")
    parser.add_argument("--table", action="store_true", help="only print what there is")
    asked = parser.parse_args()
    played = 0
    for kind in asked.kind or WANTED:
        while not asked.table and played < asked.parts and len(_rows(kind)) < WANTED[kind]:
            seed = random.SystemRandom().randrange(10**9) if asked.seed is None else asked.seed + played
            began = time.monotonic()
            rows = play(kind, seed, asked.outages)
            with RESULTS.open("a") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
            played += 1
            print(f"{kind}: {len(rows)} outages in {time.monotonic() - began:.0f} s", flush=True)
    return 0 if table() else 1


# -- one part ---------------------------------------------------------------------------------------------------------


def play(kind: str, seed: int, number: int | None) -> list[dict[str, Any]]:
    """One part: a row for each outage that was, and for each that was found and was not."""
    rng = random.Random(seed)
    plans = [_outages(kind, rng, number or A_PART.get(kind, USUAL_PART)) for _ in RATES]
    lasts = max(sum(each["after_s"] + each["for_s"] for each in plan) for plan in plans) + 3
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"ports": plans}) + "\n")
        process.stdin.flush()
        ports = json.loads(process.stdout.readline())
        meters = [_meter(port, rate, lasts) for port, rate in zip(ports, RATES, strict=True)]
        closed = [ClosedLoop(port, CLOSED_RATE) for port in ports]
        process.stdin.write("go\n")
        process.stdin.flush()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_all(meters, closed))
        process.stdin.close()
        told = [json.loads(line) for line in process.stdout]
    finally:
        process.kill()
        process.wait()
    rows = []
    for port, rate, meter, loop in zip(ports, RATES, meters, closed, strict=True):
        truths = [
            Truth(each["start"][0], each["end"][0 if kind == "stall" else 1], each["failed"])
            for each in told
            if each["port"] == port
        ]
        late = lateness_p99(meter.taken())
        for row in compared(truths, outages(meter.taken(), Limits(SLOW_NS, meter.plan.step)), meter, loop):
            rows.append({"kind": kind, "rate": rate, "late_ms": round(late / 1e6, 3), "seed": seed, **row})
    return rows


async def _all(meters: Sequence[Meter], closed: Sequence[ClosedLoop]) -> None:
    asking = asyncio.gather(*(each.run() for each in closed))
    await asyncio.gather(*(each.run() for each in meters))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


class ClosedLoop:
    """A client that keeps its rate only as long as it is answered: each request waits for the one before."""

    def __init__(self, port: int, rate: float) -> None:
        self._port, self._step = port, 1 / rate
        self.bad: list[int] = []  # when each was sent that was not answered well in time (ns)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            sent = time.monotonic_ns()
            try:
                async with asyncio.timeout(PATIENCE_NS / NS):
                    well = await self._ask()
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                well = False
            took = time.monotonic_ns() - sent
            if not well or took > SLOW_NS:
                self.bad.append(sent)
            await asyncio.sleep(max(0.0, self._step - took / NS))

    async def _ask(self) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return b" 200 " in await reader.readuntil(b"\r\n")
        finally:
            writer.transport.abort()

    def lost_s(self, truth: Truth) -> float:
        """What it counts as lost: its bad requests, each for the distance of two."""
        return sum(truth.start - NS // 20 <= sent <= truth.end for sent in self.bad) * self._step


def _meter(port: int, rate: float, lasts: float) -> Meter:
    plan = Plan(rate, int(lasts * NS), PATIENCE_NS, connections=3_000)
    return Meter(address(f"http://127.0.0.1:{port}/"), plan, None, lambda *_: None)


def _outages(kind: str, rng: random.Random, n: int) -> list[dict[str, Any]]:
    """Lengths such that each order of magnitude is met as often; flapping is a refusal again and again."""
    plan = []
    for index in range(n):
        if kind == "flapping":
            after = rng.uniform(1.0, 1.5) if index % 5 == 0 else rng.uniform(0.2, 0.5)
            plan.append({"kind": "refuse", "after_s": after, "for_s": rng.uniform(0.2, 0.5)})
            continue
        lasts = SHORTEST_S * (LONGEST_S / SHORTEST_S) ** (rng.random() ** 2)
        least = LEAST_BETWEEN_S.get(kind, 0.6)
        after = rng.uniform(least, least + 0.4)
        plan.append({"kind": kind, "after_s": after, "for_s": lasts, "share": rng.choice(SHARES)})
    return plan


def compared(
    truths: Sequence[Truth], found: Sequence[Outage], meter: Meter, loop: ClosedLoop
) -> Iterable[dict[str, Any]]:
    """Each outage that was with what was found of it, and what was found and was not; seconds."""
    left = list(found)
    for truth in truths:
        mine = [each for each in left if _overlaps(each, truth)]
        left = [each for each in left if each not in mine]
        row: dict[str, Any] = {"was": truth.lasted / NS, "failed": truth.failed, "found": len(mine)}
        row |= {"closed": loop.lost_s(truth)}
        if mine and mine[-1].end is not None:
            low = mine[-1].end.earliest - mine[0].start.latest
            high = mine[-1].end.latest - mine[0].start.earliest
            middle = (sum(mine[-1].end) - sum(mine[0].start)) / 2
            starts = mine[0].start.earliest <= truth.start <= mine[0].start.latest
            ends = mine[-1].end.earliest <= truth.end <= mine[-1].end.latest
            row |= {"read": middle / NS, "low": low / NS, "high": high / NS, "starts": starts, "ends": ends}
            row |= {"kinds": sorted({each.kind for each in mine}), "bad": sum(each.bad for each in mine)}
        yield row
    for each in left:
        yield {"was": 0.0, "failed": 0, "found": 1, "read": each.bad * meter.plan.step / NS, "kinds": [each.kind]}


def _overlaps(outage: Outage, truth: Truth) -> bool:
    end = None if outage.end is None else outage.end.latest
    return outage.start.earliest <= truth.end + NS // 2 and (end is None or end >= truth.start)


# -- the table --------------------------------------------------------------------------------------------------------


def _rows(kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    return [row for row in rows if row["kind"] == kind]


def table() -> bool:
    """Print it; whether every goal is met."""
    print(
        "|read - was| and widths in ms; held: the share of intervals that have the truth, and its 95 % bound from below"
    )
    print(
        "kind      rate     n missed invented  median    p95    max    bias  width  held     bound  lost  closed loop"
    )
    met = True
    for kind, wanted in WANTED.items():
        rows = _rows(kind)
        if len(rows) < wanted:
            print(f"{kind}: {len(rows)} of {wanted} outages so far")
            met = False
        for rate in sorted({row["rate"] for row in rows}, reverse=True):
            met &= _line(kind, rate, [row for row in rows if row["rate"] == rate])
    return met


def _line(kind: str, rate: float, rows: Sequence[Mapping[str, Any]]) -> bool:
    were = [row for row in rows if row["was"]]
    read = [row for row in were if "read" in row]
    if not read:
        return False
    off = np.array([row["read"] - row["was"] for row in read]) * 1000
    p95 = float(np.percentile(abs(off), 95))
    width = statistics.median(row["high"] - row["low"] for row in read) * 1000
    held = sum(row["low"] <= row["was"] <= row["high"] for row in read)
    bound = float(beta.ppf(0.05, held, len(read) - held + 1)) if held else 0.0
    failed = sum(row["failed"] for row in read)
    lost = f"{sum(row['bad'] for row in read) / failed:.3f}" if kind in COUNTED and failed else "    -"
    invented = len(rows) - len(were)
    closed = sum(row["closed"] for row in were) / sum(row["was"] for row in were)
    print(
        f"{kind:9} {rate:4.0f} {len(were):5} {len(were) - len(read):6} {invented:8} {np.median(abs(off)):7.2f}"
        f" {p95:6.2f} {abs(off).max():6.1f} {off.mean():7.2f} {width:6.1f}"
        f"  {held / len(read):6.1%}  {bound:6.1%}  {lost}  {closed:.2f}"
    )
    fine = len(read) == len(were) and not invented and held / len(read) >= COVERED and width <= max(10.0, 5_000 / rate)
    if kind == "partial" and failed:
        fine &= abs(sum(row["bad"] for row in read) / failed - 1) <= LOST_WITHIN
    if kind in ("refuse", "stall"):
        fine &= p95 <= (5.0 if rate >= 500 else 1_500 / rate)
    return fine


if __name__ == "__main__":
    sys.exit(main())
