"""Whatever a hook starts is found and ended, whatever it does to its environment, title, session, parents or keeper."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from targets import hooks, processes
from targets.commands import run
from targets.keeper import SEEN, boot, stat
from targets.processes import belonging, keepers
from targets.target import TargetError

GUARD_S = 30.0
"""No expectation: a test that would wait for ever fails then."""

CLOBBER = """
import ctypes, time
found = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
first, last = int(found[47]), int(found[48])
ctypes.memset(first, 0, last - first)
"""
"""What servers do that write a title over their environment."""

STAY = "\nimport time\nprint('up', flush=True)\ntime.sleep(600)\n"
DAEMON = """
import os, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.execve(sys.executable, [sys.executable, "-c", sys.argv[1]], {})
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
PYTHON = sys.executable

WAYS = {
    "writes over its environment": [PYTHON, "-c", CLOBBER + STAY],
    "has a clean environment": ["env", "-i", PYTHON, "-c", STAY],
    "begins a session": ["setsid", "--fork", "env", "-i", PYTHON, "-c", STAY],
    "forks twice": [PYTHON, "-c", DAEMON, CLOBBER + STAY],
    "does not heed SIGTERM": [PYTHON, "-c", DAEMON, DEAF + STAY],
}


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: list[hooks.Kept] = []

    def launch(self, argv: list[str], service: str = "web") -> hooks.Kept:
        with (self.folder / f"{service}.log").open("ab") as log:
            self.kept.append(hooks.launch(argv, self.folder, service, {}, log, log))
        return self.kept[-1]

    def up(self, argv: list[str], service: str = "web") -> int:
        """The only process of the service, once it has said that it stays."""
        self.launch(argv, service)
        until(lambda: "up\n" in (self.folder / f"{service}.log").read_text())
        (pid,) = belonging(self.folder, service)
        return pid

    def lose_keeper(self, service: str = "web") -> None:
        """Kill it, once it has noted what lives."""
        (pid,) = belonging(self.folder, service)
        until(lambda: any(f"{pid} " in path.read_text() for path in self.folder.glob(f"*{SEEN}")))
        (keeper,) = keepers(self.folder, service)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: self.kept[-1].lost)


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GUARD_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    hooks.end(tmp_path, within_s=0.5)
    for hook in made.kept:
        hook.kill()
        hook.close()


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_and_ended(rig: Rig, way: str) -> None:
    pid = rig.up(WAYS[way])
    assert belonging(rig.folder) == [pid]
    assert belonging(rig.folder, "store") == []
    assert hooks.end(rig.folder, within_s=0.5) == []
    assert stat(pid) is None
    assert (belonging(rig.folder), keepers(rig.folder), list(rig.folder.glob(f"*{SEEN}"))) == ([], [], [])


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_although_its_keeper_was_killed(rig: Rig, way: str) -> None:
    pid = rig.up(WAYS[way])
    rig.lose_keeper()
    assert (keepers(rig.folder), belonging(rig.folder), belonging(rig.folder, "web")) == ([], [pid], [pid])
    assert hooks.end(rig.folder, within_s=0.5) == []
    assert stat(pid) is None


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_although_nothing_was_noted(rig: Rig, way: str) -> None:
    """As on a full disk."""
    pid = rig.up(WAYS[way])
    until(lambda: bool(list(rig.folder.glob(f"*{SEEN}"))))
    for path in rig.folder.glob(f"*{SEEN}*"):
        path.unlink()
    assert belonging(rig.folder, "web") == [pid]


def test_each_service_is_found_by_itself(rig: Rig) -> None:
    web, store = rig.up(WAYS["forks twice"]), rig.up(WAYS["forks twice"], "store")
    assert (belonging(rig.folder, "web"), belonging(rig.folder, "store")) == ([web], [store])
    assert hooks.send_all(rig.folder, "web", signal.SIGKILL) == ([web], [])
    until(lambda: belonging(rig.folder) == [store])
    until(lambda: len(keepers(rig.folder)) == 1)  # who keeps nothing leaves


def test_another_process_with_the_number_of_a_noted_one_is_none_of_it(rig: Rig) -> None:
    pid = rig.up(WAYS["writes over its environment"])
    rig.lose_keeper()
    (seen,) = rig.folder.glob(f"*{SEEN}")
    now, (number, start) = boot(), seen.read_text().split()[1:]
    for note, found in {
        f"{now}\n{number} {start}\n": [pid],
        f"{now}\n{number} {int(start) - 1}\n": [],
        f"another-boot\n{number} {start}\n": [],
        "torn": [],
        "": [],
    }.items():
        seen.write_text(note)
        assert belonging(rig.folder) == found
    seen.write_text(f"{now}\n{number} {start}\n")


