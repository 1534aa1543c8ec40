"""Several stacks on one machine, one that is up for people to look at, and one that breaks by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from .rig import DRILL, Place, card, wait_for

pytestmark = pytest.mark.long

GRANTED = {"pass", "invalid"}
"""Two at once on a small machine may come too late for their own load; then they say so, and nothing else."""


def configs(place: Place) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(place.cache.glob("stacks/*/config.json"))]


def ports(config: dict[str, Any]) -> set[int]:
    return {*config["ports"].values(), *config["via"].values()}


def processes(place: Place, config: dict[str, Any]) -> set[int]:
    status = control(config, verb="status")
    assert status["ok"], status
    return {service["pid"] for service in status["services"].values()}


def control(config: dict[str, Any], **request: Any) -> dict[str, Any]:
    """One request to the launcher's control port, as an operator's tool makes it."""
    with socket.create_connection(("127.0.0.1", config["ports"]["launcher"]), timeout=10) as connection:
        connection.sendall(json.dumps({"token": config["token"], **request}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
        return answer


def test_two_runs_at_once_share_nothing(place: Place) -> None:
    harnesses = [
        place.start("run", DRILL, "--arm", "no-fault", "--seed", seed, "--runs", f"runs-{seed}") for seed in ("5", "6")
    ]
    wait_for(lambda: len(configs(place)) == 2, "two stacks")
    for seed in ("5", "6"):
        wait_for(lambda seed=seed: reached(place.home / f"runs-{seed}", "target"), f"the target of seed {seed}")
    one, other = configs(place)
    assert ports(one).isdisjoint(ports(other))
    assert one["token"] != other["token"]
    assert processes(place, one).isdisjoint(processes(place, other))
    assert not control({**one, "token": other["token"]}, verb="status")["ok"]
    codes = [harness.ended() for harness in harnesses]
    for code, seed, harness in zip(codes, ("5", "6"), harnesses, strict=True):
        (run,) = (place.home / f"runs-{seed}").glob("*/*")
        found = card(run)
        assert found["verdict"] in GRANTED, harness.said()
        assert code == {"pass": 0, "invalid": 2}[found["verdict"]]
        assert json.loads((run / "run.json").read_text())["end"]["reason"] in ("judged", "baseline")
        answers = {check["verdict"] for check in found["checks"] if not check["validity"]}
        assert answers == {"pass" if found["verdict"] == "pass" else "unknown"}
    assert place.processes() == []
    assert place.stacks() == []


def reached(runs: Path, what: str) -> bool:
    for log in runs.glob("*/*/events.jsonl"):
        events = [json.loads(line) for line in log.read_text().split("\n")[:-1]]
        return any(event["kind"] == "ok" and event["what"] == what for event in events)
    return False


def test_a_target_to_look_at(place: Place) -> None:
    process = place.start("target", "up", "--keep", "60")
    wait_for(lambda: "--env drill status" in process.said(), "the target to be up")
    (stack,) = place.stacks()
    assert f"export KUNREN_STACK={stack}" in process.said()
    ours = ("--stack", str(stack), "--role", "viewer")
    done = place.brokerctl(*ours, "--env", "drill", "--json", "status")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    refused = place.brokerctl(*ours, "--env", "production", "--json", "status")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["says"] == "this is environment drill, and the command is meant for production"
    healed = place.kunren("heal", "--all")
    assert "nothing was left behind" in healed.stdout  # who lives is left alone
    assert stack.is_dir()
    process.interrupt()
    assert process.ended() == 130, process.said()
    assert "Traceback" not in process.said()
    place.nothing_left()


def test_a_target_to_look_at_ends_by_itself_and_by_sigterm(place: Place) -> None:
    brief = place.start("target", "up", "--keep", "1")
    assert brief.ended() == 0, brief.said()
    place.nothing_left()
    process = place.start("target", "up")
    wait_for(lambda: "--env drill status" in process.said(), "the target to be up")
    os.kill(process.pid, signal.SIGTERM)
    assert process.ended() == 143, process.said()
    assert "Traceback" not in process.said()
    place.nothing_left()


def test_a_service_that_dies_in_the_baseline_voids_the_run(place: Place) -> None:
    harness = place.start("run", DRILL, "--arm", "no-action", "--seed", "5")
    place.reached(harness, "runner", "invoke", "baseline")
    config = place.config()
    api = psutil.Process(control(config, verb="status")["services"]["api"]["pid"])
    assert control(config, verb="signal", service="api", signal=int(signal.SIGKILL))["sent"] is True
    wait_for(lambda: not api.is_running() or api.status() == psutil.STATUS_ZOMBIE, "the api to be dead")
    assert harness.ended() == 2, harness.said()
    (run,) = place.runs()
    found = card(run)
    assert found["verdict"] == "invalid"
    assert found["grade"] is None
    assert json.loads((run / "run.json").read_text())["end"]["reason"] == "baseline"
    assert not place.noted("fault:0", "invoke", "inject")
    place.nothing_left()
