"""Every verb under every condition of a stranger's machine: one clear line at worst, and a documented exit code."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drills.spec.files import CATALOGUE

from .forked import Case, Ended, run_all

pytestmark = pytest.mark.long  # each verb under each condition: two minutes

GOLDEN = Path(__file__).parents[1] / "golden"
EXAMPLE = CATALOGUE.with_name("examples") / "datasette"
NO_BYTE = os.fsdecode(b"\xff")
"""A byte that is no UTF-8, as it stands in a path or an argument."""

PAGE = CATALOGUE / "exchange-link-down" / "runbook.yaml"

VERBS: dict[str, int] = {
    "list": 0,
    "list --json": 0,
    f"lint {PAGE}": 0,
    "lint nowhere.yaml": 1,
    "schema drill": 0,
    f"runbook show {PAGE} --lang ja": 0,
    "check RUN --lang ja --evidence": 0,
    "check RUN --json -": 0,
    "check RUN --junit out.xml --quiet --json out.json": 0,
    "compare RUN OTHER": 0,
    "heal": 0,
    "run nope": 3,
    "run": 3,
    "--version": 0,
    "--help": 0,
}
"""A command line -> its exit code where nothing is amiss."""

SILENT = {"check RUN --junit out.xml --quiet --json out.json"}
"""Nothing goes to stdout."""

WIDE = ("list", "check RUN --lang ja --evidence", "compare RUN OTHER", "--help", "run nope")
"""What looks at the width of the screen."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with two run folders of another place in it, and a cache."""
    made = tmp_path_factory.mktemp("home")
    for name in ("pass", "fail-objective"):
        shutil.copytree(GOLDEN / name, made / name)
    return made


def cases(home: Path, verbs: list[str], **condition: Any) -> list[Case]:
    environment = {"KUNREN_CACHE": str(home / "cache"), "KUNREN_DEBUG": None, "COLUMNS": None, "TERM": "dumb"}
    environment |= condition.pop("environment", {})
    words = {"RUN": str(home / "pass"), "OTHER": str(home / "fail-objective")}
    plain = {"cwd": str(home), **condition}
    return [Case([words.get(word, word) for word in verb.split()], environment=environment, **plain) for verb in verbs]


def sound(verb: str, ended: Ended) -> None:
    """Neither an internal error nor a trace-back, whatever else."""
    said = ended.out + ended.err
    assert "Traceback" not in said, (verb, said)
    assert "internal error:" not in said, (verb, said)
    assert "Exception ignored" not in said, (verb, said)


def one_line(ended: Ended) -> str:
    assert ended.err.startswith("kunren: "), ended
    assert ended.err.count("\n") == 1, ended
    return ended.err.removeprefix("kunren: ").rstrip("\n")


AS_EVER: dict[str, dict[str, Any]] = {
    "nothing amiss": {},
    "nobody reads on": {"stdout": "left"},
    "nobody reads the errors": {"stderr": "left"},
    "errors to a full disk": {"stderr": "full"},
    "stdin closed": {"stdin": "closed"},
    "COLUMNS=0": {"environment": {"COLUMNS": "0", "LINES": "0"}},
    "COLUMNS=abc": {"environment": {"COLUMNS": "abc", "LINES": "-1"}},
    "COLUMNS=²": {"environment": {"COLUMNS": "²", "LINES": "²"}},
    "COLUMNS=1": {"environment": {"COLUMNS": "1", "LINES": "1"}},
    "COLUMNS without end": {"environment": {"COLUMNS": "9" * 5000}},
    "an ASCII terminal": {"encoding": "ascii", "environment": {"LC_ALL": "C", "LANG": "C"}},
    "colours in a pipe": {"environment": {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "0"}},
    "no home, no name": {"nameless": True, "environment": {"HOME": None, "LOGNAME": None, "USER": None}},
    "a home that is none": {"environment": {"HOME": "/proc/nowhere"}},
}


@pytest.mark.parametrize("name", AS_EVER)
def test_each_verb_ends_as_ever(home: Path, name: str) -> None:
    condition = AS_EVER[name]
    verbs = list(WIDE if "COLUMNS" in name else VERBS)
    for verb, ended in zip(verbs, run_all(cases(home, verbs, **condition)), strict=True):
        sound(verb, ended)
        assert ended.code == VERBS[verb], (verb, ended)
        if condition.get("stdout") != "left" and condition.get("stderr") not in ("left", "full"):
            assert ended.out + ended.err or verb in SILENT, verb
        if "--json" in verb and ended.out:
            json.loads(ended.out)