AFTER = """
import os, sys, time
print("up", flush=True)
while not os.path.exists(os.environ["GO"]):
    time.sleep(0.01)
os.setsid()
os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"], {})
"""


def test_one_that_began_a_session_after_it_had_been_noted_is_found_all_the_same(rig: Rig) -> None:
    """Its keeper was killed before it looked again."""
    go = rig.folder / "go"
    pid = rig.up(["env", f"GO={go}", "sh", "-c", '"$0" -c "$1" &', PYTHON, AFTER])
    rig.lose_keeper()
    go.touch()
    until(lambda: os.getsid(pid) == pid)
    until(lambda: not Path(f"/proc/{pid}/environ").read_bytes())
    assert belonging(rig.folder) == [pid]


def test_the_exit_of_a_hook_is_told_through_its_keeper(rig: Rig) -> None:
    left = rig.launch(["sh", "-c", "sleep 600 & exit 3"])
    assert left.wait(GUARD_S) == left.poll() == 3
    (sleeping,) = belonging(rig.folder)
    assert sleeping != left.pid
    killed = rig.launch(["sh", "-c", "kill -9 $$"], "store")
    assert killed.wait(GUARD_S) == -signal.SIGKILL
    running = rig.launch(["sleep", "600"], "other")
    assert running.poll() is None
    assert belonging(rig.folder, "other") == [running.pid]
    with pytest.raises(hooks.NotStarted, match="cannot run /no/such: No such file or directory"):
        rig.launch(["/no/such"])


def test_a_command_gets_the_usual_signals(rig: Rig) -> None:
    """Its keeper blocks all, and Python ignores some; a child would inherit both."""
    for what in ("Blk", "Ign"):
        rig.launch(["grep", f"Sig{what}", "/proc/self/status"], what).wait(GUARD_S)
        found = int((rig.folder / f"{what}.log").read_text().split()[1], 16)
        assert sum(1 << number - 1 for number in signal.valid_signals()) & found == 0


def test_a_keeper_that_does_not_begin_is_said(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "keeper_command", lambda *_: ["false"])
    with pytest.raises(TargetError, match="the keeper of sleep did not begin"):
        rig.launch(["sleep", "600"])


HOLDS_OUTPUT = ("sh", "-c", "sleep 600 & echo done")


def test_a_hook_is_done_when_it_ends_although_a_child_holds_its_output(rig: Rig) -> None:
    assert hooks.carry_out(HOLDS_OUTPUT, rig.folder, "web", {}, 15.0, rig.kept) == "done\n"
    (left,) = belonging(rig.folder, "web")
    assert hooks.end(rig.folder, "web") == []
    assert stat(left) is None


def test_a_hook_that_is_not_done_in_time_is_ended_with_its_children(rig: Rig) -> None:
    with pytest.raises(TargetError, match=r"^sh -c sleep 600 & wait: not done within 0\.2 s$"):
        hooks.carry_out(("sh", "-c", "sleep 600 & wait"), rig.folder, None, {}, 0.2, rig.kept)
    assert belonging(rig.folder) == []


def test_a_hook_that_fails_says_why(rig: Rig) -> None:
    with pytest.raises(TargetError, match=r"exit 4: no room$"):
        hooks.carry_out(("sh", "-c", "sleep 600 & echo no room >&2; exit 4"), rig.folder, None, {}, 15.0, rig.kept)


def test_what_is_another_users_is_said(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = rig.up(WAYS["has a clean environment"])

    def refuse(number: int, _: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr("targets.hooks.os.kill", refuse)
        assert hooks.send_all(rig.folder, "web", signal.SIGKILL) == ([pid], [pid])
        assert hooks.end(rig.folder) == [pid]
        (said,) = hooks.left_over([pid])
    assert said.startswith(f"process {pid} ({PYTHON} -c ")
    assert said.endswith(" could not be ended")


def test_whose_a_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert " of " not in processes.words(os.getpid())
    owner = os.geteuid()
    monkeypatch.setattr("targets.processes.os.geteuid", lambda: owner + 1)
    assert processes.words(os.getpid()).endswith(f" of {processes._name(owner)}")
    assert processes.words(2**22 + 1) == f"process {2**22 + 1}"


def test_a_command_ends_with_itself_and_not_with_its_output(tmp_path: Path) -> None:
    done = run(["sh", "-c", f"sleep 600 & echo $! >{tmp_path}/pid; echo out; echo err >&2; exit 5"], 15.0)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (done.code, done.out, done.err) == (5, "out\n", "err\n")


def test_a_command_that_takes_too_long_is_ended_with_its_session(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sh", "-c", f"sleep 600 & echo $! >{tmp_path}/pid; wait"], 1.0, whole_session=True)
    until(lambda: stat((tmp_path / "pid").read_text().strip()) is None)
