"""Beginnings and ends: two at once, and one whose owner was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drills.execution.heal import heal, residuals
from targets.registry import cleanup
from targets.runtime import Request, Runtime
from targets.target import Intent, TargetError

from .systems import SYSTEMS

pytestmark = pytest.mark.contract

needs = pytest.mark.needs

ORPHAN = """
import os, signal, sys
from pathlib import Path
from drills.spec.target import system
from targets.runtime import Request
way = system(sys.argv[1])
target = way.make(Request("orphan", 7, "D3", None, way.compression, Path(sys.argv[2])))
target.__enter__()
print(target.intent().target, target.intent().stack, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@needs("services")
def test_two_at_once_do_not_meet(way: Runtime, name: str, tmp_path: Path) -> None:
    first, second = (
        way.make(Request("pair", seed, "D3", None, way.compression, tmp_path / str(seed))) for seed in (1, 2)
    )
    struck = min(way.capabilities().services)
    with first, second:
        assert first.handshake().ok
        assert second.handshake().ok
        first.signal(struck, signal.SIGKILL)
        assert second.services()[struck].healthy
    for each in (first, second):
        keeper = cleanup(each.intent().target)
        assert not keeper.owned(each.intent())
        with pytest.raises(TargetError):
            keeper.attach(each.intent())


def test_what_a_killed_owner_left_is_found_and_ended(way: Runtime, name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, SYSTEMS[name].way, str(tmp_path / "logs")],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = Intent(*done.stdout.split())
    keeper = cleanup(left.target)
    try:
        assert left in keeper.abandoned()
    finally:
        said = list(keeper.end(left))
    assert said
    assert left not in keeper.abandoned()
    assert not Path(left.stack).exists()


CUT_OFF = """
import json, os, signal, sys
from dataclasses import asdict
from pathlib import Path
from faults import FAULTS
from faults.scope import begin
from drills.spec.target import system
from targets.runtime import Request
way, run = system(sys.argv[1]), Path(sys.argv[2])
target = way.make(Request("orphan", 7, "D3", None, way.compression, run / "logs"))

def journal(line):
    with (run / "rollback.jsonl").open("a") as file:
        print(json.dumps(line), file=file, flush=True)

journal({"what": "target", "intent": asdict(target.intent())})
target.__enter__()
assert begin(FAULTS["partition"](service=sys.argv[3]), target, 0, lambda *_: None, journal).ok
os.kill(os.getpid(), signal.SIGKILL)
"""


@needs("partitionable")
def test_a_partition_of_a_killed_harness_is_healed_from_its_journal(way: Runtime, name: str, tmp_path: Path) -> None:
    facts = SYSTEMS[name]
    assert facts.parted is not None
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF, facts.way, str(tmp_path), facts.parted.service],
        capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = residuals(None, (tmp_path,))
    said = heal(left).said
    if facts.outlives_owner:
        assert said[0].startswith("partition: "), said
    assert residuals(None, (tmp_path,)) == []
