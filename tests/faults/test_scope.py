"""Journal before injection, undo whatever happens, and an intent that any later process can carry out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from faults import FAULTS, scope
from faults.scope import NotInjected, begin, broken, end, from_intent, to_intent
from targets.target import ProbeResult, StartFailed, TargetError


class Log:
    """Everything that happens, in order, as ``what`` or ``what:kind``."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.rows: list[tuple[str, str, str, Mapping[str, Any]]] = []
        self.lines: list[Mapping[str, Any]] = []

    def record(self, actor: str, kind: str, what: str, data: Mapping[str, Any]) -> None:
        json.dumps(data)
        self.rows.append((actor, kind, what, data))
        self.said.append(f"{what}:{kind}")

    def journal(self, line: Mapping[str, Any]) -> None:
        self.lines.append(json.loads(json.dumps(line)))
        self.said.append(f"journal {line['what']}")


class Spy:
    """A fault that notes the calls; ``trouble`` maps a verb to what it raises or answers."""

    KIND: ClassVar[str] = "spy"

    def __init__(self, log: Log, **trouble: Any) -> None:
        self.log = log
        self.trouble = trouble

    def _do(self, verb: str) -> ProbeResult:
        self.log.said.append(verb)
        what = self.trouble.get(verb, True)
        if isinstance(what, list):
            what = what.pop(0)
        if isinstance(what, BaseException):
            raise what
        return ProbeResult(what, verb, {"n": 1})

    def missing(self, capabilities: Any) -> None:
        return None

    def inject(self, target: Any) -> ProbeResult:
        return self._do("inject")

    def verify_effect(self, target: Any) -> ProbeResult:
        return self._do("verify_effect")

    def rollback(self, target: Any) -> ProbeResult:
        return self._do("rollback")

    def verify_removed(self, target: Any) -> ProbeResult:
        return self._do("verify_removed")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(scope, "to_intent", lambda fault: {"kind": fault.KIND})
    return Log()


BEGUN = ["journal intent", "inject:invoke", "inject", "inject:ok", "verify_effect", "verify_effect:ok"]
ENDED = ["rollback:invoke", "rollback", "rollback:ok", "verify_removed", "verify_removed:ok", "journal undone"]


def test_the_order_of_things(log: Log) -> None:
    with broken(Spy(log), None, 3, log.record, log.journal) as seen:  # type: ignore[arg-type]
        log.said.append("body")
    assert seen.says == "verify_effect"
    assert log.said == [*BEGUN, "body", *ENDED]
    assert {row[0] for row in log.rows} == {"fault:3"}
    assert log.rows[1][3] == {"says": "inject", "n": 1}
    assert log.lines == [{"what": "intent", "index": 3, "fault": {"kind": "spy"}}, {"what": "undone", "index": 3}]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_undo_runs_whatever_ends_the_block(log: Log, error: type[BaseException]) -> None:
    with pytest.raises(error), broken(Spy(log), None, 0, log.record, log.journal):  # type: ignore[arg-type]
        raise error
    assert log.said == [*BEGUN, *ENDED]


@pytest.mark.parametrize("trouble", [TargetError("proxy is away"), OSError("no route"), False])
def test_a_failed_injection_is_undone_and_the_block_does_not_run(log: Log, trouble: Any) -> None:
    with pytest.raises(NotInjected), broken(Spy(log, inject=trouble), None, 0, log.record, log.journal):  # type: ignore[arg-type]
        log.said.append("body")
    assert log.said == ["journal intent", "inject:invoke", "inject", "inject:fail", *ENDED]


def test_an_interrupt_during_the_injection_is_undone(log: Log) -> None:
    fault = Spy(log, inject=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt), broken(fault, None, 0, log.record, log.journal):  # type: ignore[arg-type]
        pass
    assert log.said == ["journal intent", "inject:invoke", "inject", *ENDED]


def test_nothing_is_injected_when_the_journal_cannot_be_written(log: Log) -> None:
    def full(line: Mapping[str, Any]) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        begin(Spy(log), None, 0, log.record, full)  # type: ignore[arg-type]
    assert log.said == []


