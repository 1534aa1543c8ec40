from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from targets.brokerage.config import ClockConfig, Config, Ports, Via

SEED = 11
CUSTOMERS = 20


@dataclass(frozen=True)
class Database:
    port: int
    dsn: str
    world: list[dict[str, Any]]

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []


def make_config(folder: Path, ports: dict[str, int], via: dict[str, int]) -> Config:
    unused = dict.fromkeys(Ports.__struct_fields__, 0) | ports
    return Config(
        stack="test",
        token=os.urandom(8).hex(),
        seed=SEED,
        folder=str(folder),
        logs=str(folder),
        ports=Ports(**unused),
        via=Via(**(dict.fromkeys(Via.__struct_fields__, 0) | via)),
        clock=ClockConfig(anchor_ns=0, business="2026-11-02T09:05:00+09:00"),
    )
