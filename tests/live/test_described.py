"""A web server that none of us wrote, drilled by a target file alone: Python's own, which needs no network to have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .rig import Place, card, kill_both, wait_for

EXAMPLE_ARMS = [
    ("drill", "no-fault"),
    ("drill", "no-action"),
    ("drill.stays", "no-action"),
    ("drill.silent", "no-action"),
    ("drill.slow", "no-action"),
]
EXAMPLE = Path(__file__).parents[2] / "drills" / "examples" / "datasette"

TARGET = """\
target: files
services:
  web:
    start: ["{python}", -m, http.server, --bind, 127.0.0.1, --directory, "{public}", "{port}"]
    health: /drill-target.json
links: {front: {upstream: web}}
customers: front
loads: {reading: {pages: {get: /, rate: 20}}}
handshake: {service: web, path: /drill-target.json}
unsupported: [books, operator, alerts]
"""

DRILL = """\
drill: web-dies
title: {en: The web process dies, ja: Webプロセスの異常終了}
load: reading
slo: {hold: 3s}
baseline: 3s
timeline:
  - {at: 1s, for: LASTS, fault: {kind: kill, service: web}}
objectives: {recover: 7s, detect: 3s}
arms: {no-action: pass, no-fault: pass}
cap: 10s
"""


@pytest.fixture
def files(place: Place) -> Place:
    (place.home / "target.yaml").write_text(TARGET)
    (place.home / "drill.yaml").write_text(DRILL.replace("LASTS", "2s"))
    (place.home / "drill.stays.yaml").write_text(DRILL.replace("LASTS", "until-judged"))
    return place


@pytest.mark.live
def test_it_recovers_when_it_is_started_again(files: Place) -> None:
    done = files.kunren("run", "drill.yaml", "--target", "target.yaml", "--seed", "5", "--proxy", "embedded")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = files.runs()
    found = card(run)
    assert (found["verdict"], found["arm"], found["target"]) == ("pass", "no-action", "target.yaml")
    assert [(each["id"], each["verdict"]) for each in found["objectives"]] == [("recover", "pass"), ("detect", "n/a")]
    lost = next(each["values"][0] for each in found["metrics"] if each["id"] == "service_s")
    assert (lost["window"], lost["of"]) == ("all", None)
    assert lost["value"] > 0
    assert found["heal"] == {"injected": 1, "undone": 1, "verified_removed": 1}
    assert [each["about"] for each in found["limits"][:3]] == ["books", "operator", "alerts"]
    assert (run / "target.yaml").read_text() == TARGET
    again = files.kunren("check", run.name, "--json", "-")
    assert json.loads(again.stdout) == found


@pytest.mark.live
def test_it_fails_when_nobody_starts_it(files: Place) -> None:
    done = files.kunren("run", "drill.stays.yaml", "--target", "./target.yaml", "--proxy", "embedded")
    assert done.returncode == 1, done.stdout + done.stderr
    (run,) = files.runs()
    found = card(run)
    assert (found["verdict"], found["grade"]) == ("fail", "unable")


@pytest.mark.long
def test_whoever_kills_the_harness_leaves_nothing(files: Place) -> None:
    harness = files.start("run", "drill.stays.yaml", "--target", "target.yaml", "--proxy", "embedded")
    files.broken(harness)
    harness.run().kill()
    assert harness.ended() == 2, harness.said()
    wait_for(files.gone, "the reaper to end it")
    assert files.kunren("heal", "--all").stdout == "nothing was left behind\n"
    assert list((files.cache / "sites").iterdir()) == []


CLOBBER = """\
import ctypes, functools, http.server, sys
found = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
ctypes.memset(int(found[47]), 0, int(found[48]) - int(found[47]))
serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), serve).serve_forever()
"""
"""A server that writes a title over its environment."""


@pytest.mark.long
def test_heal_ends_a_server_that_shows_no_label(files: Place) -> None:
    """The harness and its reaper are killed, so that it runs on."""
    (files.home / "serve.py").write_text(CLOBBER)
    start = 'start: ["{python}", "{here}/serve.py", "{public}", "{port}"]'
    lines = [f"    {start}" if "start:" in line else line for line in TARGET.splitlines()]
    (files.home / "target.yaml").write_text("\n".join(lines) + "\n")
    harness = files.start("run", "drill.yaml", "--target", "target.yaml", "--proxy", "embedded")
    files.reached(harness, "runner", "invoke", "baseline")
    (reaper,) = [each for each in files.processes() if "drills.execution.reaper" in each.cmdline()]
    kill_both(harness, reaper)
    assert files.kunren("heal").returncode == 1
    healed = files.kunren("heal", "--all")
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "stopped web" in healed.stdout
    assert files.processes() == []
    assert files.kunren("heal").stdout == "nothing was left behind\n"


@pytest.mark.live
def test_one_that_shows_another_token_is_left_alone(files: Place) -> None:
    old = TARGET.replace("{service: web, path: /drill-target.json}", '{run: [echo, kunren.drill-target, "1234"]}')
    (files.home / "target.yaml").write_text(old)
    done = files.kunren("run", "drill.yaml", "--target", "target.yaml", "--proxy", "embedded")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "does not show the drill label" in done.stderr
    (run,) = files.runs()
    assert not any(event["actor"].startswith("fault:") for event in files.events(Path(run)))


@pytest.mark.long
def test_the_example_behaves_as_declared(place: Place) -> None:
    """Needs the package index."""
    target = str(EXAMPLE / "target.yaml")
    for drill, arm in EXAMPLE_ARMS:
        file = str(EXAMPLE / f"{drill}.yaml")
        done = place.kunren("verify", file, "--arm", arm, "--target", target, "--proxy", "embedded")
        assert done.returncode == 0, done.stdout + done.stderr
