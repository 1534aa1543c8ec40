"""A request crosses into another process as it is, with the files that it was made from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from drills.record.arm import NO_ACTION, Arm
from drills.record.history import Cause, Count, Earlier, Reason
from drills.spec import yamlfile
from drills.spec.drill import load_drill
from drills.spec.files import CATALOGUE
from drills.spec.request import RunRequest
from drills.spec.target import words_of
from drills.spec.wire import from_wire, to_wire

from .played import write_drill

EXAMPLE = CATALOGUE.with_name("examples") / "datasette"


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "_given", {})


def test_all_of_it_arrives(tmp_path: Path) -> None:
    cause = Cause("baseline-good", [Count("late", 2, 10, ["3"])], [Reason("late", {"s": 2.0, "n": 2, "who": "load"})])
    request = RunRequest(
        load_drill("exchange-link-down"), Arm.parse("wrong:resend-unknown"), 7, tmp_path, 250, "embedded",
        tmp_path / "page.yaml", "app@1.2.3", 2, "local", (Earlier("a/b", None, "invalid", [cause]),), drawn=True,
        purpose="retest",
    )  # fmt: skip
    assert from_wire(to_wire(request)) == request


def test_relative_paths_stay_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target.yaml").write_bytes((EXAMPLE / "target.yaml").read_bytes())
    (tmp_path / "drill.yaml").write_bytes((EXAMPLE / "drill.yaml").read_bytes())
    drill = load_drill("drill.yaml", words_of("target.yaml"))
    found = from_wire(to_wire(RunRequest(drill, NO_ACTION, 7, Path("runs"), target="target.yaml")))
    assert (found.drill.file, found.runs, found.target) == (Path("drill.yaml"), Path("runs"), "target.yaml")


def test_what_was_read_counts_and_not_what_lies_there_by_now(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_bytes((EXAMPLE / "target.yaml").read_bytes())
    (tmp_path / "drill.yaml").write_bytes((EXAMPLE / "drill.yaml").read_bytes())
    request = RunRequest(load_drill(tmp_path, words_of(str(target))), NO_ACTION, 7, tmp_path, target=str(target))
    sent = to_wire(request)
    target.write_text("target: another")
    (tmp_path / "drill.yaml").unlink()
    assert from_wire(sent).drill == request.drill
    assert yamlfile.load(target).source == (EXAMPLE / "target.yaml").read_bytes()


def test_a_path_need_not_be_utf_8(tmp_path: Path) -> None:
    request = RunRequest(load_drill("exchange-link-down"), Arm.parse("no-fault"), 7, tmp_path / os.fsdecode(b"caf\xe9"))
    assert from_wire(to_wire(request)) == request
    odd = write_drill(tmp_path / os.fsdecode(b"caf\xe9"))
    moved = replace(request, drill=load_drill(CATALOGUE / "exchange-link-down"), runbook=odd)
    assert from_wire(to_wire(moved)).runbook == odd
