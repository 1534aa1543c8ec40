"""The log of the days before: what a stack begins with on the relay's volume, made from its seed.

As many packed files and plain ones as housekeeping keeps, about a quarter of the volume, with lines numbered from 1
without gaps; the relay goes on after the last of them.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

from targets.brokerage.relay.housekeeping import KEPT_PACKED, KEPT_PLAIN
from targets.brokerage.relay.lines import CURRENT, Line, put_aside, written
from targets.brokerage.relay.log import HighWater
from targets.brokerage.volumes.files import PACKED

PACKED_BYTES, PLAIN_BYTES = 300_000, 200_000
"""Of each file, unpacked."""
BEFORE_S = 86_400
ASKED = ("POST /orders", "POST /orders", "POST /repayments", "GET /balances", "GET /balances", "GET /positions")


def mark(folder: Path, seed: int) -> int:
    """Note off the volume how far the numbers have come: the last of them."""
    last = max(line.seq for lines in _days(seed) for line in lines)
    high = HighWater(folder)
    high.raise_to(last)
    high.close()
    return last


def fill(folder: Path, seed: int) -> None:
    """Put the files on the volume. OSError."""
    for place, lines in enumerate(_days(seed)):
        name = put_aside(CURRENT, lines[-1].seq)
        content = b"".join(map(written, lines))
        if place < KEPT_PACKED:
            (folder / f"{name}{PACKED}").write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name).write_bytes(content)


def _days(seed: int) -> Iterator[list[Line]]:
    """The lines of each file, oldest first."""
    rng = random.Random(f"{seed}/relay-log")
    lines = _lines(rng)
    for size in (PACKED_BYTES,) * KEPT_PACKED + (PLAIN_BYTES,) * KEPT_PLAIN:
        found, taken = list[Line](), 0
        while taken < size:
            found.append(next(lines))
            taken += len(written(found[-1]))
        yield found


def _lines(rng: random.Random) -> Iterator[Line]:
    """Requests without end, one every few milliseconds, as the relay notes them."""
    sequence, t_ns = 0, -BEFORE_S * 1_000_000_000
    while True:
        sequence += 1
        t_ns += rng.randrange(5_000_000, 25_000_000)
        account, what = f"C-{rng.randrange(1, 1501):04d}", rng.choice(ASKED)
        key = f"d-{sequence}" if what.startswith("POST") else ""
        body = f"{sequence}/{rng.random()}".encode() if key else b""
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        yield Line(sequence, t_ns, account, key, what, 70 if key else 0, digest)
