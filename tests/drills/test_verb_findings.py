"""``kunren findings`` from outside: the file is brought up to date, persons decide, retests close, pipelines notice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drills import cli
from drills.commands import retest
from drills.spec.findingsfile import load_findings
from drills.spec.request import RunRequest

from .kept import keep

DRILL = "exchange-link-down"
FAILED = "fail-objective"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "170")

    def kunren(*argv: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kunren", "findings", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    return kunren


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    keep(tmp_path / "runs", 0, drill=DRILL, which=FAILED)
    return tmp_path / "runs"


@pytest.fixture
def id_(call: Call, runs: Path) -> str:
    assert call("sync").code == 0
    (finding,) = load_findings(Path("findings.yaml"))
    return finding.id


def test_from_a_failed_run_to_an_owner(call: Call, runs: Path) -> None:
    said = call("sync")
    (finding,) = load_findings(Path("findings.yaml"))
    assert said == Said(0, f"new: {finding.id} {DRILL}: recover\n", "")
    assert call("sync").out == "nothing new\n"
    listed = call("list", "--on", "2026-11-02").out
    assert f"{finding.id}  open   medium    {DRILL}: recover (5.968 to 7.359 s, limit 4 s)" in listed
    assert "1 open, 0 of them late; 0 accepted, 0 closed" in listed
    assigned = call(
        "assign", finding.id[:6], "--owner", "sato", "--due", "2026-12-31", "--ticket", "OPS-1", "--cause", "slow"
    )
    assert assigned.code == 0
    assert "  owner: sato\n  due: 2026-12-31\n  ticket: OPS-1\n  root cause: slow\n" in assigned.out
    document = json.loads(call("list", "--json", "--on", "2026-11-02").out)
    assert document["findings"][0]["finding"]["owner"] == "sato"
    assert document["findings"][0]["state"] == "open"
    shown = call("show", finding.id, "--lang", "ja").out
    assert "担当: sato" in shown
    assert f"連続合格 0/3 回。再試験: kunren findings retest {finding.id}" in shown


def test_pipelines_notice_what_is_late(call: Call, id_: str) -> None:
    assert call("overdue", "--on", "2026-11-08") == Said(0, "no finding is late on 2026-11-08\n", "")
    said = call("overdue", "--on", "2026-11-09")
    assert said.code == 1
    assert said.out.endswith("1 findings are late\n")
    assert "NOBODY'S" in said.out
    assert call("overdue", "--on", "2026-11-09", "--grace", "14").code == 0
    call("assign", id_, "--owner", "sato", "--due", "2026-11-20")
    assert call("overdue", "--on", "2026-11-20").code == 0
    assert json.loads(call("overdue", "--on", "2026-11-21", "--json").out)["findings"][0]["state"] == "overdue"
    assert call("overdue", "--on", "2026-11-21", "--lang", "ja").out.endswith("対応が遅れている指摘事項: 1 件\n")


def test_somebody_else_than_the_owner_accepts_for_a_time(call: Call, id_: str) -> None:
    terms = ("--reason", "replaced in March", "--until", "2026-12-31", "--on", "2026-11-10")
    assert "has no owner" in call("accept", id_, *terms, "--approver", "suzuki").err
    call("assign", id_, "--owner", "Sato  Ken")
    assert "cannot accept its risk" in call("accept", id_, *terms, "--approver", " sato ken").err
    said = call("accept", id_, *terms, "--approver", "suzuki")
    assert said.code == 0
    assert "accepted: by suzuki on 2026-11-10, until 2026-12-31: replaced in March" in said.out
    assert call("list", "--on", "2026-12-31").out.startswith("no open finding\n0 open")
    assert id_ in call("list", "--on", "2026-12-31", "--all").out
    assert call("overdue", "--on", "2026-12-31").code == 0
    lapsed = call("overdue", "--on", "2027-01-01")
    assert lapsed.code == 1
    assert "ACCEPTANCE LAPSED" in lapsed.out
    assert "has accepted the risk" in call("assign", id_, "--owner", "SUZUKI").err


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ("show F-99999999", "no finding 'F-99999999' in findings.yaml (known: F-"),
        ("assign F- --owner x", "no finding 'F-' in findings.yaml"),
        ("assign ID", "nothing to set (give --owner"),
        ("assign ID --due soon", "--due 'soon' is no date (such as 2026-12-31, from 2000 to 2099)"),
        ("assign ID --owner ''", "--owner is empty"),
        ("list --on tomorrow", "--on 'tomorrow' is no date"),
        ("list --lang de", "unknown language 'de'"),
        ("accept ID --reason r --approver x --until 2020-01-01", "F-"),
        ("sync --runs nowhere", "there is no folder nowhere"),
        ("sync --file no/such/file.yaml", "cannot write no/such/file.yaml"),
        ("retest F-99999999", "no finding 'F-99999999'"),
        ("close ID", "No such command 'close'."),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(call: Call, id_: str, argv: str, says: str) -> None:
    before = Path("findings.yaml").read_bytes()
    said = call(*[each.replace("ID", id_).replace("''", "") for each in argv.split()])
    assert (said.code, said.out, said.err.count("\n")) == (3, "", 1), said
    assert said.err.startswith(f"kunren: {says}"), said.err
    assert Path("findings.yaml").read_bytes() == before


def test_a_file_with_a_mistake_is_refused_with_its_line(call: Call, id_: str) -> None:
    file = Path("findings.yaml")
    file.write_text(file.read_text().replace("severity: medium", "severity: meduim"))
    for argv in (["list"], ["sync"], ["overdue"], ["show", id_], ["assign", id_, "--owner", "x"], ["retest", id_]):
        said = call(*argv)
        assert (said.code, said.out) == (3, "")
        assert "findings.yaml:13: findings[0].severity: unknown severity 'meduim', did you mean 'medium'?" in said.err


def test_accepting_for_longer_than_a_year_is_refused(call: Call, id_: str) -> None:
    call("assign", id_, "--owner", "sato")
    for until in ("2026-11-09", "2027-11-12"):
        said = call("accept", id_, "--reason", "r", "--approver", "x", "--until", until, "--on", "2026-11-10")
        assert said.code == 3
        assert "is not within a year" in said.err


# -- retest ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, runs: Path) -> Callable[[list[str]], list[RunRequest]]:
    """Runs that come to what a list says, one after the other; the requests that were made of them."""
    asked: list[RunRequest] = []

    def play(verdicts: list[str]) -> list[RunRequest]:
        def conduct(request: RunRequest, *_: Any) -> tuple[Any, None]:
            which = verdicts[len(asked)]
            asked.append(request)
            run = keep(
                runs, len(asked), drill=DRILL, which=which, seed=request.seed, limit=4,
                drawn=request.drawn, purpose=request.purpose,
            )  # fmt: skip
            return SimpleNamespace(run=run, verdict="?"), None

        monkeypatch.setattr(retest, "conduct", conduct)
        return asked

    return play


def test_three_passes_close_it(
    call: Call, id_: str, runs: Path, played: Callable[[list[str]], list[RunRequest]]
) -> None:
    asked = played(["pass"] * 3)
    said = call("retest", id_)
    assert said.code == 0, said
    assert len({request.seed for request in asked}) == 3
    assert all(request.drawn and request.purpose == "retest" for request in asked)
    assert {(request.drill.called, str(request.arm), request.target, request.reaction) for request in asked} == {
        (DRILL, "runbook", "local", 200_000_000)
    }
    assert said.out.count("passed, ") == 3
    assert said.out.endswith(f"closed: {id_} {DRILL}: recover\n")
    (finding,) = load_findings(Path("findings.yaml"))
    assert finding.closed is not None
    assert call("retest", id_).err.startswith(f"kunren: {id_} is closed")


@pytest.mark.parametrize(
    ("verdicts", "code", "runs_made"),
    [
        ([FAILED], 1, 1),
        (["pass", "pass", FAILED], 1, 3),
        (["pass", "unknown"], 2, 2),
        (["pass", "invalid-unwitnessed", "pass", "pass"], 0, 4),
        (["invalid-unwitnessed"] * 5, 2, 5),
    ],
)
def test_what_is_not_three_passes(
    call: Call,
    id_: str,
    played: Callable[[list[str]], list[RunRequest]],
    verdicts: list[str],
    code: int,
    runs_made: int,
) -> None:
    asked = played(verdicts)
    said = call("retest", id_)
    assert (said.code, len(asked)) == (code, runs_made), said.out
    (finding,) = load_findings(Path("findings.yaml"))
    assert len(finding.retests) == runs_made
    assert finding.is_open == (code != 0)


def test_a_loosened_limit_is_not_retested(call: Call, runs: Path) -> None:
    keep(runs, 1, drill=DRILL, limit=99)
    call("sync")
    (loose,) = [each for each in load_findings(Path("findings.yaml")) if each.kind == "limit"]
    assert "is a limit that was loosened (tighten it" in call("retest", loose.id).err


def test_a_person_retests_what_a_person_ran_into(call: Call, runs: Path) -> None:
    person = {"kind": "human", "reaction_s": None, "name": "S", "role": "r", "pace": "person", "opened": []}
    keep(runs, 1, drill="night-batch-lock", which=FAILED, operator=person)
    call("sync")
    (mine,) = [each for each in load_findings(Path("findings.yaml")) if each.operator == "human"]
    assert "--operator human needs a terminal" in call("retest", mine.id).err