@pytest.mark.parametrize("trouble", [False, TargetError("cannot look")])
def test_a_witness_that_sees_nothing_is_recorded_and_the_drill_goes_on(log: Log, trouble: Any) -> None:
    with broken(Spy(log, verify_effect=trouble), None, 0, log.record, log.journal) as seen:  # type: ignore[arg-type]
        assert not seen.ok
    assert log.said == [*BEGUN[:-1], "verify_effect:fail", *ENDED]


def test_the_undo_is_tried_again_until_it_is_gone(log: Log) -> None:
    fault = Spy(log, rollback=[TargetError("hangs"), True], verify_removed=[False, True])
    seen = end(fault, None, 0, log.record, log.journal)  # type: ignore[arg-type]
    assert seen.ok
    assert log.said == ["rollback:invoke", "rollback", "rollback:fail", "verify_removed", "verify_removed:fail", *ENDED]


def test_what_does_not_go_away_stays_in_the_journal(log: Log) -> None:
    seen = end(Spy(log, verify_removed=False), None, 0, log.record, log.journal)  # type: ignore[arg-type]
    assert not seen.ok
    assert log.said.count("rollback") == 3
    assert log.lines == []


def test_what_cannot_be_recorded_is_undone_all_the_same(log: Log) -> None:
    def full(*_: Any) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        end(Spy(log, verify_removed=[False, True]), None, 0, full, full)  # type: ignore[arg-type]
    assert log.said == ["rollback", "verify_removed", "rollback", "verify_removed"]


@pytest.mark.parametrize("kind", FAULTS)
def test_an_intent_is_plain_data_and_comes_back_the_same(kind: str) -> None:
    values = {
        "link": "a",
        "service": "a",
        "latency": 1,
        "rate": 1,
        "delay": 1,
        "average_size": 5,
        "bytes": 1,
        "times": 2,
    }
    told = {"run": "brokerctl status", "field": "ok", "value": True}
    values |= {"what": "wet-floor", "role": "operator", "run": ["x"], "undo": ["y"], "felt": told, "undone": [told]}
    declared = [field.encode_name for field in FAULTS[kind].declared()]
    fields = {field: value for field, value in values.items() if field in declared}
    fault = from_intent({"kind": kind, **fields})
    assert from_intent(json.loads(json.dumps(to_intent(fault)))) == fault
    assert to_intent(fault)["kind"] == kind


HARNESS = """
import json, os, signal, sys
from faults.scope import broken, from_intent
from targets.target import Link
from targets.toxiproxy import ToxiproxyClient

class Target:
    def proxies(self): return ToxiproxyClient("127.0.0.1", int(sys.argv[1]))
    def links(self): return {"link": Link("link", sys.argv[2], sys.argv[3])}

def journal(line):
    with open(sys.argv[4], "a") as file:
        print(json.dumps(line), file=file, flush=True)
        os.fsync(file.fileno())

with broken(from_intent({"kind": "timeout", "link": "link"}), Target(), 0, lambda *_: None, journal):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_another_process_undoes_what_a_killed_one_left(target: Any, server: Any, tmp_path: Path) -> None:
    system = target()
    journal = tmp_path / "rollback.jsonl"
    argv = [sys.executable, "-c", HARNESS, str(server.port), system.listen, system.address, str(journal)]
    assert subprocess.run(argv, timeout=30).returncode == -signal.SIGKILL
    assert sorted(system.proxies().toxics("link")) == ["kunren-timeout-downstream", "kunren-timeout-upstream"]
    (line,) = [json.loads(text) for text in journal.read_text().splitlines()]
    seen = end(from_intent(line["fault"]), system, line["index"], lambda *_: None, lambda line: None)
    assert seen.ok
    assert system.proxies().toxics("link") == {}


def test_the_end_of_a_log_is_noted_where_an_undo_cannot_start_a_service(log: Log, tmp_path: Path) -> None:
    failed = StartFailed("web ended while starting", ("line one", "no disk"), tmp_path / "web.log")
    begin(Spy(log), None, 0, log.record, log.journal)  # type: ignore[arg-type]
    end(Spy(log, rollback=failed), None, 0, log.record, log.journal)  # type: ignore[arg-type]
    (undone,) = [data for _, kind, what, data in log.rows if (kind, what) == ("fail", "rollback")]
    says = "web ended while starting; its log ends: no disk"
    assert undone == {"says": says, "error": "StartFailed", "log": ["line one", "no disk"]}
