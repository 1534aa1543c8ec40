"""A harness that cannot go on ends the run in order: stopped, sealed, invalid, the error named; never exit 70."""

from __future__ import annotations

import errno
import json
import os
import resource
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from drills import api
from drills.commands.execution import exit_code
from drills.execution import instrument, runner
from drills.execution.instrument import Instrument
from drills.judge.scorecard import Scorecard
from drills.record import journal
from drills.record.arm import Arm
from drills.record.folder import StoreError
from drills.record.history import Kind
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from loadprofiles.process import GeneratorDied, LoadError
from loadprofiles.samples import SAMPLE
from targets.registry import RUNTIMES
from targets.runtime import Request
from targets.target import Alert, OwnPart, ProbeResult, TargetError

from .test_seam import Strange, Way
from .words import said as said_of

Trouble = Callable[[], object]


class Quiet:
    """Proxies that do as they are told."""

    def reset(self) -> None:
        pass


@dataclass
class Willing(Strange):
    """A target that shows its label and serves; ``trouble`` comes when it is asked for alerts."""

    trouble: Trouble = lambda: None
    undone: bool = False

    def handshake(self) -> ProbeResult:
        return ProbeResult(True, "label shown")

    def __exit__(self, *_: object) -> None:
        taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(12)]  # stopping a service takes pipes and sockets
        for each in taken:
            os.close(each)
        super().__exit__()

    def proxies(self) -> Quiet:
        return Quiet()

    def engines(self) -> Mapping[str, str]:
        return {"proxy": "none"}

    def own_parts(self) -> tuple[OwnPart, ...]:
        log = self.request.logs / "toxiproxy.log"
        log.touch()
        return (OwnPart("proxy", 7, log),)

    def processor_time(self) -> int:
        return 0

    def customers_url(self) -> str:
        return "http://127.0.0.1:9"

    def customers_authority(self) -> str:
        return ""

    def own_hosts(self) -> frozenset[str]:
        return frozenset()

    @property
    def business_clock(self) -> Self:
        return self

    def open_day(self, t0_ns: int) -> None:
        pass

    @property
    def alerts(self) -> Self:
        return self

    def received(self, after: int) -> tuple[Alert, ...]:
        self.trouble()
        return ()

    def heartbeat(self) -> None:
        return None

    @property
    def books(self) -> Self:
        return self

    def book(self, name: str) -> list[dict[str, Any]]:
        return []


@dataclass
class Willingly(Way):
    trouble: Trouble = lambda: None

    def make(self, request: Request) -> Strange:
        self.made.append(Willing(request, trouble=lambda: self.trouble()))
        return self.made[-1]


class StillLoad:
    """A load of nobody; its log is there."""

    died: LoadError | None = None

    def __init__(self, _: object, folder: Path, **__: object) -> None:
        self.folder = folder

    def start(self) -> None:
        self.folder.mkdir()
        (self.folder / "load.log").touch()

    def prepare(self, *_: object, **__: object) -> None:
        pass

    def go(self, t0: int) -> None:
        pass

    def tail(self) -> Any:
        return np.empty(0, SAMPLE)

    def fail_if_dead(self) -> None:
        pass

    def stop(self, within_s: float) -> dict[str, Any]:
        if self.died is not None:
            raise self.died
        return {"abandoned": 0, "rows": 0}

    def kill(self) -> None:
        pass


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Willingly:
    made = Willingly()
    monkeypatch.setitem(RUNTIMES, "strange", lambda: made)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(runner, "Load", StillLoad)
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    return made


@pytest.fixture
def run(way: Willingly, tmp_path: Path) -> Callable[[], tuple[Scorecard, Path]]:
    """The whole of one run with this target: its card, and its folder."""
    request = RunRequest(
        load_drill("exchange-link-down"), Arm.parse("no-fault"), 7, tmp_path / "runs", target="strange"
    )

    def carry_out() -> tuple[Scorecard, Path]:
        finished = runner.run(request, lambda _: None)
        assert finished.error is None or isinstance(finished.error, runner.RunFailed)
        card, _, _ = api._judged(finished.folder, api._Observers(()))
        (folder,) = (tmp_path / "runs").glob("*/*")
        return card, folder

    return carry_out


def account(folder: Path, part: str) -> tuple[str, dict[str, int], str]:
    (found,) = (
        event
        for event in map(json.loads, (folder / "events.jsonl").read_text().splitlines())
        if (event["actor"], event["what"]) == (part, "own-errors")
    )
    return found["kind"], found["data"]["counts"], found["data"]["first"]


def said(card: Scorecard) -> tuple[str, str]:
    (cell,) = (each for each in card.checks if each.id == "own-parts-sound")
    return str(cell.verdict), said_of(cell)


def ended_in_order(card: Scorecard, folder: Path, way: Willingly, kind: str) -> None:
    """Stopped, sealed, invalid, exit 2, with the harness named."""
    assert way.made[0].said[-1] == "stop"
    assert (folder / "SHA256SUMS").exists()
    assert json.loads((folder / "run.json").read_bytes())["end"]["reason"] == "error"
    assert (card.verdict, exit_code(card.verdict)) == ("invalid", 2)
    assert account(folder, "harness")[:2] == ("fail", {kind: 1})
    assert said(card)[1].startswith(f"kunren's harness: 1 × {kind}; first of harness: ")


