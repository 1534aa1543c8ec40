"""What ``prepare`` makes: again when something it reads has changed, whole or not at all, and never too much of it."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from targets import hooks, prepared
from targets.description import Description, Handshake, Hooked, Proxied, filled
from targets.inputs import digest
from targets.prepared import KEPT, WHOLE, Preparation, prepare
from targets.processes import belonging
from targets.target import StartFailed, TargetError

Command = Sequence[str]
Work = Callable[..., Preparation]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    made = tmp_path / "here"
    (made / "src" / "deep").mkdir(parents=True)
    for name in ("build.sh", "other", "a b", "src/app.py", "src/deep/util.py"):
        (made / name).write_text(name)
    return made


def described(here: Path, *prepare: Command, inputs: Sequence[str] = ()) -> Description:
    return Description(
        name="app",
        here=str(here),
        sha256="0" * 64,
        services={"web": Hooked(("x",), "tcp")},
        links={"front": Proxied("web")},
        customers="front",
        handshake=Handshake("web", "/"),
        loads={},
        unsupported=(),
        prepare=tuple(map(tuple, prepare)),
        prepare_inputs=tuple(inputs),
    )


READ = {
    "a file": (["cp", "{here}/build.sh", "{shared}"], "build.sh"),
    "a program": (["{here}/build.sh"], "build.sh"),
    "a folder": (["cp", "-r", "{here}/src", "{shared}"], "src/deep/util.py"),
    "the whole folder": (["pip", "install", "{here}"], "other"),
    "behind an option": (["pip", "install", "--requirement={here}/other"], "other"),
    "a name with a space": (["cp", "{here}/a b", "{shared}"], "a b"),
    "several in one": (["make", "VPATH={here}/src:{here}/other"], "other"),
    "in a shell's line": (["sh", "-c", "cp '{here}/other' {shared}/; cd {here}/src && make"], "src/app.py"),
    "a shell's pattern": (["sh", "-c", "cat {here}/src/*.py >{shared}/all"], "src/app.py"),
}


@pytest.mark.parametrize(("command", "file"), READ.values(), ids=list(READ))
def test_a_changed_input_is_another_digest(here: Path, command: Command, file: str) -> None:
    app = described(here, command)
    before = digest(app)
    assert digest(app) == before
    os.utime(here / file, (1, 1))
    assert digest(app) == before
    (here / file).write_text("changed")
    changed = digest(app)
    assert changed != before
    (here / file).chmod(0o755)
    assert digest(app) != changed
    (here / file).unlink()
    assert digest(app) not in (before, changed)


@pytest.mark.parametrize(
    "command", [["cp", "{here}/build.sh", "{shared}"], ["echo", "{{here}}/other"], ["echo", "other"]]
)
def test_what_no_command_names_is_no_input(here: Path, command: Command) -> None:
    app = described(here, command)
    before = digest(app)
    (here / "other").write_text("changed")
    assert digest(app) == before


def test_other_inputs_are_named_by_patterns(here: Path) -> None:
    app = described(here, ["make"], inputs=["src/**/*.py"])
    before = digest(app)
    (here / "other").write_text("changed")
    assert digest(app) == before
    (here / "src" / "deep" / "util.py").write_text("changed")
    changed = digest(app)
    assert changed != before
    (here / "src" / "new.py").write_text("")
    assert digest(app) not in (before, changed)


def test_commands_patterns_folder_and_python_are_inputs_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        described(here, ["make"]), described(here, ["make", "all"]), described(here, ["make"], inputs=["other"]),
        described(here / "src", ["make"]),
    ]  # fmt: skip
    assert len({digest(each) for each in made}) == len(made)
    with_python = described(here, ["{python}", "-m", "venv"])
    before = digest(with_python), digest(made[0])
    monkeypatch.setattr(sys, "version", "4.0.0")
    assert digest(with_python) != before[0]
    assert digest(made[0]) == before[1]


def test_runs_beside_the_target_file_and_what_tools_leave_are_no_inputs(here: Path) -> None:
    app = described(here, ["pip", "install", "{here}"])
    before = digest(app)
    for folder, file in (
        ("runs/x/1", "rollback.jsonl"),
        ("runs/x/1/logs", "web.log"),
        ("__pycache__", "a.pyc"),
        (".git", "x"),
    ):
        (here / folder).mkdir(parents=True)
        (here / folder / file).write_text("new")
    assert digest(app) == before


def test_a_pipe_is_not_read_and_a_link_to_a_folder_is_where_it_leads(here: Path) -> None:
    os.mkfifo(here / "src" / "pipe")
    (here / "src" / "link").symlink_to("deep")
    app = described(here, ["cp", "-r", "{here}/src", "{shared}"])
    before = digest(app)
    (here / "src" / "link").unlink()
    (here / "src" / "link").symlink_to("..")
    assert digest(app) != before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_input_that_cannot_be_read_is_said(here: Path) -> None:
    (here / "other").chmod(0)
    with pytest.raises(TargetError, match=r"prepare reads .*/other, which cannot be read: Permission denied"):
        digest(described(here, ["cp", "{here}/other", "x"]))


# -- made once, whole or not at all ---------------------------------------------------------------------------------


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    return tmp_path / "sites"


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """``work(command, …, shared=NAME)``."""
    (tmp_path / "run").mkdir()

    def make(*commands: Command, shared: str = "app-000000000001") -> Preparation:
        into = tmp_path / "prepared" / shared
        ready = [filled(tuple(argv), {"shared": str(into)}) for argv in commands]
        return Preparation(ready, into, tmp_path / "run", tmp_path / "prepare.log", launch)

    def launch(argv: Sequence[str], log: Path) -> hooks.Kept:
        with log.open("ab") as output:
            kept.append(hooks.launch(argv, tmp_path / "run", None, dict(os.environ), output, output))
        return kept[-1]

    kept: list[hooks.Kept] = []
    yield make
    hooks.end(tmp_path / "run")
    for hook in kept:
        hook.close()


NOTE = ("sh", "-c", "echo x >>{shared}/notes")
FAIL = ("sh", "-c", "echo to stdout; seq 20 >&2; exit 7")


def test_it_is_made_once(work: Work, sites: Path) -> None:
    for _ in range(2):
        prepare(work(NOTE), sites)
    assert (work().shared / "notes").read_text() == "x\n"


def test_a_failure_names_the_command_its_status_and_its_last_lines(work: Work, sites: Path) -> None:
    with pytest.raises(StartFailed) as caught:
        prepare(work(NOTE, FAIL), sites)
    shown = "prepare command 2 of 2: sh -c 'echo to stdout; seq 20 >&2; exit 7': exit status 7"
    assert caught.value.says == shown
    assert caught.value.log == tuple(map(str, range(11, 21)))
    assert str(caught.value) == f"{shown}; its log ends: 20"
    with pytest.raises(
        StartFailed, match="prepare command 1 of 1: /no/such/program: cannot run /no/such/program: No such"
    ):
        prepare(work(("/no/such/program",)), sites)
    with pytest.raises(StartFailed, match="ended by signal 9"):
        prepare(work(("sh", "-c", "kill -9 $$")), sites)


def test_the_lines_shown_are_the_failed_commands_own(work: Work, sites: Path) -> None:
    with pytest.raises(StartFailed, match=r"exit status 1; it left no log$"):
        prepare(work(("echo", "of another"), ("false",)), sites)


def test_a_second_attempt_starts_from_a_clean_folder(work: Work, sites: Path) -> None:
    once = ("sh", "-c", "test -e {shared}/../second || (touch {shared}/../second; false)")
    with pytest.raises(StartFailed):
        prepare(work(NOTE, once), sites)
    prepare(work(NOTE, once), sites)
    assert (work().shared / "notes").read_text() == "x\n"


def test_what_an_interrupted_attempt_left_is_emptied(work: Work, sites: Path) -> None:
    """Also where folders were made read-only, as Go's module cache is."""
    left = work().shared / "pkg" / "mod"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    left.chmod(0o555)
    prepare(work(NOTE), sites)
    assert sorted(path.name for path in work().shared.iterdir()) == [WHOLE, "notes"]


