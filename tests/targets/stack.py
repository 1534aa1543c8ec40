from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from targets.brokerage.config import ClockConfig, Config
from targets.brokerage.topology import TOPOLOGY

SEED = 11
CUSTOMERS = 20


Says = Callable[[dict[str, Any]], Any]


class Peer:
    """Whom a service asks over HTTP: answers or raises what ``says`` makes of the body, and remembers it."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[dict[str, Any]] = []

    async def ask(self, method: str, path: str, body: dict[str, Any], within_s: float) -> tuple[int, Any]:
        self.asked.append(body)
        said = self.says(body)
        if isinstance(said, Exception):
            raise said
        return said


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
    """With the numbers that are given; 0 for the other ports and links."""
    unused = TOPOLOGY.numbered([0] * TOPOLOGY.block)
    numbers = unused[0] | ports, unused[1] | via
    TOPOLOGY.check_numbers(*numbers)
    return Config(
        stack="test",
        token=os.urandom(8).hex(),
        seed=SEED,
        folder=str(folder),
        logs=str(folder),
        ports=numbers[0],
        via=numbers[1],
        clock=ClockConfig(anchor_ns=0, business="2026-11-02T09:05:00+09:00"),
    )
