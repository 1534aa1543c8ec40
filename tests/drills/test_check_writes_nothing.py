"""``kunren check`` prints and compares; what it cannot read now it refuses, and writes only where it is told to."""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drills import cli
from drills.cards import judge
from drills.judge.scorecard import RULES
from drills.record.folder import card_bytes, verify_evidence
from drills.record.names import Unusable

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)

    def kunren(*argv: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["kunren", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    return kunren


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "pass", tmp_path / "run"))


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file with its bytes, inode and time of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
    return found


READ = sorted(
    str(path.relative_to(GOLDEN / "pass"))
    for path in (GOLDEN / "pass").rglob("*")
    if path.is_file() and path.parent.name != "logs" and path.name != "scorecard.json"
)
CAUSES = {
    errno.EMFILE: "too many open files",
    errno.EACCES: "permission denied",
    errno.ENOMEM: "cannot allocate memory",
    errno.EIO: "input/output error",
}


def refuse(monkeypatch: pytest.MonkeyPatch, file: Path, number: int) -> None:
    """Opening this file fails, as it may for anybody but root, or on a machine that is short of something."""
    opened = io.open  # the one that pathlib uses

    def open_file(path: Any, *args: Any, **kwargs: Any) -> Any:
        if Path(path) == file:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(io, "open", open_file)


@pytest.mark.parametrize("number", CAUSES)
@pytest.mark.parametrize("name", READ)
def test_what_this_machine_cannot_read_is_refused_and_never_damage(
    run: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    refuse(monkeypatch, run / name, number)
    with pytest.raises(Unusable) as refused:
        judge(run)
    assert refused.value.exit_code == 3
    assert f"cannot read {run / name}: {CAUSES[number]}" in str(refused.value)


@pytest.mark.parametrize("name", ["scorecard.json", "samples/done.npy", "SHA256SUMS", "logs/api.log"])
@pytest.mark.parametrize("options", [[], ["--evidence"], ["--rejudge"], ["--rejudge", "--evidence"]])
def test_check_says_file_and_cause_and_leaves_the_card(
    call: Call, run: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: list[str]
) -> None:
    before = state(run)
    refuse(monkeypatch, run / name, errno.EMFILE)
    said = call("check", run, *options)
    monkeypatch.undo()
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        f"kunren: cannot read {run / name}: too many open files"
        " (raise the limit of open files, such as with ulimit -n 4096)\n"
    )
    assert state(run) == before