def test_a_command_that_is_not_done_in_time_is_ended(work: Work, sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "WITHIN_S", 0.3)
    with pytest.raises(StartFailed, match=r"sleep 600: not done within 0\.3 s"):
        prepare(work(("sleep", "600")), sites)


def test_what_a_failed_command_left_running_is_ended_before_others_come(work: Work, sites: Path) -> None:
    asked = work(("sh", "-c", "sleep 600 & exit 1"))
    with pytest.raises(StartFailed):
        prepare(asked, sites)
    assert belonging(asked.folder) == []


def test_what_is_interrupted_is_ended_before_others_come(
    work: Work, sites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "began")

    def interrupted(hook: hooks.Kept, within_s: float) -> int:
        (tmp_path / "began").read_text()
        raise KeyboardInterrupt

    monkeypatch.setattr(hooks.Kept, "wait", interrupted)
    asked = work(("sh", "-c", f"echo >{tmp_path / 'began'}; exec sleep 600"))
    with pytest.raises(KeyboardInterrupt):
        prepare(asked, sites)
    assert belonging(asked.folder) == []
    assert not (asked.shared / WHOLE).exists()


def test_what_a_command_leaves_running_is_not_waited_for(work: Work, sites: Path, tmp_path: Path) -> None:
    """It holds the command's output; its end is seen by the file that it then removes."""
    os.mkfifo(tmp_path / "gate")
    prepare(work(("sh", "-c", f"read line <{tmp_path / 'gate'} &")), sites)
    assert (work().shared / WHOLE).exists()
    (tmp_path / "gate").write_text("go on\n")


