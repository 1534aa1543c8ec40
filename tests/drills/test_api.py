"""Runs through the api, each really a process of its own, with a target and a load that are played."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from drills import api
from drills.cards import compare_with_kept
from drills.errors import KunrenError, Refused
from drills.execution import process
from drills.execution.events import SIGNALS
from drills.interrupts import ENDING
from drills.record.arm import RUNBOOK, Arm
from drills.record.history import Registered
from drills.record.register import limits_hash, read_register
from targets.registry import RUNTIMES

from . import played
from .played import GUARD_S

LONG = "10m"
"""A baseline during which something happens to the run."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(RUNTIMES, played.NAME, played.PlayedRuntime)  # type: ignore[arg-type]
    monkeypatch.setattr(process, "argv", played.argv)
    return tmp_path


def request(home: Path, arm: Arm = RUNBOOK, baseline: str = "300ms") -> api.RunRequest:
    return played.request(played.write_drill(home / "drill", baseline), home / "runs", arm)


def end(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_bytes())["end"]
    return found


def ended_in_order(folder: Path, reason: str) -> None:
    """The target was stopped, and the folder sealed."""
    assert end(folder)["reason"] == reason
    assert (folder / "logs" / "stopped").exists()
    assert (folder / "SHA256SUMS").exists()


def wait_for(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + GUARD_S
    while not there():
        assert time.monotonic() < deadline, f"waited {GUARD_S:g} s for {what}"
        time.sleep(0.02)


class Once:
    """Does something at the first event of a kind, and keeps all."""

    def __init__(self, when: Callable[[api.RunEvent], bool], act: Callable[[], object]) -> None:
        self.when, self.act = when, act
        self.seen: list[api.RunEvent] = []

    def __call__(self, event: api.RunEvent) -> None:
        self.seen.append(event)
        if self.when(event):
            self.when = lambda _: False
            self.act()


def at_baseline(event: api.RunEvent) -> bool:
    return isinstance(event, api.PhaseChanged) and event.phase == "baseline"


# -- what is told -----------------------------------------------------------------------------------------------------


def test_a_run_tells_what_happens_in_order_and_hands_back_its_card(home: Path) -> None:
    told: list[api.RunEvent] = []
    result = api.run(request(home), [told.append])
    named = [_name(event) for event in told if not isinstance(event, api.Sampled)]
    assert named == [
        "Forecast", "Started", "starting", "logging customers in", "baseline", "watching", "fault kill", "Injected",
        "AlertReceived", "RunbookOpened", "StepBegan", "StepEnded", "taking the books", "undoing", "RolledBack",
        "sealing", "Ended", "Judged",
    ]  # fmt: skip
    started = next(event for event in told if isinstance(event, api.Started))
    assert (started.run, Path(started.folder)) == (result.card.run, result.folder)
    assert (result.cut, result.observer_errors, result.history.run.run) == (None, (), result.card.run)
    assert told[-2] == api.Ended(result.card.run, "judged")
    card = result.folder / "scorecard.json"
    assert told[-1] == api.Judged(result.card.run, result.card.verdict, result.card.grade, str(card))
    assert compare_with_kept(result.folder).problems == ()
    ended_in_order(result.folder, "judged")
    _entered(home / "runs", result)


def _entered(runs: Path, result: api.RunResult) -> None:
    """Before anything was injected, and once more with what came of it."""
    found = read_register(runs)
    begun, ended = found.begun()[result.card.run], found.ended()[result.card.run]
    assert found.problems == ()
    assert result.history.run.register == Registered(begun.n, found.heads[begun.n])
    assert (begun.drill, begun.seed, begun.drawn) == (result.card.drill, result.card.seed, False)
    assert begun.limits == limits_hash(result.history.plan)
    assert (ended.verdict, ended.evidence) == (result.card.verdict, result.card.evidence)
    assert ended.card == hashlib.sha256((result.folder / "scorecard.json").read_bytes()).hexdigest()


def test_nothing_is_injected_in_a_run_that_cannot_be_entered(home: Path) -> None:
    (home / "runs" / "register.jsonl").mkdir(parents=True)
    result = api.run(request(home))
    assert result.cut is not None
    assert result.cut.how is api.How.REFUSED
    assert "the run cannot be entered in the register: cannot write" in result.cut.message
    assert (result.card.verdict, result.card.heal.injected) == ("invalid", 0)
    assert end(result.folder)["reason"] == "refused"
    assert not (result.folder / "logs" / "stopped").exists()  # no target was started


def _name(event: api.RunEvent) -> str:
    return event.phase if isinstance(event, api.PhaseChanged) else type(event).__name__


def test_a_picture_is_whole(home: Path) -> None:
    told: list[api.RunEvent] = []
    api.run(request(home), [told.append])
    last = [event for event in told if isinstance(event, api.Sampled)][-1]
    assert last.services == {"pages": api.Level(played.RATE, 1.0)}
    assert (last.firing, last.steps) == (("Down",), (("call", "ok"),))
    assert last.faults == (api.FaultSeen(0, "kill", api.FaultState.INJECTED),)
    assert last.left_s is not None
    assert 0 < last.left_s < 8


def test_an_observer_that_takes_its_time_delays_nothing_and_misses_nothing_but_pictures(home: Path) -> None:
    """It has not come back from the second event when the whole run is over and sealed."""
    told: list[api.RunEvent] = []

    def slow(event: api.RunEvent) -> None:
        told.append(event)
        if isinstance(event, api.Started):
            wait_for((Path(event.folder) / "SHA256SUMS").exists, "the run to be over")

    result = api.run(request(home), [slow])
    ended_in_order(result.folder, "judged")
    assert len([event for event in told if not isinstance(event, api.Sampled)]) == 18
    assert len([event for event in told if isinstance(event, api.Sampled)]) < 4  # of those that waited the newest


def test_an_observer_that_raises_is_told_no_more_and_its_error_comes_with_the_result(home: Path) -> None:
    told: list[api.RunEvent] = []

    def bad(event: api.RunEvent) -> None:
        told.append(event)
        raise ValueError("a bug")

    after: list[api.RunEvent] = []
    result = api.run(request(home), [bad, after.append])
    assert len(told) == 1
    assert isinstance(after[-1], api.Judged)
    assert [str(error) for error in result.observer_errors] == ["a bug"]
    ended_in_order(result.folder, "judged")


# -- several at once, and nothing of the caller's changed -------------------------------------------------------------


def test_two_at_once_from_threads_share_nothing(home: Path) -> None:
    def state() -> object:
        return os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE), [signal.getsignal(each) for each in ENDING]

    before, wanted, children = state(), request(home), psutil.Process().children()  # such as a fixture's database
    together = threading.Barrier(2)

    def run(_: int) -> api.RunResult:
        met = Once(at_baseline, lambda: together.wait(GUARD_S))  # so that both do run at once
        return api.run(wanted, [met])

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(run, range(2))
    assert one.folder.parent == other.folder.parent
    assert one.folder != other.folder
    for result in (one, other):
        ended_in_order(result.folder, "judged")
        assert result.card.run.endswith(result.folder.name)
    assert state() == before
    assert psutil.Process().children() == children


