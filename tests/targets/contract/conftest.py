"""One system of each runtime that this machine can have, up for all tests of the contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from targets.registry import RUNTIMES, runtime
from targets.runtime import Request, Runtime
from targets.target import Startable


@dataclass(frozen=True, slots=True)
class Up:
    """A running system and what made it."""

    way: Runtime
    target: Startable


def way_or_skip(name: str) -> Runtime:
    """The runtime, where this machine has all it takes; in CI what is missing is a failure."""
    way = runtime(name)
    lacks = way.lacking("auto")
    if lacks:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name}: {'; '.join(lacks)}")
    return way


def wanted(way: Runtime, logs: Path, seed: int = 7) -> Request:
    return Request("contract", seed, "D3", None, way.compression, logs)


@pytest.fixture(scope="session", params=list(RUNTIMES))
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    way = way_or_skip(request.param)
    with way.make(wanted(way, tmp_path_factory.mktemp("logs"))) as target:
        yield Up(way, target)


class Ways(dict[str, Runtime]):
    """Runtimes by name, looked for when first asked for."""

    def __missing__(self, name: str) -> Runtime:
        self[name] = way_or_skip(name)
        return self[name]


@pytest.fixture
def ways() -> dict[str, Runtime]:
    return Ways()
