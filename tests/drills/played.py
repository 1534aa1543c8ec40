"""A target and a load that are played, so that a whole run takes seconds and needs nothing of the brokerage.

``argv("child")`` starts the process of a run (``drills.execution.child``) that knows both of them, ``argv("kunren")``
the command line, and ``argv("api")``, with DRILL and RUNS, somebody who calls the api.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from drills import api, cli
from drills.execution import child, process, reaper, runner
from drills.record import arm as arms
from drills.record.history import NS
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from drills.spec.target import words_of
from loadprofiles.samples import SAMPLE
from targets import children
from targets.operator_tool import OperatorTool
from targets.registry import RUNTIMES
from targets.runtime import Request
from targets.target import Alert, Capabilities, Fetch, Intent, OwnPart, ProbeResult, ServiceState

NAME = "played"
RATE = 50.0
GUARD_S = 120.0
"""No expectation: for whatever a machine that is short of everything takes."""
DRILL = """\
drill: played
title: {en: A service dies, ja: サービスの停止}
sources: [rkt-05]
phase: D3
load: reading
slo: {hold: 300ms, grace: 100ms}
baseline: BASELINE
timeline:
  - {at: 100ms, for: until-judged, fault: {kind: kill, service: web}}
alerts: [Down]
runbook: runbook.yaml
objectives: {detect: 2s}
checks: [nothing-left-behind]
arms: {runbook: pass, no-action: fail, no-fault: pass}
cap: 8s
"""
RUNBOOK = """\
runbook: played
title: {en: The service is down, ja: サービス停止}
for: {alerts: [Down], phases: [D3]}
prohibited: [{en: Nothing, ja: なし}]
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - {id: call, role: operator, text: {en: Call the desk., ja: 担当へ連絡する。}, within: 3s, if_failed: stop}
"""


TOOL = OperatorTool("tool", ("operator",), ())


@dataclass
class Played:
    """It is broken when it is told to be, sends an alert of it, and leaves ``stopped`` beside its logs."""

    request: Request
    pid: int | None = field(default_factory=os.getpid)
    came: list[Alert] = field(default_factory=list)
    name = NAME
    conditions = None
    partitioning = None
    business_clock = None

    def intent(self) -> Intent:
        return Intent("local", self.request.run)

    def capabilities(self) -> Capabilities:
        return PlayedRuntime().capabilities()

    def world(self) -> list[dict[str, Any]]:
        return [{"kind": "account", "t_ns": 0, "id": "C-0001", "account": "C-0001", "cash": 1_000_000}]

    def password(self, customer: str) -> str:
        return customer

    def lifelines(self) -> tuple[int, ...]:
        return ()

    def unguarded(self) -> tuple[str, ...]:
        return ()

    def own_parts(self) -> tuple[OwnPart, ...]:
        return ()

    def processor_time(self) -> int:
        return 0

    def by_hand(self) -> Iterator[str]:
        yield "nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        (self.request.logs / "stopped").touch()

    def handshake(self) -> ProbeResult:
        return ProbeResult(True, "it shows the label")

    def engines(self) -> Mapping[str, str]:
        return {"proxy": "none"}

    def customers_url(self) -> str:
        return "http://127.0.0.1:1"

    def customers_authority(self) -> str:
        return ""

    def own_hosts(self) -> frozenset[str]:
        return frozenset()

    @property
    def alerts(self) -> Self:
        return self

    @property
    def operator_tool(self) -> Self:
        return self

    @property
    def books(self) -> Self:
        return self

    def proxies(self) -> Played:
        return self

    def reset(self) -> None:
        pass

    def services(self) -> dict[str, ServiceState]:
        return {"web": ServiceState("web", self.pid, self.pid is not None)}

    def signal(self, service: str, number: int) -> None:
        self.pid = None
        self.came.append(Alert("Down", "firing", time.monotonic_ns(), "page", {}, "web is down", "played"))

    def start(self, service: str) -> None:
        self.pid = os.getpid()

    def received(self, after: int) -> tuple[Alert, ...]:
        return tuple(self.came[after:])

    def heartbeat(self) -> tuple[int, int] | None:
        return None

    def book(self, name: str) -> list[dict[str, Any]]:
        return []

    def logs(self) -> dict[str, Path]:
        return {}


class PlayedRuntime:
    name = NAME
    source = None
    compression = 60
    start_stop_s = 1.0
    files_per_customer = 1

    def capabilities(self) -> Capabilities:
        loads = {"reading": {"pages": Fetch("GET", "/", 200, RATE)}}
        books = ("exchange", "oms", "notices")
        return Capabilities(
            frozenset(), frozenset({"web"}), books, operator=TOOL, alerts=True, rules=frozenset({"Down"}), loads=loads
        )

    def examine(self) -> tuple[()]:
        return ()

    def lacking(self, proxy: str) -> tuple[str, ...]:
        return ()

    def make(self, request: Request) -> Played:
        return Played(request)


class PlayedLoad:
    """Everybody is served at once."""

    def __init__(self, _: object, folder: Path, **__: object) -> None:
        self.folder = folder
        self.next = 0

    def start(self) -> None:
        self.folder.mkdir()
        (self.folder / "load.log").touch()

    def prepare(self, *_: object, **__: object) -> None:
        pass

    def go(self, t0: int) -> None:
        self.next = t0

    def tail(self) -> Any:
        now, gap = time.monotonic_ns(), int(NS / RATE)
        rows = np.zeros(max(0, (now - self.next) // gap), SAMPLE)
        rows["intended"] = rows["sent"] = rows["done"] = self.next + gap * np.arange(len(rows))
        self.next += gap * len(rows)
        return rows

    def fail_if_dead(self) -> None:
        pass

    def stop(self, within_s: float) -> dict[str, Any]:
        return {"abandoned": 0, "rows": 0}

    def kill(self) -> None:
        pass


def write_drill(folder: Path, baseline: str = "300ms") -> Path:
    """Drill and runbook; the drill's file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "runbook.yaml").write_text(RUNBOOK)
    (folder / "drill.yaml").write_text(DRILL.replace("BASELINE", baseline))
    return folder / "drill.yaml"


def argv(what: str = "child") -> list[str]:
    """How one of the three begins."""
    return children.python("tests.drills.played", what)


def request(drill: Path, runs: Path, arm: arms.Arm = arms.RUNBOOK) -> RunRequest:
    """By an operator who reacts soon."""
    return RunRequest(load_drill(drill, words_of(NAME)), arm, 7, runs, NS // 10, target=NAME)


def main() -> None:
    what = sys.argv.pop(1)
    RUNTIMES[NAME] = PlayedRuntime  # type: ignore[assignment]
    runner.Load = PlayedLoad  # type: ignore[assignment, misc]
    process.argv = argv
    reaper.STANDS_WITHIN_S = GUARD_S
    if what == "child":
        child.main()
    elif what == "kunren":
        cli.main()
    else:
        api.run(request(Path(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