# -- ended before its time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [api.How.INTERRUPTED, api.How.TERMINATED, api.How.HUNG_UP])
def test_stopped_from_another_thread(home: Path, how: api.How, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may be run under nohup
    stop = api.Stop()

    def ask() -> None:
        threading.Thread(target=lambda: [stop.request(each) for each in (how, *SIGNALS)]).start()

    try:
        result = api.run(request(home, baseline=LONG), [Once(at_baseline, ask)], stop=stop)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert result.cut == api.Cut(how)
    assert result.card.verdict == "invalid"
    ended_in_order(result.folder, how)
    with pytest.raises(api.Stopped) as stopped:
        api.run(request(home), stop=stop)
    assert stopped.value.cut == api.Cut(how)


def test_nobody_can_stop_a_run_as_failed() -> None:
    stop = api.Stop()
    with pytest.raises(ValueError, match="interrupted, hung-up, terminated, not as failed"):
        stop.request(api.How.FAILED)
    assert stop.asked is None


def test_stopped_before_anything_was_started(home: Path) -> None:
    stop = api.Stop()
    forecast = Once(lambda event: isinstance(event, api.Forecast), stop.request)
    with pytest.raises(api.Stopped) as stopped:
        api.run(request(home), [forecast], stop=stop)
    assert stopped.value.cut == api.Cut(api.How.INTERRUPTED)
    assert [_name(event) for event in forecast.seen] == ["Forecast", "Ended"]
    assert not (home / "runs").exists()


def test_a_wish_that_comes_when_all_is_over_still_counts(home: Path) -> None:
    stop = api.Stop()
    sealing = Once(lambda event: isinstance(event, api.Ended), stop.request)
    result = api.run(request(home, Arm.parse("no-fault")), [sealing], stop=stop)
    assert result.cut == api.Cut(api.How.INTERRUPTED)
    ended_in_order(result.folder, "judged")


def test_what_is_raised_in_the_callers_thread_ends_the_run_in_order(home: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    children = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt):
        api.run(request(home, baseline=LONG), [Once(at_baseline, interrupt)])
    (folder,) = (home / "runs").glob("*/*")
    ended_in_order(folder, "interrupted")
    assert psutil.Process().children() == children


@pytest.fixture
def started(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Somebody who runs a drill with a long baseline, in a process and session of their own, and has come to that."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        drill = played.write_drill(home / "drill", LONG)
        argv = [*played.argv(words[0]), *words[1:], str(drill)]
        argv += ["--target", played.NAME] if words[0] == "kunren" else [str(home / "runs")]
        running.append(
            subprocess.Popen(
                argv, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
            )
        )
        wait_for(lambda: begun(home) or running[-1].poll() is not None, "a run")
        assert running[-1].poll() is None, running[-1].communicate()
        return running[-1]

    yield start
    for each in running:
        if each.poll() is None:
            each.kill()
        each.communicate(timeout=GUARD_S)


def begun(home: Path) -> bool:
    return any('"baseline"' in each.read_text() for each in home.glob("runs/*/*/events.jsonl"))


def harness(caller: subprocess.Popen[str]) -> psutil.Process:
    """The process of its run."""
    (found,) = psutil.Process(caller.pid).children()
    return found


def only_run(home: Path) -> Path:
    (folder,) = home.glob("runs/*/*")
    return folder


@pytest.mark.parametrize("who", ["api", "kunren run"])
def test_a_run_whose_caller_is_killed_undoes_everything(
    home: Path, started: Callable[..., subprocess.Popen[str]], who: str
) -> None:
    caller = started(*who.split())
    run = harness(caller)
    caller.kill()
    # its PID 1 may be one that collects nobody
    wait_for(lambda: not run.is_running() or run.status() == psutil.STATUS_ZOMBIE, "its run to end")
    ended_in_order(only_run(home), "terminated")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "hung up"),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_a_signal_to_the_command_ends_the_run_in_order(
    home: Path, started: Callable[..., subprocess.Popen[str]], number: int, code: int, says: str, times: int
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may be run under nohup
    try:
        caller = started("kunren", "run")
    finally:
        signal.signal(signal.SIGHUP, before)
    for _ in range(times):
        os.killpg(caller.pid, number)  # as a terminal does
    out, err = caller.communicate(timeout=GUARD_S)
    folder = only_run(home)
    where = folder.relative_to(home) / "scorecard.json"
    assert err == f"kunren: {says}; everything was undone and stopped; the card lies in {where}\n"
    assert (caller.returncode, "CANNOT JUDGE" in out) == (code, True)
    ended_in_order(folder, says.replace(" ", "-"))


def test_a_run_whose_process_is_killed_is_judged_from_what_is_there(
    home: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    caller = started("kunren", "run")
    harness(caller).kill()
    out, err = caller.communicate(timeout=GUARD_S)
    assert caller.returncode == 2, err
    assert err == "kunren: the process of the run was killed by SIGKILL; its reaper has undone and stopped everything\n"
    assert "CANNOT JUDGE" in out
    folder = only_run(home)
    assert end(folder) is None
    card = json.loads((folder / "scorecard.json").read_bytes())
    assert card["verdict"] == "invalid"


def test_a_process_that_dies_is_an_end_as_well(home: Path) -> None:
    others = psutil.Process().children()  # such as a fixture's database

    def kill() -> None:
        for each in psutil.Process().children():
            if each not in others:
                each.kill()

    watcher = Once(at_baseline, kill)
    result = api.run(request(home, baseline=LONG), [watcher])
    says = "the process of the run was killed by SIGKILL; its reaper has undone and stopped everything"
    assert result.cut == api.Cut(api.How.FAILED, says)
    assert [event for event in watcher.seen if isinstance(event, api.Ended)] == [
        api.Ended(result.card.run, "died", says, result.cut)
    ]
    assert [str(reason.id) for each in result.card.checks if each.id == "run-ended" for reason in each.reasons]


# -- not begun --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_begun_is_refused_as_it_would_be_here(home: Path) -> None:
    (home / "runs").write_text("")
    told: list[api.RunEvent] = []
    with pytest.raises(Refused) as refused:
        api.run(request(home), [told.append])
    assert refused.value.message == f"cannot make a run folder in {home / 'runs' / 'played'}: not a directory"
    assert refused.value.fix == "a file stands where a folder is needed: give another folder with --runs DIR"
    cut = api.Cut(api.How.REFUSED, refused.value.message, refused.value.fix)
    assert told[1:] == [api.Ended(None, "refused", refused.value.message, cut)]


def test_a_bug_of_ours_before_there_is_a_run_is_an_internal_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "to_wire", lambda _: b'{"drill": 1}')
    with pytest.raises(KunrenError, match=r"^internal error: ValidationError: .*\(set KUNREN_DEBUG=1"):
        api.run(request(home))


def test_a_process_that_dies_before_there_is_a_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "argv", lambda: ["sh", "-c", "exit 5"])
    with pytest.raises(KunrenError, match=r"^the process of the run left with exit code 5$"):
        api.run(request(home))


def test_what_was_read_is_what_runs(home: Path) -> None:
    wanted = request(home, Arm.parse("no-fault"))
    content = wanted.drill.file.read_bytes()
    wanted.drill.file.write_text("drill: another")
    result = api.run(wanted)
    assert (result.folder / "drill.yaml").read_bytes() == content
    assert result.card.drill == "played"
