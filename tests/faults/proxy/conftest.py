"""The embedded server and the real one, started once for all comparisons."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from targets.ports import BLOCK, claim_block

from ..conftest import ProxyProcess
from .engines import Engine
from .original import OriginalServer, program_or_skip


@pytest.fixture(scope="session")
def original_program() -> Path:
    return program_or_skip()


@pytest.fixture(scope="session")
def start_original(
    original_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], OriginalServer]]:
    """``start_original()``: a real server of one's own, for what leaves it hanging or dead."""
    started: list[OriginalServer] = []

    def start() -> OriginalServer:
        started.append(OriginalServer(original_program, tmp_path_factory.mktemp("original") / "log"))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture(scope="session")
def original(start_original: Callable[[], OriginalServer]) -> Engine:
    return Engine("original", start_original().port)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    process = ProxyProcess(tmp_path_factory.mktemp("embedded"))
    yield Engine("embedded", process.port)
    assert process.end() == 0
    assert "Traceback" not in process.said()


@pytest.fixture(scope="session")
def engines(original: Engine, embedded: Engine) -> tuple[Engine, Engine]:
    return original, embedded


@pytest.fixture(scope="session")
def ports() -> Iterator[Callable[[], dict[str, int]]]:
    """``ports()``: P1 and P2, which nobody else takes, and TAKEN, where somebody listens."""
    block = claim_block(BLOCK)
    free = iter(block.ports)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield lambda: {"P1": next(free), "P2": next(free), "TAKEN": int(taken.getsockname()[1])}
    block.release()