def test_a_folder_of_books_that_cannot_be_listed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.listdir

    def listdir(path: Any = ".") -> list[str]:
        if Path(path) == run / "books":
            raise PermissionError(errno.EACCES, "no")
        return listed(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(Unusable, match="books: permission denied"):
        judge(run)


def test_an_evidence_that_cannot_be_listed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = os.scandir

    def scandir(path: Any = ".") -> Any:
        if Path(path) == run / "logs":
            raise OSError(errno.EMFILE, "no")
        return scanned(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(Unusable, match="logs: too many open files"):
        verify_evidence(run)


def test_a_machine_without_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("drills.cards.score", none_left)
    with pytest.raises(Unusable, match="out of memory"):
        judge(run)


@pytest.mark.parametrize("name", [name for name in READ if name != "run.json"])
def test_what_is_missing_is_damage_as_ever(run: Path, name: str) -> None:
    (run / name).unlink()
    card, _ = judge(run)
    assert (card.verdict == "invalid") == (name not in ("SHA256SUMS", "target.yaml"))


LIMITED = """
import resource, sys
from pathlib import Path
# what is imported later needs descriptors as well:
import drills.commands.app, drills.judge.score, drills.spec.runbook_text
from drills import cli
sys.argv = ["kunren", "check", *sys.argv[2:]]
resource.setrlimit(resource.RLIMIT_NOFILE, (int({limit}), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
cli.main()
"""


@pytest.mark.parametrize("limit", range(3, 14))
def test_under_any_limit_of_open_files(run: Path, limit: int) -> None:
    """Either it can read all and says what lies there, or it says what it could not read."""
    before = state(run)
    code = LIMITED.replace("{limit}", str(limit))
    done = subprocess.run(
        [sys.executable, "-c", code, "-", str(run), "--evidence"], capture_output=True, text=True, timeout=60,
        cwd=run.parent, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert state(run) == before
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3), done.stderr
    if done.returncode == 0:
        assert "nothing was changed since the run was sealed" in done.stdout
    else:
        assert "too many open files" in done.stderr
        assert done.stderr.count("\n") == 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > limit


# -- the card that lies there ---------------------------------------------------------------------------------------


def put(run: Path, old: bytes, new: bytes) -> bytes:
    """Another card in the place of this one, with its line after the chain."""
    import hashlib

    whole = (run / "scorecard.json").read_bytes()
    assert old in whole
    changed = whole.replace(old, new, 1)
    (run / "scorecard.json").write_bytes(changed)
    sums = (run / "SHA256SUMS").read_text().splitlines()[:-1]
    sums.append(f"{hashlib.sha256(changed).hexdigest()}  scorecard.json")
    (run / "SHA256SUMS").write_text("".join(f"{line}\n" for line in sums))
    return changed


def rules(number: int) -> tuple[bytes, bytes]:
    return f'"rules": {RULES},'.encode(), f'"rules": {number},'.encode()


def test_the_same_card_ends_with_its_verdict(call: Call, run: Path) -> None:
    before = state(run)
    said = call("check", run)
    assert (said.code, said.err) == (0, "")
    assert "rejudge" not in said.out
    assert call("check", run, "--rejudge").code == 0
    assert state(run) == before


def test_a_card_of_other_rules_is_shown_as_it_lies_there(call: Call, run: Path) -> None:
    put(run, *rules(RULES + 7))
    old = put(run, b'"verdict": "pass"', b'"verdict": "fail"')
    before = state(run)
    said = call("check", run, "--json", "-", "--evidence")
    assert said.code == 1  # as that card says
    assert json.loads(said.out) == json.loads(old)
    note = f"judged under rules {RULES + 7}; this is rules {RULES}; kunren check --rejudge judges it anew"
    assert note in said.err
    assert "nothing was changed" in said.err
    assert state(run) == before
    anew = call("check", run, "--json", "-", "--rejudge")
    assert (anew.code, json.loads(anew.out)["rules"]) == (0, RULES)
    assert (run / "scorecard.json").read_bytes() == (GOLDEN / "pass" / "scorecard.json").read_bytes()
    assert verify_evidence(run) == []


def test_a_card_of_other_rules_that_cannot_be_shown(call: Call, run: Path) -> None:
    put(run, *rules(RULES + 7))
    put(run, b'"grade": ', b'"mark": ')
    for verb in (["check", run], ["compare", run, GOLDEN / "fail-objective"]):
        said = call(*verb)
        assert said.code == 3
        assert said.err.splitlines()[-1] == (
            f"kunren: {run}/scorecard.json says pass, judged under rules {RULES + 7}, in a form that rules {RULES}"
            f" cannot show (kunren check {run} --rejudge judges it anew)"
        )
    assert call("check", run, "--rejudge").code == 0


def test_a_card_of_another_schema_is_refused_and_judged_anew_where_that_is_asked(call: Call, run: Path) -> None:
    put(run, b"kunren.scorecard/2", b"kunren.scorecard/1")
    before = state(run)
    for verb in (["check", run], ["compare", run, GOLDEN / "fail-objective"]):
        said = call(*verb)
        assert said.code == 3
        assert said.err.splitlines()[-1] == (
            f"kunren: {run}/scorecard.json says pass, judged under rules {RULES}, as kunren.scorecard/1;"
            f" this version reads kunren.scorecard/2 (kunren check {run} --rejudge judges it anew)"
        )
    assert state(run) == before
    assert call("check", run, "--rejudge").code == 0
    assert call("check", run).code == 0


def test_another_card_than_these_inputs_give(call: Call, run: Path) -> None:
    put(run, b'"verdict": "pass"', b'"verdict": "fail"')
    before = state(run)
    said = call("check", run, "--json", "-")
    assert said.code == 1
    assert f"{run}: scorecard.json is not the card that these inputs give under rules {RULES}\n" in said.err
    assert json.loads(said.out)["verdict"] == "pass"  # what they do give
    assert state(run) == before
    assert call("check", run, "--rejudge").code == 0
    assert (run / "scorecard.json").read_bytes() == card_bytes(judge(run)[0])


def test_inputs_that_were_changed_are_not_judged_into_the_folder(call: Call, run: Path) -> None:
    (run / "logs" / "api.log").write_text("changed\n")
    before = state(run)
    said = call("check", run, "--rejudge", "--quiet")
    assert said.code == 1
    assert "scorecard.json is left as it is, the inputs are not as they were sealed" in said.err
    assert "logs/api.log was changed" in said.err
    assert state(run) == before


def test_a_folder_without_a_card(call: Call, run: Path) -> None:
    (run / "scorecard.json").unlink()
    (run / "SHA256SUMS").unlink()
    said = call("check", run)
    assert (said.code, said.err) == (0, "")
    assert "no card lies in the folder: judged now; kunren check --rejudge writes it" in said.out
    assert not (run / "scorecard.json").exists()
    call("check", run, "--rejudge")
    assert (run / "scorecard.json").exists()


def test_an_archive_that_may_not_be_written_to(call: Call, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(run, b'"verdict": "pass"', b'"verdict": "fail"')

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "replace", read_only)
    said = call("check", run, "--rejudge")
    assert (said.code, said.out) == (3, "")
    assert f"cannot write {run}/scorecard.json: read-only file system (copy the folder to" in said.err


# -- the other verbs that read cards --------------------------------------------------------------------------------


def test_compare_names_other_rules(call: Call, run: Path) -> None:
    put(run, *rules(RULES + 7))
    before = state(run)
    said = call("compare", run, GOLDEN / "fail-objective")
    assert said.code == 0
    assert f"{run}: judged under rules {RULES + 7}" in said.err
    assert state(run) == before


@pytest.mark.parametrize("name", ["scorecard.json", "samples/done.npy"])
def test_compare_does_not_judge_what_it_cannot_read(
    call: Call, run: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name != "scorecard.json":
        (run / "scorecard.json").unlink()
    refuse(monkeypatch, run / name, errno.EACCES)
    said = call("compare", run, GOLDEN / "fail-objective")
    assert (said.code, said.out) == (3, "")
    assert f"cannot read {run / name}: permission denied" in said.err


def test_list_does_not_take_an_unreadable_card_for_none(
    call: Call, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "exchange-link-down/20261122T100600.250Z-runbook-7"
    place = tmp_path / "runs" / name
    place.parent.mkdir(parents=True)
    run.rename(place)
    monkeypatch.setenv("COLUMNS", "200")
    assert "pass (runbook)" in call("list").out
    put(place, *rules(RULES + 7))
    assert f"pass (runbook, rules {RULES + 7})" in call("list").out
    refuse(monkeypatch, Path("runs") / name / "scorecard.json", errno.EACCES)
    said = call("list")
    assert said.code == 3
    assert "scorecard.json: permission denied" in said.err
