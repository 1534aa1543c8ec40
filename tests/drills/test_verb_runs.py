"""``kunren runs`` and ``kunren trend`` from outside: nothing can be hidden, what is removed is entered, what an auditor
takes away can be checked without kunren."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drills import cli
from drills.archive.crosscheck import examine
from drills.record.names import FOLDER_NAME
from drills.record.register import REGISTER, read_register

from .kept import FIRST, keep
from .runfolder import whole_run


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")

    def kunren(*argv: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kunren", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    return kunren


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def kept(runs: Path) -> list[str]:
    runs.mkdir()
    found = [keep(runs, day, seed=day) for day in range(4)]
    return [*found, keep(runs, 4, which="fail-objective", seed=4)]


# -- verify ---------------------------------------------------------------------------------------------------------


def test_register_and_runs_that_fit(call: Call, runs: Path, kept: list[str]) -> None:
    said = call("runs", "verify", "--evidence")
    head = read_register(runs).head
    assert said == Said(
        0,
        f"5 runs, 10 entries in the register\nhead {head} (keep it elsewhere: it proves later that nothing was"
        " rewritten)\nregister and runs fit\n",
        "",
    )
    document = json.loads(call("runs", "verify", "--json", "--head", head).out)
    assert (document["head"], document["problems"], document["notes"]) == (head, [], [])


def thrown_away(runs: Path, kept: list[str]) -> None:
    shutil.rmtree(runs / kept[-1])


def card_edited(runs: Path, kept: list[str]) -> None:
    card = runs / kept[-1] / "scorecard.json"
    card.write_text(card.read_text().replace('"verdict": "fail"', '"verdict": "pass"'))


def register_cut_off(runs: Path, kept: list[str]) -> None:
    lines = (runs / REGISTER).read_bytes().splitlines(keepends=True)
    (runs / REGISTER).write_bytes(b"".join(lines[:-2]))


def register_removed(runs: Path, kept: list[str]) -> None:
    (runs / REGISTER).unlink()


def last_line_edited(runs: Path, kept: list[str]) -> None:
    text = (runs / REGISTER).read_text()
    (runs / REGISTER).write_text(text.replace('"verdict":"fail"', '"verdict":"pass"'))


def exchanged(runs: Path, kept: list[str]) -> None:
    """The failed run's folder holds what a passed one held, under its own name."""
    shutil.rmtree(runs / kept[-1])
    shutil.copytree(runs / kept[0], runs / kept[-1])


def evidence_removed(runs: Path, kept: list[str]) -> None:
    shutil.rmtree(runs / kept[-1] / "books")
    (runs / kept[-1] / "pruned.json").write_text("{}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (thrown_away, "its folder is gone; the register says fail"),
        (card_edited, "scorecard.json is not the one that was entered in the register"),
        (register_cut_off, "it is entry 8 of a register which has no such entry"),
        (register_removed, "it is entry 0 of a register which has no such entry"),
        (last_line_edited, "the register says pass, the card fail: a line was edited"),
        (exchanged, "the evidence number is not the one that was entered in the register"),
        (evidence_removed, "its evidence was removed, and that is not in the register"),
    ],
)
def test_what_was_hidden_or_changed_is_found(
    call: Call, runs: Path, kept: list[str], change: Callable[[Path, list[str]], None], says: str
) -> None:
    change(runs, kept)
    said = call("runs", "verify")
    assert said.code == 1
    assert says in said.out
    assert "register and runs fit" not in said.out


def test_a_head_that_was_kept_elsewhere_proves_what_came_before_it(call: Call, runs: Path, kept: list[str]) -> None:
    head = read_register(runs).head
    keep(runs, 5)
    assert call("runs", "verify", "--head", head).code == 0
    for run in kept[3:]:
        shutil.rmtree(runs / run)
    lines = (runs / REGISTER).read_bytes().splitlines(keepends=True)
    (runs / REGISTER).write_bytes(b"".join(lines[:6]))
    shutil.rmtree(runs / "link-down" / next(p.name for p in (runs / "link-down").iterdir() if "20261106" in p.name))
    assert call("runs", "verify").code == 0  # nobody can see it from what is left
    said = call("runs", "verify", "--head", head)
    assert said.code == 1
    assert f"the head {head} is not in it" in said.out


