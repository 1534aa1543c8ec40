"""What the tests of the load share: a small world, quick customers, and a run against the fake brokerage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from load_fake import FakeBrokerage

from drills.domains.registry import DOMAINS
from loadprofiles.process import Load
from loadprofiles.profiles import Behaviour, Patience, Profile
from loadprofiles.samples import SAMPLE, OutcomeCode

HASTY = Behaviour(retype_after_s=(0.02, 0.05), look_after_s=(0.05, 0.1))
SMALL = Profile("small", {"orders": 40.0, "inquiry": 40.0}, 60, HASTY, Patience(connect_s=1.0, total_s=1.0))


def write_world(folder: Path, customers: int = 60, cash: int = 5_000_000, loan: int = 0) -> Path:
    rows: list[dict[str, Any]] = []
    for n in range(1, customers + 1):
        account = f"C-{n:04}"
        rows.append({"kind": "account", "t_ns": 0, "id": account, "account": account, "cash": cash})
        rows.append(
            {
                "kind": "holding", "t_ns": 0, "id": f"{account}/1301", "account": account,
                "code": "1301", "quantity": 300,
            }
        )  # fmt: skip
        if loan and n % 2:  # half of them owe something
            rows.append({"kind": "loan", "t_ns": 0, "id": account, "account": account, "principal": loan})
    for code, base in (("1301", 1000), ("7203", 2500)):
        rows.append(
            {"kind": "price", "t_ns": 0, "id": code, "base": base, "tick": 5, "low": base - 10, "high": base + 300}
        )
    folder.mkdir(exist_ok=True)
    path = folder / "world.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def with_habits(profile: Profile, **habits: Any) -> Profile:
    return replace(profile, behaviour=replace(profile.behaviour, **habits))


@dataclass
class Ran:
    samples: npt.NDArray[Any]
    rows: list[Any]
    summary: dict[str, Any]
    t0: int

    def of(self, kind: type) -> list[Any]:
        return [row for row in self.rows if isinstance(row, kind)]

    def outcomes(self, name: int | None = None) -> list[OutcomeCode]:
        chosen = self.samples if name is None else self.samples[self.samples["name"] == name]
        return [OutcomeCode(int(code)) for code in chosen["outcome"]]


def read_journal(folder: Path) -> list[Any]:
    lines = (folder / "customers.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=DOMAINS.books["customers"]) for line in lines]


def make_load(
    folder: Path, profile: Profile = SMALL, seed: int = 7, max_s: float = 30.0, world: Path | None = None
) -> Load:
    world = world or write_world(folder, profile.customers)
    return Load(profile, folder, seed=seed, world=world, password=lambda each: f"secret-{each}", max_s=max_s)


def run(
    folder: Path,
    fake: FakeBrokerage,
    profile: Profile = SMALL,
    arrivals: int = 60,
    meanwhile: Callable[[Load], None] = lambda load: None,
    seed: int = 7,
    world: Path | None = None,
) -> Ran:
    """Run until that many samples have come in, then stop."""
    collected = [np.empty(0, SAMPLE)]
    with make_load(folder, profile, seed, world=world) as load:
        load.start()
        load.prepare(fake.url, within_s=60)
        t0 = time.monotonic_ns() + 100_000_000
        load.go(t0)
        meanwhile(load)
        wait_for(lambda: collected.append(load.tail()) or sum(map(len, collected)) >= arrivals)
        summary = load.stop(within_s=30)
        collected.append(load.tail())
    return Ran(np.concatenate(collected), read_journal(folder), summary, t0)


def wait_for(condition: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
