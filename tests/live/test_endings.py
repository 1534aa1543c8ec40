"""Runs that are ended early, by their user or by force: the faults are undone, nothing is left, the card is void."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .rig import DRILL, Place, Process, card, kill_both, wait_for

pytestmark = pytest.mark.long


def start(place: Place) -> Process:
    return place.start("run", DRILL, "--arm", "no-action", "--seed", "5", "--reaction", "1s")


def only_run(place: Place) -> Path:
    (run,) = place.runs()
    return run


def undone(place: Place, run: Path) -> list[str]:
    """What is journalled and noted of undoing, in order."""
    journal = [json.loads(line)["what"] for line in (run / "rollback.jsonl").read_text().splitlines()]
    assert journal == ["target", "intent", "undone"]
    return [f"{event['kind']} {event['what']}" for event in place.events(run) if event["actor"] == "fault:0"]


def ended_in_order(place: Place, reason: str) -> dict[str, object]:
    """The folder is whole and sealed, the card void; the card."""
    run = only_run(place)
    record = json.loads((run / "run.json").read_text())
    assert record["end"]["reason"] == reason
    found = card(run)
    assert found["verdict"] == "invalid"
    assert found["grade"] is None
    again = place.kunren("check", run.name, "--evidence", "--json", "-")
    assert again.returncode == 2, again.stderr
    assert json.loads(again.stdout) == found
    assert "nothing was changed since the run was sealed" in again.stderr
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_the_fault_is_in_place(place: Place, times: int) -> None:
    harness = start(place)
    place.broken(harness)
    harness.interrupt()
    if times == 2:  # the second one while everything is being undone
        place.reached(harness, "fault:0", "invoke", "rollback")
        harness.interrupt()
    assert harness.ended() == 130, harness.said()
    assert "Traceback" not in harness.said()
    assert "kunren: interrupted; everything was undone and stopped" in harness.said()
    place.nothing_left()
    ended_in_order(place, "interrupted")
    assert undone(place, only_run(place))[-1] == "ok gone"


def test_many_ctrl_c_change_nothing_of_the_undoing(place: Place) -> None:
    """Somebody leans on the keys until it ends."""
    harness = start(place)
    place.broken(harness)
    while harness.process.poll() is None:
        harness.interrupt()
        with contextlib.suppress(subprocess.TimeoutExpired):
            harness.process.wait(0.02)
    assert harness.ended() == 130, harness.said()
    assert "Traceback" not in harness.said()
    place.nothing_left()
    ended_in_order(place, "interrupted")
    assert undone(place, only_run(place))[-1] == "ok gone"


def test_sigterm_while_the_fault_is_in_place(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    os.kill(harness.pid, signal.SIGTERM)
    assert harness.ended() == 143, harness.said()
    assert "kunren: terminated; everything was undone and stopped" in harness.said()
    place.nothing_left()
    ended_in_order(place, "terminated")
    assert undone(place, only_run(place))[-1] == "ok gone"


def test_many_ctrl_c_while_everything_starts(place: Place) -> None:
    harness = start(place)
    wait_for(lambda: bool(processes_of(place, "targets.brokerage.launcher")), "the launcher")
    while harness.process.poll() is None:
        harness.interrupt()
        with contextlib.suppress(subprocess.TimeoutExpired):
            harness.process.wait(0.1)
    assert harness.ended() == 130, harness.said()
    assert "Traceback" not in harness.said()
    place.nothing_left()
    assert not place.noted("fault:0", "invoke", "inject")
    ended_in_order(place, "interrupted")


def test_a_run_whose_command_is_killed_undoes_everything(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    harness.process.kill()
    assert harness.ended() == -signal.SIGKILL
    wait_for(place.gone, "the run to end")
    place.nothing_left()
    run = only_run(place)
    assert undone(place, run)[-1] == "ok gone"
    assert list(run.glob("heal-*.json")) == []
    again = place.kunren("check", run.name, "--rejudge", "--evidence")
    assert again.returncode == 2, again.stderr
    assert "nothing was changed since the run was sealed" in again.stderr + again.stdout
    ended_in_order(place, "terminated")


def test_the_reaper_heals_when_the_harness_is_killed(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    harness.run().kill()
    assert harness.ended() == 2, harness.said()
    says = "the process of the run was killed by SIGKILL; its reaper has undone and stopped everything"
    assert harness.said().endswith(f"kunren: {says}\n")
    assert "Traceback" not in harness.said()
    run = only_run(place)
    assert card(run)["verdict"] == "invalid"
    assert place.stacks() == [], (run / "logs" / "reaper.log").read_text()
    place.nothing_left()
    (report,) = run.glob("heal-*.json")
    said = json.loads(report.read_text())["said"]
    assert said[0].startswith("timeout: ")
    assert "could not" not in " ".join(said)
    healed = place.kunren("heal", "--all", "--json")
    assert healed.returncode == 0
    assert json.loads(healed.stdout) == {"found": 0, "said": {}}
    judged_void(place, run)


MOMENTS: dict[str, Callable[[Place], bool]] = {
    "the journal": lambda place: any(run.joinpath("rollback.jsonl").is_file() for run in place.runs()),
    "the reaper": lambda place: bool(processes_of(place, "drills.execution.reaper")),
    "the stack's folder": lambda place: bool(place.stacks()),
    "the launcher": lambda place: bool(processes_of(place, "targets.brokerage.launcher")),
    "the database's log": lambda place: any(run.joinpath("logs/postgres.log").is_file() for run in place.runs()),
    "a service": lambda place: any(run.joinpath("logs/gateway.log").is_file() for run in place.runs()),
    "the target": lambda place: place.noted("runner", "ok", "target"),
}
"""While everything starts, in order: what is there when the harness is killed."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_of_a_start_that_was_killed(place: Place, moment: str) -> None:
    harness = start(place)
    wait_for(lambda: MOMENTS[moment](place), moment)
    harness.run().kill()
    assert harness.ended() in (2, 70), harness.said()  # 70: there was nothing yet to be judged
    assert "kunren: the process of the run was killed by SIGKILL" in harness.said()
    assert "Traceback" not in harness.said()
    wait_for(place.gone, "everything to end")
    place.nothing_left()
    healed = place.kunren("heal")
    assert (healed.returncode, healed.stdout) == (0, "nothing was left behind\n"), healed.stderr
    run = only_run(place)
    if (run / "run.json").exists():
        judged_void(place, run)


