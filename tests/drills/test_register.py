"""The register: each attempt is entered, nothing of it can be changed unseen, and no crash breaks it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from drills.record import register
from drills.record.entries import Begun, Ended
from drills.record.names import StoreError
from drills.record.register import REGISTER, enter, limits_hash, read_register

from .runfolder import plan


def begun(run: str, **changed: Any) -> Begun:
    fields: dict[str, Any] = {
        "drill": run.split("/")[0], "arm": "runbook", "seed": 7, "target": "local", "operator": "auto",
        "drill_sha256": "d", "limits": "l", "who": "sato@host", "kunren": "0.1.0",
    }  # fmt: skip
    return Begun(run=run, **fields | changed)


def filled(runs: Path, many: int = 5) -> Path:
    for number in range(many):
        enter(runs, begun(f"a-drill/{number}"))
        enter(runs, Ended(run=f"a-drill/{number}", reason="judged", verdict="pass", evidence="e", card="c"))
    return runs / REGISTER


def test_each_line_names_the_one_before(tmp_path: Path) -> None:
    where = enter(tmp_path, begun("a-drill/1", drawn=True, purpose="retest"))
    enter(tmp_path, Ended(run="a-drill/1", reason="judged", verdict="fail", grade="unable"))
    found = read_register(tmp_path)
    assert (found.problems, found.notes) == ((), ())
    assert [entry.n for entry in found.entries] == [0, 1]
    assert (where.n, where.sha256) == (0, found.heads[0])
    assert found.entries[1].previous == where.sha256
    assert found.head == found.heads[1]
    assert found.begun()["a-drill/1"].drawn
    assert found.ended()["a-drill/1"].grade == "unable"
    line = json.loads((tmp_path / REGISTER).read_text().splitlines()[0])
    assert {"what", "n", "previous", "at", "run", "drill", "arm", "seed", "target", "limits", "who"} <= line.keys()


def test_there_is_none(tmp_path: Path) -> None:
    assert read_register(tmp_path) == register.Register((), ())


def edited(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b'"pass"', b'"fail"')


def moved(lines: list[bytes]) -> None:
    lines[2], lines[4] = lines[4], lines[2]


def removed(lines: list[bytes]) -> None:
    del lines[2:4]


def garbled(lines: list[bytes]) -> None:
    lines[3] = b"nothing\n"


def emptied(lines: list[bytes]) -> None:
    lines[3] = b"\n"


def first_removed(lines: list[bytes]) -> None:
    del lines[0]


@pytest.mark.parametrize("change", [edited, moved, removed, garbled, emptied, first_removed])
def test_no_line_can_be_changed_unseen(tmp_path: Path, change: Any) -> None:
    file = filled(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    change(lines)
    file.write_bytes(b"".join(lines))
    assert read_register(tmp_path).problems


def test_a_line_cut_off_by_a_crash_is_gone_on_over(tmp_path: Path) -> None:
    file = filled(tmp_path)
    whole = file.read_bytes()
    for kept in (1, 10, 60):
        file.write_bytes(whole + b'{"what":"begun","n":10,"previous":"0123456789abcdef","at":"2026'[:kept])
        torn = read_register(tmp_path)
        assert (torn.problems, len(torn.entries)) == ((), 10)
        assert torn.notes == ("line 11 was cut off: the machine stopped while it was written",)
        enter(tmp_path, begun("a-drill/later"))
        found = read_register(tmp_path)
        assert (found.problems, found.notes, len(found.entries)) == ((), torn.notes, 11)
        assert found.entries[-1].n == 11


def test_whoever_kept_a_head_sees_that_lines_were_cut_off_or_all_made_anew(tmp_path: Path) -> None:
    file = filled(tmp_path)
    kept = read_register(tmp_path).head
    enter(tmp_path, begun("a-drill/later"))
    assert kept in read_register(tmp_path).heads
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-3]))
    cut = read_register(tmp_path)
    assert cut.problems == ()
    assert kept not in cut.heads


def test_many_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: enter(tmp_path, begun(f"a-drill/{n}")), range(40)))
    code = (
        "import sys; from pathlib import Path; from drills.record.register import Ended, enter\n"
        "for n in range(20): enter(Path(sys.argv[1]), Ended(run=f'{sys.argv[2]}/{n}', reason='judged', verdict='pass'))"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(3)]
    assert [each.wait(30) for each in others] == [0, 0, 0]
    found = read_register(tmp_path)
    assert (found.problems, len(found.entries)) == ((), 100)


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = filled(tmp_path, 1)
    before = file.read_bytes()
    really = os.write

    def half(handle: int, content: bytes) -> int:
        return really(handle, content[: len(content) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(register.os, "write", half)
        with pytest.raises(StoreError, match="the disk took"):
            enter(tmp_path, begun("a-drill/2"))
    assert file.read_bytes() == before
    (tmp_path / "folder" / REGISTER).mkdir(parents=True)
    with pytest.raises(StoreError, match=r"cannot write .*is a directory"):
        enter(tmp_path / "folder", begun("a-drill/2"))


def test_a_lock_that_nobody_gives_back_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = filled(tmp_path, 1)
    monkeypatch.setattr(register, "LOCK_WITHIN_S", 0.05)
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="cannot write"):
            enter(tmp_path, begun("a-drill/2"))
    assert enter(tmp_path, begun("a-drill/2")).n == 2


def test_the_hash_of_the_limits_knows_numbers_and_no_reasons() -> None:
    usual = plan()
    looser = plan(objectives=[type(each)(each.metric, 99, each.unit) for each in usual.objectives])
    explained = plan(objectives=[type(e)(e.metric, e.limit, e.unit, because={"en": "x"}) for e in usual.objectives])
    assert limits_hash(usual) == limits_hash(explained) == limits_hash(plan(seed=8))
    assert (
        len({limits_hash(each) for each in (usual, looser, plan(checks=[]), plan(accepts={"late_notices": {}}))}) == 4
    )
