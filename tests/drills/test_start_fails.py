"""A system of the user's that does not start: refused, with what it said, and nothing of ours is to blame."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drills import cli
from drills.execution import runner
from drills.record.arm import NO_ACTION
from drills.spec import target as systems
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from targets.site import sites

from .test_seam import NoLoad

Call = Callable[..., int]

DRILL = """\
drill: web-dies
title: {en: The web process dies, ja: Webプロセスの異常終了}
load: reading
baseline: 3s
timeline:
  - {at: 1s, for: 2s, fault: {kind: kill, service: web}}
objectives: {recover: 7s}
arms: {no-action: pass, no-fault: pass}
cap: 10s
"""

TARGET = """\
target: files
services:
  web: {start: [START], health: /healthz, within: 1s}
links: {front: {upstream: web}}
customers: front
loads: {reading: {pages: {get: /, rate: 20}}}
handshake: {service: web, path: /drill-target.json}
unsupported: [books, operator, alerts]
"""

DIES = '"{python}", -c, "for n in range(20): print(n, flush=True)\\nraise SystemExit(4)"'
SERVES_404 = '"{python}", -m, http.server, --bind, 127.0.0.1, --directory, "{public}", "{port}"'
WAYS = {
    "it ends": (DIES, "", "web ended while starting", list(map(str, range(10, 20)))),
    "it answers something else": (
        SERVES_404, "", "web did not get healthy within 1 s: GET /healthz at 127.0.0.1:", ["HTTP/1.1\" 404 -"],
    ),
    "there is no such program": ("/no/such/program", "", "cannot run /no/such/program: No such file or directory", []),
    "prepare fails": (
        DIES, 'prepare: [[sh, -c, "echo no network >&2; exit 3"]]\n',
        "prepare command 1 of 1: sh -c 'echo no network >&2; exit 3': exit status 3", ["no network"],
    ),
}  # fmt: skip


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "drill.yaml").write_text(DRILL)

    def kunren(*argv: str) -> int:
        systems._from_file.cache_clear()  # read once a command, and here are several in one process
        monkeypatch.setattr(sys, "argv", ["kunren", *argv, "--target", "target.yaml", "--proxy", "embedded"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return kunren


@pytest.mark.parametrize("verb", [("run", "drill.yaml"), ("verify", "drill.yaml"), ("target", "up")], ids=" ".join)
@pytest.mark.parametrize(("start", "more", "says", "log"), WAYS.values(), ids=list(WAYS))
def test_it_is_refused_with_what_it_said(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str, ...], start: str, more: str,
    says: str, log: list[str],
) -> None:  # fmt: skip
    (tmp_path / "target.yaml").write_text(TARGET.replace("START", start) + more)
    assert call(*verb) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"kunren: {says}")
    assert len(said) - 1 == (10 if "GET /healthz" in says else len(log))
    assert all(line.endswith(wanted) for line, wanted in zip(reversed(said[1:]), reversed(log), strict=False))
    assert "internal error" not in "".join(said)
    assert list(sites().iterdir()) == []


def test_its_run_is_kept_and_says_where(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "target.yaml").write_text(TARGET.replace("START", DIES))
    assert call("run", "drill.yaml", "--json", "-") == 3
    (run,) = (tmp_path / "runs" / "web-dies").iterdir()
    said = capsys.readouterr()
    assert f"nothing was injected, and what there is to see is kept in {run.relative_to(tmp_path)}" in said.err
    assert (run / "logs" / "web.log").read_text().endswith("19\n")
    assert (run / "SHA256SUMS").exists()
    end: dict[str, Any] = json.loads((run / "run.json").read_bytes())["end"]
    assert (end["reason"], end["exit"]) == ("refused", 3)
    assert end["says"] == "web ended while starting; its log ends: 19"
    assert json.loads(said.out)["verdict"] == "invalid"
    assert '"fault:' not in (run / "events.jsonl").read_text()


def test_what_fails_of_ours_is_no_refusal(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is not the user's."""
    monkeypatch.setattr("targets.described.engine_command", lambda *_: ["false"])
    monkeypatch.setattr("targets.toxiproxy.ToxiproxyClient.wait_ready.__defaults__", (0.1, None))
    monkeypatch.setattr(runner, "Load", NoLoad)
    (tmp_path / "target.yaml").write_text(TARGET.replace("START", SERVES_404))
    assert call("target", "up") == 70
    drill = load_drill(tmp_path / "drill.yaml", systems.words_of("target.yaml"))
    request = RunRequest(drill, NO_ACTION, 7, tmp_path / "runs", proxy="embedded", target="target.yaml")
    assert isinstance(runner.run(request, lambda _: None).error, runner.RunFailed)