@pytest.mark.parametrize(("kind", "why"), [("closed", "it is closed"), ("full", "no space left on device")])
def test_what_cannot_be_printed_is_said_once(home: Path, kind: str, why: str) -> None:
    says = f"cannot write to standard output: {why} (send it to a file that can be written)"
    for verb, ended in zip(VERBS, run_all(cases(home, list(VERBS), stdout=kind)), strict=True):
        sound(verb, ended)
        printed = (verb not in SILENT and VERBS[verb] in (0, 1)) or verb == "run"
        lost = verb not in SILENT and (VERBS[verb] in (0, 1))
        assert ended.code == (3 if lost and VERBS[verb] == 0 else VERBS[verb]), (verb, ended)
        assert (ended.err.splitlines()[-1:] == [f"kunren: {says}"]) == (printed and verb != "run"), (verb, ended)


@pytest.mark.parametrize("stdout", ["open", "closed"])
def test_a_refusal_is_seen_where_stderr_is_closed(home: Path, stdout: str) -> None:
    for verb, ended in zip(VERBS, run_all(cases(home, list(VERBS), stderr="closed", stdout=stdout)), strict=True):
        sound(verb, ended)
        if stdout == "open":
            assert ended.code == VERBS[verb], (verb, ended)
            assert ended.out or verb in SILENT, verb
            assert ended.code != 3 or verb == "run" or ended.out.startswith("kunren: "), (verb, ended)
        else:
            assert ended.code == (VERBS[verb] or (0 if verb in SILENT else 3)), (verb, ended)


def test_a_file_that_is_opened_is_never_a_standard_stream(home: Path) -> None:
    """With all three closed the card still goes to its file, and nothing else into it."""
    verb = "check RUN --quiet --json out.json"
    (ended,) = run_all(cases(home, [verb], stdin="closed", stdout="closed", stderr="closed"))
    assert ended.code == 0
    assert (home / "out.json").read_bytes() == (GOLDEN / "pass" / "scorecard.json").read_bytes()


# -- no place for the cache -------------------------------------------------------------------------------------------

NEED = [
    "heal",
    "heal --all",
    "run exchange-link-down",
    "verify exchange-link-down",
    "target up",
    f"run {EXAMPLE}/drill.yaml --target {EXAMPLE}/target.yaml --proxy embedded",
    f"verify {EXAMPLE}/drill.yaml --target {EXAMPLE}/target.yaml --proxy embedded",
    f"target up --target {EXAMPLE}/target.yaml --proxy embedded",
]
HOMELESS: dict[str, str | None] = {"HOME": None, "KUNREN_CACHE": None, "XDG_CACHE_HOME": None}


def test_no_home_is_one_line_whatever_the_verb_and_the_target(home: Path) -> None:
    found = run_all(cases(home, NEED, nameless=True, environment=HOMELESS))
    says = f"no place for the cache: HOME is not set, and uid {os.getuid()} has no entry in the password database;"
    for verb, ended in zip(NEED, found, strict=True):
        sound(verb, ended)
        assert (ended.code, ended.out) == (3, ""), (verb, ended)
        assert f"{says} set KUNREN_CACHE to a folder you may write to" in one_line(ended), verb  # it may lack more
    assert not (home / "runs").exists()


def test_a_home_that_cannot_be_written_to(home: Path) -> None:
    verbs = [verb for verb in NEED if not verb.startswith("heal")]
    found = run_all(cases(home, verbs, environment={**HOMELESS, "HOME": "/proc"}))
    for verb, ended in zip(verbs, found, strict=True):
        sound(verb, ended)
        assert (ended.code, ended.out) == (3, ""), (verb, ended)
        says = "cannot write to /proc/.cache/kunren: No such file or directory; set KUNREN_CACHE to another folder"
        assert one_line(ended) == says, verb


def test_an_empty_variable_names_no_folder(home: Path) -> None:
    empty = {"HOME": "", "KUNREN_CACHE": "", "XDG_CACHE_HOME": ""}
    (ended,) = run_all(cases(home, ["heal"], nameless=True, environment=empty))
    assert (ended.code, one_line(ended).split(":")[0]) == (3, "no place for the cache")


def test_what_needs_no_cache_asks_for_none(home: Path) -> None:
    verbs = [verb for verb in VERBS if not verb.startswith("heal")]
    found = run_all(cases(home, verbs, nameless=True, environment=HOMELESS))
    assert {verb: ended.code for verb, ended in zip(verbs, found, strict=True)} == {v: VERBS[v] for v in verbs}


def test_doctor_and_compose_say_it_among_the_rest(home: Path) -> None:
    verbs = ["doctor", "doctor --json", "run exchange-link-down --target compose"]
    for verb, ended in zip(verbs, run_all(cases(home, verbs, nameless=True, environment=HOMELESS)), strict=True):
        sound(verb, ended)
        assert ended.code == 3, (verb, ended)
        assert "no place for the cache" in ended.out + ended.err, verb
        assert "set KUNREN_CACHE" in ended.out + ended.err, verb


