"""Beginnings and ends: two at once, and one whose owner was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drills.heal import heal, leftovers
from targets.registry import RUNTIMES
from targets.runtime import Runtime
from targets.target import Intent, TargetError

pytestmark = pytest.mark.contract

ORPHAN = """
import os, signal, sys
from pathlib import Path
from targets.registry import runtime
from targets.runtime import Request
way = runtime(sys.argv[1])
target = way.make(Request("orphan", 7, "D3", None, way.compression, Path(sys.argv[2])))
target.__enter__()
print(target.intent().stack, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=list(RUNTIMES))
def way(request: pytest.FixtureRequest, ways: dict[str, Runtime]) -> Runtime:
    return ways[request.param]


def test_two_at_once_do_not_meet(way: Runtime, tmp_path: Path) -> None:
    from targets.runtime import Request

    first, second = (
        way.make(Request("pair", seed, "D3", None, way.compression, tmp_path / str(seed))) for seed in (1, 2)
    )
    with first, second:
        assert first.handshake().ok
        assert second.handshake().ok
        first.signal("api", signal.SIGKILL)
        assert second.services()["api"].healthy
    for each in (first, second):
        assert not way.owned(each.intent())
        with pytest.raises(TargetError):
            way.attach(each.intent())


def test_what_a_killed_owner_left_is_found_and_ended(way: Runtime, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, way.name, str(tmp_path / "logs")],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = Intent(way.name, done.stdout.strip())
    try:
        assert left in way.abandoned()
    finally:
        said = list(way.end(left))
    assert said
    assert left not in way.abandoned()
    assert not Path(left.stack).exists()


CUT_OFF = """
import json, os, signal, sys
from dataclasses import asdict
from pathlib import Path
from faults import FAULTS
from faults.scope import begin
from targets.registry import runtime
from targets.runtime import Request
way, run = runtime(sys.argv[1]), Path(sys.argv[2])
target = way.make(Request("orphan", 7, "D3", None, way.compression, run / "logs"))

def journal(line):
    with (run / "undo.jsonl").open("a") as file:
        print(json.dumps(line), file=file, flush=True)

journal({"what": "target", "intent": asdict(target.intent())})
target.__enter__()
assert begin(FAULTS["partition"](service="bank"), target, 0, lambda *_: None, journal).ok
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_partition_of_a_killed_harness_is_healed_from_its_journal(way: Runtime, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF, way.name, str(tmp_path)],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = leftovers(None, (tmp_path,))
    said = heal(left)
    if way.name == "compose":  # its containers outlive their owner, and so does the fault
        assert said[0].startswith("partition: bank connected; bank connected, healthy"), said
    assert leftovers(None, (tmp_path,)) == []