def test_runs_side_by_side_prepare_once(work: Work, sites: Path) -> None:
    asked = work(("sh", "-c", "echo x >>{shared}/notes; sleep 0.2"))
    runs = [threading.Thread(target=prepare, args=(asked, sites)) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
    assert (asked.shared / "notes").read_text() == "x\n"


def test_a_folder_that_cannot_be_made_is_said(work: Work, sites: Path) -> None:
    work().shared.parent.write_text("a file is in the way")
    with pytest.raises(StartFailed, match=r"cannot be prepared: .*; fix: remove it, or set KUNREN_CACHE"):
        prepare(work(NOTE), sites)


def test_old_ones_go_but_for_those_in_use_and_of_others(work: Work, sites: Path) -> None:
    used = work(shared="app-00000000000a").shared
    (sites / "run").mkdir()
    (sites / "run" / "site.json").write_text(json.dumps({"shared": str(used)}))
    others = [work(shared=name).shared for name in ("app-x-000000000001", "other-000000000001", "app-notes")]
    for folder in (used, *others):
        folder.mkdir(parents=True)
    for number in range(KEPT + 2):
        asked = work(NOTE, shared=f"app-{number:012x}")
        prepare(asked, sites)
        os.utime(asked.shared / WHOLE, (number + 1, number + 1))
    left = {path.name for path in used.parent.iterdir() if path.is_dir()}
    newest = {f"app-{number:012x}" for number in range(2, KEPT + 2)}
    assert left == {used.name, *(each.name for each in others), *newest}
    assert {path.name for path in used.parent.glob("*.lock")} == {f"{name}.lock" for name in (*newest, used.name)}


def test_one_that_is_being_made_is_not_removed(work: Work, sites: Path) -> None:
    busy = work(shared="app-00000000000b").shared
    busy.mkdir(parents=True)
    with prepared._alone(busy):
        for number in range(KEPT + 1):
            prepare(work(NOTE, shared=f"app-{number:012x}"), sites)
        assert busy.exists()
    prepare(work(NOTE, shared="app-00000000000c"), sites)
    assert not busy.exists()


def test_nothing_is_removed_where_nobody_can_say_what_is_used(work: Work, sites: Path) -> None:
    (sites / "run").mkdir()
    (sites / "run" / "site.json").write_text("torn")
    for number in range(KEPT + 2):
        prepare(work(NOTE, shared=f"app-{number:012x}"), sites)
    assert len([path for path in work().shared.parent.iterdir() if path.is_dir()]) == KEPT + 2


def test_what_is_prepared_is_described_in_full(here: Path) -> None:
    app = described(here, ["make"], inputs=["other"])
    assert msgspec.json.decode(msgspec.json.encode(app), type=Description) == app
