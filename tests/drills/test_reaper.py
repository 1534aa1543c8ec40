"""What the reaper does when its pipe closes, with a stack folder in which nothing runs."""

from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from drills.execution import reaper
from drills.execution.heal import heal, residuals
from targets.ownership import OWNER_LOCK
from targets.registry import cleanup
from targets.target import Intent, Startable, TargetError


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "stacks" / "a-stack"
    folder.mkdir(parents=True)
    (folder / OWNER_LOCK).touch()
    return folder


@pytest.fixture
def run(tmp_path: Path, stack: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "rollback.jsonl").write_text(
        json.dumps({"what": "target", "intent": {"target": "local", "stack": str(stack)}}) + "\n"
    )
    return folder


@pytest.fixture
def lifeline() -> Iterator[int]:
    read, write = os.pipe()
    yield write
    os.close(read)


def reap(monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int, heard: bytes) -> None:
    monkeypatch.setattr(sys, "argv", ["reaper", str(run), "local", str(stack), str(lifeline)])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(heard)))
    before = {number: signal.getsignal(number) for number in reaper.ENDING}
    try:
        reaper.main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_it_leaves_when_all_is_well(monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int) -> None:
    reap(monkeypatch, run, stack, lifeline, b"well\n")
    assert stack.is_dir()
    assert not list(run.glob("heal-*.json"))
    os.close(lifeline)


def test_it_heals_when_nobody_says_so(monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int) -> None:
    reap(monkeypatch, run, stack, lifeline, b"")
    assert not stack.exists()
    assert len(list(run.glob("heal-*.json"))) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lifeline)


def test_it_waits_for_the_lock_of_a_harness_that_is_still_dying(
    monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int
) -> None:
    waited = []
    with (stack / OWNER_LOCK).open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)

        def die_meanwhile(_: float) -> None:
            waited.append(stack.is_dir())
            owner.close()

        monkeypatch.setattr("drills.execution.reaper.time.sleep", die_meanwhile)
        reap(monkeypatch, run, stack, lifeline, b"")
    assert waited == [True]
    assert not stack.exists()
    assert len(list(run.glob("heal-*.json"))) == 1


def test_a_stack_whose_owner_lives_on_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int
) -> None:
    monkeypatch.setattr(reaper, "DEATH_WITHIN_S", 0.0)
    with (stack / OWNER_LOCK).open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        reap(monkeypatch, run, stack, lifeline, b"")
    assert stack.is_dir()
    assert not list(run.glob("heal-*.json"))


def test_another_runtimes_trouble_does_not_keep_it_from_healing(
    monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path, lifeline: int
) -> None:
    def trouble() -> list[Intent]:
        raise PermissionError("a folder of somebody else")

    monkeypatch.setattr(cleanup("compose"), "abandoned", trouble)
    reap(monkeypatch, run, stack, lifeline, b"")
    assert not stack.exists()


class Unstoppable:
    """A target with a folder that nobody owns; ``__exit__`` fails."""

    def __init__(self, stack: Path) -> None:
        self.stack = stack

    def intent(self) -> Intent:
        return Intent("local", str(self.stack))

    def lifelines(self) -> tuple[int, ...]:
        return ()

    def unguarded(self) -> tuple[str, ...]:
        return ()

    def __enter__(self) -> Unstoppable:
        return self

    def __exit__(self, *exc: object) -> None:
        raise TargetError("it would not stop")


def test_a_target_that_could_not_be_stopped_is_left_to_the_reaper(run: Path, stack: Path) -> None:
    (run / "logs").mkdir()
    target = cast(Startable, Unstoppable(stack))
    with pytest.raises(TargetError, match="would not stop"), reaper.guarded(run, lambda line: None, target), target:
        pass
    assert not stack.exists()
    assert len(list(run.glob("heal-*.json"))) == 1


def test_what_cannot_be_ended_is_told_and_the_others_are_healed(
    monkeypatch: pytest.MonkeyPatch, run: Path, stack: Path
) -> None:
    def end(intent: Intent) -> Iterator[str]:
        yield "removed the one half"
        raise TargetError("the engine is away")

    monkeypatch.setattr(cleanup("local"), "end", end)
    (left,) = residuals(None, (run,))
    done = heal(left)
    assert not done.ended
    assert done.said == ("removed the one half", "a-stack could not be ended: the engine is away")
    (report,) = run.glob("heal-*.json")
    assert json.loads(report.read_text())["said"] == list(done.said)
