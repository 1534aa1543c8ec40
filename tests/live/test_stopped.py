"""A harness that is stopped while a short fault is due: no verdict may come of it, and the card says for how long."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from drills.record.history import NS

from .rig import Place, Process, card, wait_for
from .test_described import DRILL, TARGET

pytestmark = pytest.mark.live

LASTS_S = 2
STOPPED_S = 5.0
"""So long that whatever was planned meanwhile is out of its tolerance by seconds."""


@pytest.fixture
def drill(place: Place) -> Place:
    (place.home / "target.yaml").write_text(TARGET)
    (place.home / "drill.yaml").write_text(DRILL.replace("LASTS", f"{LASTS_S}s"))
    return place


def stopped_at(place: Place, actor: str, kind: str, what: str) -> Path:
    """The run's folder, after its harness had been stopped as soon as it had noted this."""
    harness: Process = place.start("run", "drill.yaml", "--target", "target.yaml", "--seed", "5", "--proxy", "embedded")
    place.reached(harness, actor, kind, what)
    process = harness.run()
    process.suspend()
    until = time.monotonic() + STOPPED_S
    wait_for(lambda: time.monotonic() > until, "its time to be over")
    process.resume()
    assert harness.ended() == 2, harness.said()
    (run,) = place.runs()
    return run


def off(run: Path) -> dict[str, dict[str, Any]]:
    """The checks that make the run invalid: of each the first of what it found."""
    found: dict[str, Any] = card(run)
    assert (found["verdict"], found["grade"]) == ("invalid", None)
    said = {check["id"]: check["reasons"][0] for check in found["checks"] if check["verdict"] == "invalid"}
    assert said["harness-kept-going"]["values"]["worst"] > STOPPED_S - 1
    return said


def lasted(place: Place, run: Path) -> int:
    """From the answer of the injection to the undo, ns."""
    at = {(event["kind"], event["what"]): event["t"] for event in place.events(run) if event["actor"] == "fault:0"}
    return int(at["invoke", "rollback"] - at["ok", "inject"])


def test_stopped_before_the_injection_it_still_lets_the_fault_last_and_says_that_it_came_late(drill: Place) -> None:
    run = stopped_at(drill, "runner", "invoke", "observe")
    planned = off(run)["ran-as-planned"]
    assert (planned["id"], planned["values"]["fault"], planned["values"]["planned"]) == ("planned.onset", "0 (kill)", 1)
    assert lasted(drill, run) >= LASTS_S * NS


def test_stopped_after_the_injection_it_says_that_the_fault_lasted_too_long(drill: Place) -> None:
    run = stopped_at(drill, "fault:0", "ok", "inject")
    planned = off(run)["ran-as-planned"]
    assert (planned["id"], planned["values"]["fault"]) == ("planned.duration", "0 (kill)")
    assert planned["values"]["planned"] == 2
    assert lasted(drill, run) > (LASTS_S + 1) * NS
