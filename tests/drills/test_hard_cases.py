"""Damage and circumstances that must not take down what is there to help: heal, list, output files, a reader gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drills.commands.common import writable
from drills.errors import Refused
from drills.execution import heal
from drills.record.arm import ARMS
from drills.spec.drill import catalogue, load_drill
from drills.spec.planning import expectation

KUNREN = str(Path(sys.executable).parent / "kunren")

DAMAGED = (
    b"[1]\n",
    b'{"what": "target"}\n',
    b'{"what": "target", "intent": 3}\n',
    b'{"what": "intent"}\n{"what": "undone"}\n',
    b"\xff\xfe\x00\n",
)


def kunren(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KUNREN, *argv], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_journal_stops_nobody_else_s_healing(tmp_path: Path, content: bytes) -> None:
    run = tmp_path / "some-drill" / "20261122T100000.000Z-runbook-1"
    run.mkdir(parents=True)
    (run / "rollback.jsonl").write_bytes(content)
    assert list(heal._journals(tmp_path, ())) == []
    assert heal._open_faults(run) == []


def test_a_card_that_is_none_is_no_verdict(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "exchange-link-down" / "20261122T100000.000Z-runbook-1"
    run.mkdir(parents=True)
    (run / "scorecard.json").write_text("[]")
    (run / "run.json").write_text("{}")
    done = kunren("list", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_output_files_are_tried_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot write"):
        writable(str(tmp_path / "no-such-folder" / "x.json"))
    with pytest.raises(Refused, match="cannot write"):
        writable("/proc/x")
    with pytest.raises(Refused, match="same file"):
        writable(str(tmp_path / "x"), str(tmp_path / "x"))
    writable(str(tmp_path / "x"), None, "-")
    assert not (tmp_path / "x").exists()


def test_a_reader_that_has_gone_ends_nothing(tmp_path: Path) -> None:
    code = (
        "from drills.streams import standard_streams\n"
        "from drills.commands.common import console\n"
        "import pathlib\n"
        "with standard_streams():\n"
        "    said = console(to_stderr=False)\n"
        "    for n in range(20000):\n"
        "        said.print('line', n)\n"
        "pathlib.Path('ended').touch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE) as teller:
        assert teller.stdout is not None
        teller.stdout.readline()
        teller.stdout.close()
        assert teller.wait(60) == 0
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("name", catalogue())
def test_every_drill_has_its_negative_controls(name: str) -> None:
    drill = load_drill(name)
    wanted = {str(arm): expectation(drill, arm) for arm in ARMS}
    shown = {arm: one.verdict for arm, one in wanted.items() if one is not None}
    assert shown == {"no-fault": "pass", "false-alarm": "pass", "no-action": "fail", "runbook": "pass"}
