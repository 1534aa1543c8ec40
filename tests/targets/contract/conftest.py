"""One system of each sort that this machine can have, up for all tests of the contract.

A test says with ``needs`` which parts of the offer it is about. It is skipped, and says so, for a system that does not
offer them: by the system's own offer, never by its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drills.spec.target import system
from targets.runtime import Request, Runtime
from targets.target import Startable

from .systems import SYSTEMS, System, unsupported


@dataclass(frozen=True, slots=True)
class Up:
    """A running system, what made it, and what only it knows."""

    way: Runtime
    target: Startable
    facts: System


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("of")
        metafunc.parametrize("name", only.args if only else list(SYSTEMS), scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before anything of it is started."""
    parts = tuple(part for mark in item.iter_markers("needs") for part in mark.args)
    if parts:
        assert isinstance(item, pytest.Function)
        capabilities = system(SYSTEMS[item.callspec.params["name"]].way).capabilities()
        lacks = unsupported(capabilities, parts)
        if lacks:
            pytest.skip(f"not offered: {', '.join(lacks)}")


def way_or_skip(name: str) -> Runtime:
    """The runtime, where this machine has all it takes; in CI what is missing is a failure."""
    way = system(SYSTEMS[name].way)
    lacks = way.lacking("auto")
    if lacks:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name}: {'; '.join(lacks)}")
    return way


def wanted(way: Runtime, logs: Path, seed: int = 7) -> Request:
    return Request("contract", seed, "D3", None, way.compression, logs)


@pytest.fixture(scope="session")
def up(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    way = way_or_skip(name)
    with way.make(wanted(way, tmp_path_factory.mktemp("logs"))) as target:
        yield Up(way, target, SYSTEMS[name])


class Ways(dict[str, Runtime]):
    """Runtimes by name, looked for when first asked for."""

    def __missing__(self, name: str) -> Runtime:
        self[name] = way_or_skip(name)
        return self[name]


@pytest.fixture(scope="session")
def ways() -> dict[str, Runtime]:
    return Ways()


@pytest.fixture
def way(name: str, ways: dict[str, Runtime]) -> Runtime:
    return ways[name]