def test_each_part_gives_one_account_where_nothing_went_wrong(run: Any) -> None:
    card, folder = run()
    for part in ("harness", "load", "proxy"):
        assert account(folder, part) == ("ok", {}, "")
    assert said(card) == ("pass", "no error of our own parts: harness, load, proxy")
    assert not (folder / "logs" / "harness.log").exists()


def test_out_of_descriptors_for_good(run: Any, way: Willingly) -> None:
    """All that there are, but for what the harness keeps back for itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def take_all() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        try:
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            raise TargetError("GET /alerts: it looks as if it did not answer") from error

    way.trouble = take_all
    try:
        card, folder = run()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            os.close(each)
    ended_in_order(card, folder, way, "too many open files")


def test_no_new_thread(run: Any, way: Willingly, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def from_now_on(_: int) -> None:
        monkeypatch.setattr(threading.Thread, "start", refuse)

    monkeypatch.setattr(Willing, "open_day", lambda _, t0: from_now_on(t0))
    card, folder = run()
    monkeypatch.undo()
    ended_in_order(card, folder, way, "no new thread")
    assert "can't start new thread" in (folder / "logs" / "harness.log").read_text()


def test_a_follower_that_crashes(run: Any, way: Willingly) -> None:
    def crash() -> None:
        raise KeyError("a bug")

    way.trouble = crash
    card, folder = run()
    ended_in_order(card, folder, way, "unhandled error")
    assert "KeyError: 'a bug'" in (folder / "logs" / "harness.log").read_text()


def test_what_the_target_answers_is_no_error_of_the_harness(run: Any, way: Willingly) -> None:
    def answer() -> None:
        raise TargetError("GET /alerts on port 1 answered 500: too many open files")

    way.trouble = answer
    card, folder = run()
    assert card.verdict == "invalid"  # the run could not go on, and that is said by another check
    assert account(folder, "harness") == ("ok", {}, "")
    assert said(card)[0] == "pass"


def test_a_generator_that_died_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StillLoad, "died", GeneratorDied("the load generator has died"))
    card, folder = run()
    assert account(folder, "load")[:2] == ("fail", {"ended by itself": 1})
    assert "kunren's load: 1 × ended by itself; first of load: the load generator has died" in said(card)[1]


def test_a_full_disk_leaves_an_invalid_card_and_no_internal_error(
    run: Any, way: Willingly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing more can be appended or sealed from the first alert on."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill() -> None:
        monkeypatch.setattr(journal.os, "write", full)
        raise TargetError("whatever")

    way.trouble = fill
    card, folder = run()
    monkeypatch.undo()
    assert way.made[0].said[-1] == "stop"
    assert (card.verdict, exit_code(card.verdict)) == ("invalid", 2)
    assert not (folder / "SHA256SUMS").exists()
    assert {each.id: said_of(each) for each in card.checks}["run-ended"] == "the run did not end"


def test_a_card_that_the_disk_does_not_take_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise StoreError("cannot write scorecard.json: no space left on device")

    monkeypatch.setattr(api, "judge_and_write", full)
    told: list[api.RunEvent] = []
    card, _, written = api._judged(
        Path(__file__).parents[1] / "golden" / "invalid-killed", api._Observers([told.append])
    )
    assert (exit_code(card.verdict), written) == (2, False)
    says = "the card could not be written: cannot write scorecard.json: no space left on device"
    assert told == [api.Complaint(says)]


# -- accounts ---------------------------------------------------------------------------------------------------------


@dataclass
class Noted:
    events: list[tuple[str, str, Mapping[str, Any] | None]] = field(default_factory=list)

    def __call__(self, actor: str, kind: Kind, what: str, data: Mapping[str, Any] | None) -> None:
        assert what == "own-errors"
        self.events.append((actor, str(kind), data))


class Beside:
    """Only what of ours runs beside it is asked for."""

    def __init__(self, *looks: tuple[OwnPart, ...] | TargetError) -> None:
        self._looks = list(looks)

    def own_parts(self) -> tuple[OwnPart, ...]:
        look = self._looks.pop(0)
        if isinstance(look, TargetError):
            raise look
        return look


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "proxy.log"
    path.write_text("own error: too many open files: accept on client-api\n" * 2)
    return path


def test_a_part_is_asked_once_and_what_its_log_says_later_is_not_heard(log: Path, tmp_path: Path) -> None:
    noted, proxy = Noted(), (OwnPart("proxy", 7, log),)
    own = Instrument(noted, tmp_path / "load.log")
    target: Any = Beside(proxy, proxy)
    assert own.begin(target) == ["harness", "load", "proxy"]
    own.take(target)
    log.write_text("")
    own.take(target)
    own.close()
    assert noted.events == [
        ("proxy", "fail", {"counts": {"too many open files": 2}, "first": "accept on client-api"}),
        ("harness", "ok", {"counts": {}, "first": ""}),
    ]  # and none of the load, which has left no log


def test_a_part_that_cannot_be_asked_gives_no_account(log: Path, tmp_path: Path) -> None:
    noted, proxy = Noted(), (OwnPart("proxy", 7, log),)
    own = Instrument(noted, tmp_path / "load.log")
    target: Any = Beside(proxy, TargetError("the launcher does not answer"))
    own.begin(target)
    own.take(target)
    own.close()
    assert [actor for actor, _, _ in noted.events] == ["harness"]


def test_the_reserve_is_given_back_once() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    reserve = instrument.Reserve()
    assert count() == before + instrument.RESERVE
    reserve.release()
    reserve.release()
    assert count() == before