# -- a byte that is no UTF-8 ------------------------------------------------------------------------------------------


def test_a_path_that_is_no_utf_8(home: Path) -> None:
    odd = home / f"odd{NO_BYTE}"
    drill = "exchange-link-down"
    run = odd / "runs" / drill / "20261122T100600.250Z-runbook-7"
    shutil.copytree(GOLDEN / "pass", run)
    (odd / f"{NO_BYTE}.yaml").write_text("drill: x\n")
    shutil.copy(CATALOGUE / drill / "runbook.yaml", odd / f"page{NO_BYTE}.yaml")
    expected = {
        f"check {odd}": 3,
        f"check {run}": 0,
        f"check {run} --json -": 0,
        f"check last --runs {odd}/runs": 0,
        f"check {NO_BYTE}": 3,
        f"compare {run} OTHER": 0,
        f"compare {run} OTHER --json -": 0,
        f"list --runs {odd}/runs": 0,
        f"list --runs {odd}/runs --json": 0,
        f"list --runs {NO_BYTE}": 0,
        f"lint {odd}/{NO_BYTE}.yaml": 1,
        f"lint {odd}/{NO_BYTE}.yaml --json": 1,
        f"runbook show {odd}/page{NO_BYTE}.yaml": 0,
        f"runbook show {NO_BYTE}": 3,
        f"schema {NO_BYTE}": 3,
        f"run {NO_BYTE}": 3,
        f"run {odd}/{NO_BYTE}.yaml": 3,
        f"run {drill} --target {NO_BYTE}": 3,
        f"run {drill} --arm {NO_BYTE}": 3,
        f"run {drill} --proxy {NO_BYTE}": 3,
        f"run {drill} --lang {NO_BYTE}": 3,
        f"run {drill} --json no/{NO_BYTE}": 3,
        f"verify {NO_BYTE}": 3,
        f"heal --runs {odd}/runs": 0,
        f"heal --runs {odd}/runs --json": 0,
        f"heal {NO_BYTE}": 3,
        NO_BYTE: 3,
    }
    for place in (str(home), str(odd)):
        found = run_all([replace(case, cwd=place) for case in cases(home, list(expected))])
        for verb, ended in zip(expected, found, strict=True):
            sound(repr(verb), ended)
            assert ended.code == expected[verb], (repr(verb), ended)
            assert ended.out + ended.err
            if verb.endswith(("--json", "--json -")) and ended.code != 3:
                json.loads(ended.out)
    assert "\\xff" in run_all(cases(home, [f"check {NO_BYTE}"]))[0].err


def test_a_system_is_never_told_a_path_that_is_no_text(home: Path) -> None:
    """Its configuration is JSON: nothing is started, and one line says which folder it is."""
    odd = home / f"elsewhere{NO_BYTE}"
    odd.mkdir()
    shutil.copy(EXAMPLE / "target.yaml", odd / "target.yaml")
    drill = f"run {EXAMPLE}/drill.yaml --proxy embedded --target"
    condition: dict[str, Any] = {"cwd": str(home), "environment": {"KUNREN_CACHE": str(odd)}}
    for verb in ("run exchange-link-down --proxy embedded", f"{drill} {EXAMPLE}/target.yaml"):
        (ended,) = run_all(cases(home, [verb], **condition))
        assert (ended.code, ended.out) == (3, "")
        assert one_line(ended) == (
            rf"the path of the cache, {home}/elsewhere\xff, is not UTF-8; set KUNREN_CACHE to another folder"
        )
    (target,) = run_all(cases(home, [f"{drill} {odd}/target.yaml"]))
    assert (target.code, one_line(target)) == (
        3, rf"the path of {home}/elsewhere\xff/target.yaml is not UTF-8 (move it to another folder)",
    )  # fmt: skip
    for verb in ("run exchange-link-down --quiet --proxy embedded", "target up --proxy embedded"):
        (ended,) = run_all([replace(each, cwd=str(odd)) for each in cases(home, [verb])])
        assert (ended.code, ended.out) == (3, ""), ended
        assert one_line(ended).endswith("is not UTF-8 (give another folder with --runs DIR)")
    assert [path.name for path in odd.iterdir()] == ["target.yaml"]


def test_the_names_of_runs_stand_in_json_as_they_are_shown(home: Path) -> None:
    runs = home / "named"
    shutil.copytree(GOLDEN / "pass", runs / f"exchange-link-down{NO_BYTE}" / "20261122T100600.250Z-runbook-7")
    (said, doubt) = run_all(cases(home, [f"check last --runs {runs}", f"check 2 --runs {runs}"]))
    assert (said.code, doubt.code) == (0, 0)
    assert "exchange-link-down\\xff" in said.out
