"""What a condition is that can be planted in the brokerage's data, as the world outside brings it about.

A condition is a frozen record whose fields are its parameters in a drill file, and three verbs. Each lies in a file of
its own beside the component whose data it is in; ``targets.brokerage.plant`` registers it. What several of them need to
get at the data stands here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import psycopg

from targets import http_sync
from targets.brokerage.config import Config
from targets.brokerage.direct import connect
from targets.brokerage.postgres import dsn
from targets.target import ConditionState, ProbeResult


class Condition(Protocol):
    """One condition. Each verb may raise psycopg.Error and OSError."""

    NAME: ClassVar[str]
    """As a drill file calls it."""

    def plant(self, config: Config) -> ProbeResult:
        """Put it into the data; ValueError where that cannot be."""

    def look(self, config: Config, *, wait: bool) -> ConditionState:
        """Whether it is there and felt now; with ``wait``, as long as its effect may take to show."""

    def unplant(self, config: Config) -> ProbeResult:
        """Take it out again, with all it has led to that can be taken back; idempotent.

        It may be carried out by another process than planted it: all it goes by are its own fields and the data.
        """


def connected(config: Config) -> psycopg.Connection[Any]:
    """A connection straight to the database, each statement a transaction of its own, with time-outs."""
    return connect(
        dsn(config.ports["postgres"]), connect_timeout=3, autocommit=True, options="-c statement_timeout=20000"
    )


def number(connection: psycopg.Connection[Any], query: str, values: Sequence[Any]) -> int:
    """The first value of the first row; 0 where there is none."""
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0]) if row else 0


def asked(
    config: Config, port: str, path: str, body: Mapping[str, Any], within_s: float, method: str = "POST"
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of what the service at ``port`` answers an operator; OSError where it does not answer."""
    headers = {"X-Ops-Token": config.token, "Content-Type": "application/json"}
    try:
        reply = http_sync.ask(config.at(port), method, path, within_s, body=json.dumps(body).encode(), headers=headers)
        said: dict[str, Any] = json.loads(reply.body)
    except (http_sync.NoReply, ValueError) as error:
        raise OSError(f"{port} does not answer {method} {path}: {error}") from error
    return reply.status, said