def test_runs_from_elsewhere_and_without_an_end_are_notes(call: Call, runs: Path) -> None:
    keep(runs, 0, registered=False)
    keep(runs, 1)
    lines = (runs / REGISTER).read_bytes().splitlines(keepends=True)
    (runs / REGISTER).write_bytes(lines[0])
    said = call("runs", "verify")
    assert said.code == 0
    assert "note: 1 runs are not in the register" in said.out
    assert "begun, no end on record\n" in said.out


def test_a_card_judged_anew_is_entered(call: Call, runs: Path, tmp_path: Path) -> None:
    """As ``check --rejudge`` does for a run that is in the register beside it."""
    from drills.record.entries import Begun
    from drills.record.history import Registered
    from drills.record.register import enter

    from .runfolder import record

    entry = Begun(
        run="exchange-link-down/20261122T100600.250Z-runbook-7", drill="exchange-link-down", arm="runbook", seed=7,
        target="local", operator="auto", drill_sha256="d", limits="l", who="x", kunren="0.1.0",
    )  # fmt: skip
    runs.mkdir()
    where = enter(runs, entry)
    assert isinstance(where, Registered)
    folder = whole_run(tmp_path, before_seal=lambda run: run.write_run(record(run, register=where)))
    assert f"{folder.parent.name}/{folder.name}" == entry.run
    call("check", folder, "--rejudge", "--quiet")
    (again,) = read_register(runs).entries[1:]
    assert (again.run, read_register(runs).problems) == (entry.run, ())
    assert examine(runs).problems == []
    call("check", folder, "--rejudge", "--quiet")
    assert len(read_register(runs).entries) == 2  # the same card is not entered twice


# -- list and trend -------------------------------------------------------------------------------------------------


def test_every_run_is_listed(call: Call, runs: Path, kept: list[str]) -> None:
    shutil.rmtree(runs / kept[1])
    said = call("runs", "list")
    assert said.code == 0
    assert said.out.splitlines()[1].split() == [kept[-1], "failed", "2026-11-05"]
    assert f"{kept[1]}  started, no card" in said.out
    document = json.loads(call("runs", "list", "--json", "--drill", "link-down").out)
    assert [row["run"] for row in document["runs"]] == [kept[4], kept[3], kept[2], kept[0]]
    assert [row["run"] for row in document["without_card"]] == [kept[1]]
    assert json.loads(call("runs", "list", "--json", "--drill", "other").out)["runs"] == []


def test_the_history_on_the_command_line(call: Call, runs: Path, kept: list[str]) -> None:
    said = call("trend")
    assert said.code == 0
    assert said.out.startswith("5 runs of 1 drills, the worst first")
    shown = call("trend", runs, "--json", "-", "--drill", "link-down")
    document = json.loads(shown.out)
    assert (document["schema"], document["trend"]["series"][0]["last_verdict"]) == ("kunren.trend/1", "fail")
    assert "the worst first" in shown.err
    assert "訓練 1 種" in call("trend", "--lang", "ja").out
    assert call("trend", "--arm", "no-action").out.startswith("no run with a card in runs\nnot shown: runbook 5")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ("trend nowhere", "there is no folder nowhere (name the folder of the runs"),
        ("trend --lang de", "unknown language 'de'"),
        ("trend --json no/such/file.json", "cannot write no/such/file.json"),
        ("runs prune", "which runs are to be pruned? (give --keep N, --older-than DAYS or both)"),
        ("runs export out.zip", "there is no run in runs"),
        ("runs export out.zip last", "there is no run in runs"),
        ("runs export no/such/out.zip", "cannot write no/such/out.zip"),
        ("runs export", "Missing argument 'FILE'."),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(call: Call, argv: str, says: str, tmp_path: Path) -> None:
    said = call(*argv.split())
    assert (said.code, said.out, said.err.count("\n")) == (3, "", 1)
    assert said.err.startswith(f"kunren: {says}"), said.err
    assert [*tmp_path.iterdir()] == []


