"""The runner against a target that none of us wrote: what it asks of it, and what it does when that is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from drills.commands import heal as fix
from drills.errors import MissingMeans, Refused
from drills.execution import runner
from drills.record.arm import RUNBOOK
from drills.spec.drill import load_drill
from drills.spec.request import RunRequest
from drills.spec.target import profile_of
from loadprofiles import PROFILES, Url
from loadprofiles.process import LoadError
from targets.operator_tool import OperatorTool
from targets.registry import RUNTIMES
from targets.runtime import Request
from targets.target import Capabilities, Fetch, Intent, OwnPart, ProbeResult, TargetError, Unlabelled

WORLD = [{"kind": "account", "t_ns": 0, "id": "C-0001", "account": "C-0001", "cash": 1_000_000}]


@dataclass
class Strange:
    """A target that can be started and does not prove that it is one for drills."""

    request: Request
    said: list[str] = field(default_factory=list)
    name = "strange"
    business_clock = None

    def intent(self) -> Intent:
        return Intent("local", self.request.run)

    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(), frozenset(), ("exchange",), operator=None, alerts=False)

    def world(self) -> list[dict[str, Any]]:
        self.said.append("world")
        return WORLD

    def password(self, customer: str) -> str:
        return customer

    def lifelines(self) -> tuple[int, ...]:
        return ()

    def unguarded(self) -> tuple[str, ...]:
        return ()

    def by_hand(self) -> Iterator[str]:
        yield "knock three times"

    def __enter__(self) -> Self:
        journal = self.request.logs.parent / "rollback.jsonl"
        assert json.loads(journal.read_text()) == {
            "what": "target", "intent": {"target": "local", "stack": self.request.run},
        }  # fmt: skip
        self.said.append("start")
        return self

    def __exit__(self, *_: object) -> None:
        self.said.append("stop")

    def handshake(self) -> ProbeResult:
        self.said.append("handshake")
        raise Unlabelled("it shows no label")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked of a target that showed no label")


@dataclass
class Way:
    """Its runtime."""

    made: list[Strange] = field(default_factory=list)
    fails: str = ""
    name = "strange"
    source = None
    compression = 30
    start_stop_s = 1.0
    files_per_customer = 1

    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(), frozenset(), (), operator=OperatorTool("tool", (), ()), alerts=True)

    def make(self, request: Request) -> Strange:
        if self.fails:
            raise TargetError(self.fails)
        self.made.append(Strange(request))
        return self.made[-1]

    def lacking(self, proxy: str) -> tuple[str, ...]:
        return ()


class NoLoad:
    """Customers that never come."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        pass

    def kill(self) -> None:
        pass


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Way:
    made = Way()
    monkeypatch.setitem(RUNTIMES, "strange", lambda: made)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(runner, "Load", NoLoad)
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    return made


@pytest.fixture
def wanted(tmp_path: Path) -> RunRequest:
    return RunRequest(load_drill("exchange-link-down"), RUNBOOK, 7, tmp_path / "runs", target="strange")


def test_a_target_without_a_label_is_refused_and_left_as_it_is(way: Way, wanted: RunRequest) -> None:
    finished = runner.run(wanted, lambda _: None)
    assert isinstance(finished.error, Refused)
    assert str(finished.error) == "it shows no label (nothing was injected)"
    (target,) = way.made
    assert target.said == ["world", "start", "handshake", "stop"]
    request = target.request
    assert (request.seed, request.phase, request.compression, request.proxy) == (7, "D3", 30, "auto")
    assert request.logs == finished.folder / "logs"
    record: Mapping[str, Any] = json.loads((finished.folder / "run.json").read_bytes())
    assert (record["target"], record["plan"]["compression"]) == ("strange", 30)
    assert (record["end"]["reason"], record["end"]["exit"]) == ("refused", 3)
    assert (finished.folder / "SHA256SUMS").exists()
    assert not list(finished.folder.glob("heal-*.json"))


class Labelled(Strange):
    """It proves what it is; its proxies answer nothing but a reset."""

    def handshake(self) -> ProbeResult:
        return ProbeResult(True, "it shows the label")

    def engines(self) -> dict[str, str]:
        return {}

    def own_hosts(self) -> tuple[str, ...]:
        return ()

    def own_parts(self) -> tuple[OwnPart, ...]:
        return ()

    def processor_time(self) -> int:
        return 0

    def customers_url(self) -> str:
        return "http://127.0.0.1:1"

    def customers_authority(self) -> str:
        return ""

    @property
    def business_clock(self) -> Self:
        return self

    def open_day(self, t0: int) -> None:
        self.said.append(f"{len(journalled(self))} lines")

    def proxies(self) -> Labelled:
        return self

    def reset(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise TargetError(f"no {name}")


def journalled(target: Strange) -> list[str]:
    return (target.request.logs.parent / "rollback.jsonl").read_text().splitlines()


def test_the_intent_to_undo_is_on_disk_before_the_load_is_let_in(
    way: Way, wanted: RunRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no disk, however slow, holds up an injection whose instant has come."""

    def go(self: NoLoad, t0: int) -> None:
        raise LoadError("that was all")

    monkeypatch.setattr(NoLoad, "prepare", lambda *_, **__: None, raising=False)
    monkeypatch.setattr(NoLoad, "go", go, raising=False)
    monkeypatch.setattr(way, "make", lambda request: way.made.append(Labelled(request)) or way.made[-1])
    finished = runner.run(wanted, lambda _: None)
    assert str(finished.error) == "that was all"
    (target,) = way.made
    assert target.said == ["world", "start", "2 lines", "stop"]
    assert [json.loads(line)["what"] for line in journalled(target)] == ["target", "intent"]


def test_one_that_cannot_be_made_leaves_no_folder(way: Way, wanted: RunRequest) -> None:
    way.fails = "no ports are free"
    with pytest.raises(MissingMeans, match="no ports are free"):
        runner.run(wanted, lambda _: None)
    assert list(wanted.runs.glob("*/*")) == []


def test_a_target_to_look_at_keeps_its_logs_below_the_runs(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_once = SimpleNamespace(Event=lambda: SimpleNamespace(wait=lambda _: True))
    monkeypatch.setattr(fix, "threading", at_once)
    fix.target_up(target="strange", runs=tmp_path / "runs")
    refused = "handshake:  none, so no drill would inject anything: it shows no label\n"
    assert capsys.readouterr().out.endswith(f"knock three times\n{refused}")
    (target,) = way.made
    assert target.said == ["start", "handshake", "stop"]
    (folder,) = (tmp_path / "runs" / "target-up").iterdir()
    assert target.request.logs == folder / "logs"
    assert target.request.run == f"target-up/{folder.name}"
    assert {path.name for path in folder.iterdir()} == {"logs", "rollback.jsonl"}
    assert {path.name for path in tmp_path.iterdir()} <= {"runs", "cache"}


def test_customers_come_by_url_to_a_target_that_says_what_they_ask_for() -> None:
    asked = {"reading": {"pages": Fetch("GET", "/notes", 200, 20.0), "writes": Fetch("POST", "/notes", 201, 5.0)}}
    capabilities = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False, loads=asked)
    profile = profile_of("reading", capabilities)
    assert profile.services == {"pages": 20.0, "writes": 5.0}
    assert profile.urls["writes"] == Url("POST", "/notes", 201)
    usual = Capabilities(frozenset(), frozenset(), (), operator=None, alerts=False)
    assert profile_of("day-session", usual) is PROFILES["day-session"]
