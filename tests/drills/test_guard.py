"""The safety devices: each is confirmed before anything is started, and one that is lost ends what goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from drills.errors import Refused
from drills.execution import guard, reaper
from drills.execution.guard import Unguarded, watched
from drills.execution.injector import Injector
from drills.interrupts import signals_held
from drills.record.folder import StoreError
from targets.target import Intent, Startable

GUARD_S = 30.0
"""No expectation: a test that would wait for ever fails then."""


class Stub:
    """A target of which nothing is there; ``gone`` is what it has lost."""

    def __init__(self, gone: tuple[str, ...] = (), target: str = "local") -> None:
        self.gone = gone
        self.target = target
        self.said: list[str] = []

    def intent(self) -> Intent:
        return Intent(self.target, "/no/such/stack")

    def lifelines(self) -> tuple[int, ...]:
        return ()

    def unguarded(self) -> tuple[str, ...]:
        return self.gone

    def __enter__(self) -> Stub:
        self.said.append("started")
        return self

    def __exit__(self, *exc: object) -> None:
        self.said.append("stopped")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "logs").mkdir()
    return tmp_path


@contextlib.contextmanager
def guarded(folder: Path, stub: Stub) -> Iterator[None]:
    with reaper.guarded(folder, lambda line: None, cast(Startable, stub)):
        yield


def reapers() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [each for each in found if "/no/such/stack" in each.cmdline()]


def for_ever() -> None:
    """What waits in the main thread, until something interrupts it."""
    assert threading.Event().wait(GUARD_S)


def test_a_reaper_that_dies_at_its_start_lets_nothing_start(folder: Path) -> None:
    stub = Stub(target="nobody's")
    says = r"^the reaper, .*, died at its start, so nothing was started; its log ends: .*UnknownTarget: nobody's \(see "
    with pytest.raises(Refused, match=says), guarded(folder, stub), stub:
        pass
    assert stub.said == []
    assert reapers() == []


def test_a_reaper_that_does_not_begin_lets_nothing_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    monkeypatch.setattr(reaper, "STANDS_WITHIN_S", 0.0)
    with pytest.raises(Refused, match="did not begin within 0 s, so nothing was started"), guarded(folder, stub), stub:
        pass
    assert stub.said == []
    assert reapers() == []


def test_it_stands_before_anything_starts_and_leaves_with_it(folder: Path) -> None:
    stub = Stub()
    with guarded(folder, stub), stub:
        assert len(reapers()) == 1
    assert reapers() == []
    assert (stub.said, (folder / "logs" / "reaper.log").read_text()) == (["started", "stopped"], "")


def test_its_death_ends_what_goes_on(folder: Path) -> None:
    stub = Stub()

    def goes_on() -> None:
        with guarded(folder, stub), stub:
            reapers()[0].kill()
            for_ever()

    with pytest.raises(Unguarded, match=r"^the reaper, .*, has died$"):
        goes_on()
    assert stub.said == ["started", "stopped"]


def test_what_a_target_has_lost_ends_what_goes_on(folder: Path) -> None:
    stub = Stub()

    def goes_on() -> None:
        with guarded(folder, stub), stub:
            stub.gone = ("the lock is gone", "the launcher has died")
            for_ever()

    with pytest.raises(Unguarded, match=r"^the lock is gone; the launcher has died$"):
        goes_on()
    assert stub.said == ["started", "stopped"]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Who is alive holds its second end."""
    ends = os.pipe()
    yield ends
    for each in ends:
        with contextlib.suppress(OSError):
            os.close(each)


def test_a_look_that_fails_is_a_loss(pipe: tuple[int, int]) -> None:
    def look() -> tuple[str, ...]:
        raise OSError("no more files")

    says = "cannot be looked at any more: OSError: no more files"
    with pytest.raises(Unguarded, match=says), watched(pipe[0], "nobody", look):
        for_ever()


def test_a_loss_waits_while_signals_are_held(pipe: tuple[int, int]) -> None:
    said: list[str] = []

    def goes_on() -> None:
        with watched(pipe[0], "it has died", tuple):
            with signals_held():
                os.close(pipe[1])
                for watch in threading.enumerate():
                    if watch.name.startswith("watch"):
                        watch.join(GUARD_S)
                said.append("undone")
            said.append("never")

    with pytest.raises(Unguarded, match=r"^it has died$"):
        goes_on()
    assert said == ["undone"]


def test_one_signal_too_many_is_no_loss(pipe: tuple[int, int]) -> None:
    before = signal.getsignal(guard.DEVICE_LOST)
    with watched(pipe[0], "it has died", tuple):
        os.kill(os.getpid(), guard.DEVICE_LOST)
    assert signal.getsignal(guard.DEVICE_LOST) == before


def test_one_fault_that_cannot_be_undone_keeps_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    undone: list[int] = []

    def undo(_: Injector, index: int) -> None:
        undone.append(index)
        if index == 0:
            raise StoreError("no space left")

    monkeypatch.setattr(Injector, "rollback", undo)
    plan = SimpleNamespace(injects=True, faults=[SimpleNamespace(index=index) for index in range(3)])
    injector = Injector(plan, None, None, None)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="no space left"):
        injector.rollback_all()
    assert undone == [0, 1, 2]


def test_a_reaper_leaves_with_the_harness_and_not_before(folder: Path) -> None:
    """Whoever sends these to all of us, as a service manager does, means the harness."""
    with guarded(folder, Stub()):
        (process,) = reapers()
        (line,) = [each for each in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "SigIgn" in each]
        ignored = int(line.split()[1], 16)
        assert [number for number in reaper.ENDING if not ignored >> number - 1 & 1] == []
    assert not process.is_running()