def test_nothing_that_a_terminal_would_obey_comes_from_a_card_or_the_register(call: Call, runs: Path) -> None:
    hostile = "x\x1b[2K\rPASSED \u202ekcart"
    keep(runs, 0, which="fail-objective", target=hostile, drill="link-down")
    shutil.rmtree(runs / keep(runs, 1, target=hostile))
    for argv in (["trend"], ["runs", "list"], ["runs", "verify"], ["findings", "sync"], ["findings", "list"]):
        said = call(*argv)
        assert not {"\x1b", "\r", "\u202e"} & set(said.out + said.err), argv
    assert "\x1b" not in (runs.parent / "findings.yaml").read_text()


# -- prune ----------------------------------------------------------------------------------------------------------


def evidence(runs: Path) -> list[str]:
    return sorted(f"{p.parent.parent.name}/{p.parent.name}" for p in runs.glob("*/*/books"))


def test_only_old_evidence_goes_and_the_cards_stay(call: Call, runs: Path, kept: list[str]) -> None:
    before = call("trend", "--json", "-").out
    assert call("runs", "prune", "--keep", "2", "--dry-run").out.startswith("would free 0.0 MiB of 3 runs")
    assert len(evidence(runs)) == 5
    said = call("runs", "prune", "--keep", "2")
    assert (said.code, evidence(runs)) == (0, kept[3:])
    assert said.out == "freed 0.0 MiB of 3 runs; their cards and the register stay\n"
    assert sorted(os.listdir(runs / kept[0])) == [
        "SHA256SUMS",
        "drill.yaml",
        "pruned.json",
        "run.json",
        "scorecard.json",
    ]
    assert call("trend", "--json", "-").out == before
    assert call("runs", "verify", "--evidence").code == 0
    assert call("runs", "prune", "--keep", "2").out.startswith("freed 0.0 MiB of 0 runs")
    assert read_register(runs).pruned() == set(kept[:3])


def test_what_is_left_of_a_pruned_run_is_still_held_against_its_sums(call: Call, runs: Path, kept: list[str]) -> None:
    call("runs", "prune", "--keep", "0")
    assert call("runs", "verify", "--evidence").code == 0
    plan = runs / kept[1] / "run.json"
    plan.write_bytes(plan.read_bytes() + b" ")
    (runs / kept[2] / "drill.yaml").unlink()
    said = call("runs", "verify", "--evidence")
    assert said.code == 1
    assert f"PROBLEM: {kept[1]}: run.json was changed" in said.out
    assert f"PROBLEM: {kept[2]}: drill.yaml is missing" in said.out


def test_a_run_that_cannot_be_read_is_of_its_drill(call: Call, runs: Path, kept: list[str]) -> None:
    (runs / kept[0] / "scorecard.json").write_text("{")
    assert kept[0] in call("runs", "list").out
    assert kept[0] not in call("runs", "list", "--drill", "another").out


def test_a_run_that_is_named_twice_is_exported_once(call: Call, runs: Path, kept: list[str]) -> None:
    assert call("runs", "export", "out.zip", kept[0], kept[0]).out.startswith("out.zip: 1 runs")


def test_a_verdict_of_a_later_version_stands_for_itself(call: Call, runs: Path) -> None:
    keep(runs, 0, verdict="postponed", registered=False)
    for argv in (["runs", "list"], ["trend"]):
        said = call(*argv)
        assert (said.code, said.err) == (0, "")
        assert "postponed" in said.out


def test_what_an_open_finding_names_is_left_whole(call: Call, runs: Path, kept: list[str]) -> None:
    assert call("findings", "sync").code == 0
    assert call("runs", "prune", "--keep", "0", "--findings", "findings.yaml").code == 0
    assert evidence(runs) == [kept[4]]
    assert "there is no file none.yaml" in call("runs", "prune", "--keep", "0", "--findings", "none.yaml").err


def test_by_age(call: Call, runs: Path, kept: list[str]) -> None:
    age = (datetime.now(UTC) - FIRST).days
    assert age > len(kept), "the runs lie in the past"
    assert json.loads(call("runs", "prune", "--older-than", str(age + 1), "--json").out)["runs"] == []
    found = json.loads(call("runs", "prune", "--older-than", str(age - 1), "--json").out)
    assert [each["run"] for each in found["runs"]] == kept[:2]  # of the day before the last, and older