def test_nothing_is_left_of_a_stop_that_was_killed(place: Place) -> None:
    harness = start(place)
    place.reached(harness, "runner", "ok", "target")
    run = harness.run()
    harness.interrupt()
    wait_for(lambda: not processes_of(place, "targets.brokerage.launcher"), "the services to be stopped")
    with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
        run.kill()
    harness.ended()
    wait_for(place.gone, "everything to end")
    place.nothing_left()


def test_heal_ends_what_even_the_reaper_could_not(place: Place) -> None:
    """Both are killed; the launcher is held, as on a machine that is short of everything, so something does run on."""
    harness = start(place)
    place.broken(harness)
    launcher = process_of(place, "targets.brokerage.launcher")
    launcher.suspend()
    kill_both(harness, process_of(place, "drills.execution.reaper"))
    (stack,) = place.stacks()
    assert launcher.is_running()
    healed = place.kunren("heal", "--all", "--json")
    assert healed.returncode == 0, healed.stderr
    assert f"stack {stack.name}: timeout may still be in place" in healed.stderr.replace("\n", " ")
    found = json.loads(healed.stdout)
    assert found["found"] == 1
    assert list(found["said"]) == [stack.name]
    place.nothing_left()
    run = only_run(place)
    assert len(list(run.glob("heal-*.json"))) == 1
    assert json.loads(place.kunren("heal", "--all", "--json").stdout)["found"] == 0
    judged_void(place, run)


def test_the_launcher_ends_with_the_last_who_holds_its_lifeline(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    kill_both(harness, process_of(place, "drills.execution.reaper"))
    healed = place.kunren("heal", "last")
    assert healed.returncode == 0, healed.stderr
    place.nothing_left()
    assert "nothing was left behind" in place.kunren("heal", "last").stdout


def test_a_dead_reaper_ends_the_run(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    process_of(place, "drills.execution.reaper").kill()
    lost(place, harness, "the reaper, which clears up after a harness that was killed, has died")
    assert undone(place, only_run(place))[-1] == "ok gone"


def test_a_dead_reaper_ends_the_start(place: Place) -> None:
    harness = start(place)
    wait_for(lambda: bool(place.stacks()), "the stack's folder")
    process_of(place, "drills.execution.reaper").kill()
    lost(place, harness, "the reaper, which clears up after a harness that was killed, has died")


def test_a_dead_launcher_ends_the_run_and_all_its_services(place: Place) -> None:
    harness = start(place)
    place.broken(harness)
    process_of(place, "targets.brokerage.launcher").kill()
    lost(place, harness, "the launcher, which ends the services, has died")


def lost(place: Place, harness: Process, says: str) -> None:
    """The run ended in error, and its card and the command name what was lost; nothing is left."""
    assert harness.ended() == 2, harness.said()
    assert f"kunren: {says}" in harness.said()
    place.nothing_left()
    record = json.loads((only_run(place) / "run.json").read_text())
    assert record["end"]["says"].startswith(says)
    ended_in_order(place, "error")


def process_of(place: Place, module: str) -> psutil.Process:
    """The oldest one: the launcher's services are forks of it."""
    return min(processes_of(place, module), key=lambda each: each.create_time())


def processes_of(place: Place, module: str) -> list[psutil.Process]:
    found = []
    for process in place.processes():
        with contextlib.suppress(psutil.Error):  # it has ended since
            if module in process.cmdline():
                found.append(process)
    return found


def judged_void(place: Place, run: Path) -> None:
    """A run whose harness was killed is not sealed; it can be judged all the same, and accuses nobody."""
    assert not (run / "SHA256SUMS").exists()
    judged = place.kunren("check", str(run), "--json", "-")
    assert judged.returncode == 2, judged.stderr
    assert json.loads(judged.stdout)["verdict"] == "invalid"
