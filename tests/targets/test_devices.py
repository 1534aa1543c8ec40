"""What a target relies on to be cleared away after its harness, each made to fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from targets.brokerage.launcher import Launcher
from targets.containers.switchboard import Switchboard
from targets.local import LocalTarget
from targets.runtime import Request

ORPHAN = """
import os, signal, sys
from targets.brokerage.launcher import Launcher
launcher = Launcher(None)
launcher._pid = int(sys.argv[1])
launcher._die_with_parent(signal.SIGKILL)
print("lives")
"""


@pytest.mark.parametrize(("lives", "code", "said"), [(True, 0, "lives\n"), (False, 1, "")])
def test_a_service_whose_launcher_died_before_it_could_be_tied_to_it_ends(lives: bool, code: int, said: str) -> None:
    """The kernel tells of a parent's death only who has asked before."""
    parent = os.getpid() if lives else 1
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(parent)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (code, said), done.stderr


def test_who_cannot_be_tied_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = Launcher(None)  # type: ignore[arg-type]
    with pytest.raises(OSError, match=r"prctl\(PR_SET_PDEATHSIG\) failed"):
        launcher._die_with_parent(999)  # type: ignore[arg-type]


def test_a_switchboard_that_has_ended_is_seen(tmp_path: Path) -> None:
    made = Switchboard(tmp_path / "control", "token", lambda _: {})
    assert made.serves
    made.open()
    assert made.serves
    made.close()
    assert not made.serves


def test_a_launcher_that_died_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    target = LocalTarget(Request("a-drill/a-run", 7, "N2", "18:10", 60, tmp_path / "logs", "embedded"))
    assert target.unguarded() == ()
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stands_for_it:
        target._launcher = stands_for_it
        assert target.unguarded() == ()
        stands_for_it.send_signal(signal.SIGKILL)
        stands_for_it.wait()
        assert target.unguarded() == ("the launcher, which ends the services, has died",)
        target.__exit__(None, None, None)
    assert target.unguarded() == ()