def test_a_pruned_run_is_not_judged_again(call: Call, runs: Path, kept: list[str]) -> None:
    call("runs", "prune", "--keep", "0")
    for argv in (["check", kept[0]], ["check", kept[0], "--rejudge"], ["check", kept[0], "--evidence"]):
        said = call(*argv)
        assert (said.code, said.out) == (3, "")
        assert "the evidence was removed by kunren runs prune" in said.err
    assert call("compare", kept[0], kept[4]).code == 0


def test_what_was_tampered_with_or_never_sealed_is_left(call: Call, runs: Path, kept: list[str]) -> None:
    (runs / kept[0] / "books" / "bank.jsonl").write_text("changed")
    (runs / kept[1] / "SHA256SUMS").unlink()
    said = call("runs", "prune", "--keep", "0")
    assert evidence(runs) == kept[:2]
    assert f"left as it is: {kept[0]}: it is not as it was sealed: books/bank.jsonl was changed" in said.out
    assert f"left as it is: {kept[1]}: it was never sealed" in said.out


# -- export ---------------------------------------------------------------------------------------------------------


def unpacked(file: Path, where: Path) -> Path:
    with zipfile.ZipFile(file) as found:
        found.extractall(where)
    return where


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    """By Python alone, nothing of ours on its path."""
    argv = [sys.executable, "-I", "-S", str(folder / "check.py")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_what_an_auditor_takes_away_is_checked_without_us(
    call: Call, runs: Path, kept: list[str], tmp_path: Path
) -> None:
    shutil.rmtree(runs / kept[1])
    call("runs", "prune", "--keep", "3")
    (tmp_path / "findings.yaml").write_text("schema: x\n")
    said = call("runs", "export", "out.zip", "--findings", "findings.yaml")
    assert said.code == 0, said
    assert said.out.startswith("out.zip: 4 runs, ")
    folder = unpacked(tmp_path / "out.zip", tmp_path / "taken away")
    assert (folder / REGISTER).read_bytes() == (runs / REGISTER).read_bytes()
    assert {"README.txt", "export.json", "findings.yaml", "check.py"} <= set(os.listdir(folder))
    found = checked(folder)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    assert f"{kept[1]}: its folder was gone; the register says pass" in found.stdout
    assert "nothing was changed since the runs were sealed" in found.stdout
    by_coreutils = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder / "runs" / kept[4], check=False, capture_output=True
    )
    assert by_coreutils.returncode == 0


def test_cards_alone_and_some_runs_alone(call: Call, runs: Path, kept: list[str], tmp_path: Path) -> None:
    assert call("runs", "export", "out.zip", kept[0], "last", "--cards-only").code == 0
    folder = unpacked(tmp_path / "out.zip", tmp_path / "taken away")
    assert not [*folder.rglob("books")]
    assert len([path for path in folder.glob("runs/*/*") if FOLDER_NAME.match(path.name)]) == 2
    assert checked(folder).returncode == 0


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("what", ["card", "evidence", "sums", "register", "added", "removed"])
def test_the_program_finds_what_was_changed(call: Call, runs: Path, kept: list[str], tmp_path: Path, what: str) -> None:
    call("runs", "export", "out.zip")
    folder = unpacked(tmp_path / "out.zip", tmp_path / "taken away")
    run = folder / "runs" / kept[4]
    changes: dict[str, Callable[[], object]] = {
        "card": lambda: rewrite(run / "scorecard.json", '"verdict": "fail"', '"verdict": "pass"'),
        "evidence": lambda: (run / "books" / "bank.jsonl").write_text("x"),
        "sums": lambda: rewrite(run / "SHA256SUMS", "books/bank.jsonl", "books/bank.jsonx"),
        "register": lambda: rewrite(folder / REGISTER, '"verdict":"fail"', '"verdict":"pass"'),
        "added": lambda: (run / "books" / "new.jsonl").write_text("x"),
        "removed": lambda: (run / "books" / "bank.jsonl").unlink(),
    }
    changes[what]()
    found = checked(folder)
    assert (found.returncode, found.stderr) == (1, "")
    assert "PROBLEM: " in found.stdout


def test_an_export_that_fails_leaves_no_half_file(call: Call, runs: Path, kept: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_text("the one before")
    (tmp_path / ".out.zip.new").mkdir()
    said = call("runs", "export", "out.zip")
    assert (said.code, (tmp_path / "out.zip").read_text()) == (3, "the one before"), said
