"""A healthy target behind a part of ours that runs out of descriptors half-way: the run is invalid, and names the part.

And a target that runs out of them itself, loudly: it fails, whatever it says.
"""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path
from typing import Any

import psutil
import pytest

from targets.processes import KEEPER

from .rig import Place, Process, card, wait_for

pytestmark = pytest.mark.live

TARGET = """\
target: files
services:
  web:
    start: ["{python}", "{here}/serve.py", "{port}", "{public}"]
    health: /drill-target.json
links: {front: {upstream: web}}
customers: front
loads: {reading: {pages: {get: /drill-target.json, rate: 20}}}
handshake: {service: web, path: /drill-target.json}
unsupported: [books, operator, alerts]
"""

DRILL = """\
drill: quiet
title: {en: Nothing happens, ja: 平常}
load: reading
slo: {hold: 2s}
baseline: 2s
timeline:
  - {at: 1s, for: until-judged, fault: {kind: kill, service: web}}
objectives: {service_s: 500ms}
arms: {no-action: pass, no-fault: pass}
cap: 8s
"""

SERVE = """\
import functools, http.server, sys
port, public = int(sys.argv[1]), sys.argv[2]
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=public)
http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
"""

LOUD = """\
import functools, http.server, pathlib, sys
port, public = int(sys.argv[1]), sys.argv[2]
trouble = pathlib.Path(__file__).with_name("trouble")
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if not trouble.exists():
            return super().do_GET()
        words = b"own error: too many open files: [Errno 24] accept\\n"
        print(words.decode(), "panic: too many open files", file=sys.stderr, flush=True)
        self.send_response(500)
        self.end_headers()
        self.wfile.write(words)
handler = functools.partial(Handler, directory=public)
http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
"""


@pytest.fixture
def files(place: Place) -> Place:
    (place.home / "target.yaml").write_text(TARGET)
    (place.home / "drill.yaml").write_text(DRILL)
    (place.home / "serve.py").write_text(SERVE)
    return place


def start(place: Place) -> Process:
    """A run in which nothing is broken on purpose, up to the end of its baseline."""
    argv = ("drill.yaml", "--arm", "no-fault", "--target", "target.yaml", "--seed", "5", "--proxy", "embedded")
    harness = place.start("run", *argv)
    place.reached(harness, "runner", "ok", "baseline")
    return harness


def part(place: Place, module: str) -> int:
    """The process of a part of ours; its keeper has the same words behind its own."""
    found = []
    for process in place.processes():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if any(word.endswith(module) for word in words) and not any(word.endswith(KEEPER.name) for word in words):
                found.append(process.pid)
    (pid,) = found
    return pid


@pytest.mark.parametrize(
    ("module", "name", "log"),
    [("faults.proxy", "proxy", "logs/toxiproxy.log"), ("loadprofiles.generator", "load", "work/load.log")],
)
def test_a_part_out_of_descriptors_makes_the_run_invalid_and_is_named(
    files: Place, module: str, name: str, log: str
) -> None:
    harness = start(files)
    (run,) = files.runs()
    pid = part(files, module)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, hard))
    wait_for(lambda: "own error: too many open files" in (run / log).read_text(), f"{name} to tell of it")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert harness.ended() == 2, harness.said()
    found = cell(run)
    assert found["verdict"] == "invalid"
    error, first = (dict(each["values"]) for each in found["reasons"][:2])
    assert (error["part"], error["kind"], first["part"]) == (name, "too many open files", name)
    assert error["n"] > 0
    assert card(run)["verdict"] == "invalid"


def test_a_killed_proxy_makes_the_run_invalid_and_is_named(files: Place) -> None:
    harness = start(files)
    psutil.Process(part(files, "faults.proxy")).kill()
    assert harness.ended() == 2, harness.said()
    (run,) = files.runs()
    assert {"id": "own.error", "values": {"part": "proxy", "n": 1, "kind": "ended by itself"}} in cell(run)["reasons"]


def test_a_target_in_trouble_fails_whatever_words_it_uses(files: Place) -> None:
    (files.home / "serve.py").write_text(LOUD)
    harness = start(files)
    (files.home / "trouble").touch()
    assert harness.ended() == 1, harness.said()
    (run,) = files.runs()
    assert "too many open files" in (run / "logs" / "web.log").read_text()
    sound = [{"id": "own.sound", "values": {"parts": ["harness", "load", "proxy"]}}]
    assert (cell(run)["verdict"], cell(run)["reasons"]) == ("pass", sound)


def cell(run: Path) -> dict[str, Any]:
    (found,) = (each for each in card(run)["checks"] if each["id"] == "own-parts-sound")
    return dict(found)
