from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from targets.brokerage import postgres
from targets.brokerage.world import create_schema, load_world, make_world
from targets.cache import cache_folder

from .ports import free_ports
from .stack import CUSTOMERS, SEED, Database


@pytest.fixture(scope="session")
def postgres_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    data = tmp_path_factory.mktemp("postgres") / "data"
    postgres.make_cluster(cache_folder(), data)
    (port,) = free_ports(1)
    with (data.parent / "log").open("wb") as log:
        server = subprocess.Popen(postgres.argv(data, port), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait(port, data.parent / "log")
        yield port
    finally:
        server.send_signal(2)
        server.wait(10)


def _wait(port: int, log: Path) -> None:
    for _ in range(1_000):
        try:
            psycopg.connect(postgres.dsn(port)).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"PostgreSQL did not start: {log.read_text()}")


@pytest.fixture
def database(postgres_port: int) -> Database:
    dsn = postgres.dsn(postgres_port)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    create_schema(dsn)
    world = make_world(SEED, CUSTOMERS)
    load_world(dsn, world)
    return Database(postgres_port, dsn, world)
