"""A signal that is raised in the very step of a task: passed on, and nothing printed of the task's own end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from drills.execution.runner import result_or_error
from drills.interrupts import Terminated, first_signal_raises


async def _hit() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):  # the handler is called between two instructions
        pass


async def _in_the_main_task() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(20))
        await asyncio.sleep(0)
        await _hit()


async def _in_another() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(20))
        tasks.create_task(_hit())


@pytest.fixture(autouse=True)
def _handled_as_before() -> Iterator[None]:
    """After the first signal all others are ignored, by whatever this process starts as well."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("watching", [_in_the_main_task, _in_another])
def test_it_ends_the_loop_and_only_that(watching: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert _ended_by(result_or_error(watching()))
    gc.collect()
    assert [each.message for each in caplog.records if each.name == "asyncio"] == []


def _ended_by(watching: Coroutine[Any, Any, Any]) -> bool:
    with first_signal_raises():
        try:
            found = asyncio.run(watching)
        except Terminated:
            return True
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        return isinstance(found, Terminated)
