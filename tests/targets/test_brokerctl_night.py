"""brokerctl's commands for the night batch, against a batch service that answers what a test tells it."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.brokerctl import run
from targets.brokerage.operations import batch
from targets.brokerage.operations.outcome import CommandResult

from .test_brokerctl import Fake, fake_stack

BATCH = {
    "state": "running",
    "job": "mark-to-market",
    "done": 600,
    "total": 1500,
    "overdue": False,
    "forecast_s": 41.6,
    "isolated": [],
    "held": False,
}
BLOCKED = {"blockers": 1, "pid": 4711, "job": "mark-to-market", "seconds": 3.21, "waiting": 12}
FREE = {"blockers": 0, "pid": None, "job": "", "seconds": 0.0, "waiting": 0}
VERIFIED = {"ledger_is_cash": True, "one_variation_each": True, "unmarked": 0, "executions_clean": True}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    with fake_stack(tmp_path) as fake:
        fake.replies = {
            "GET /ops/batch": (200, BATCH),
            "GET /ops/locks": (200, BLOCKED),
            "GET /ops/batch/verify": (200, VERIFIED),
            "POST /ops/sessions/terminate": (200, {}),
            **{f"POST /ops/batch/{verb}": (200, {}) for verb in ("hold", "cancel", "resume", "rerun")},
        }
        yield fake


def ctl(fake: Fake, *words: str, role: str = "operator") -> CommandResult:
    return run(["--stack", str(fake.folder), "--role", role, "--env", "drill", "--json", *words])


def posted(fake: Fake) -> list[tuple[str, Any]]:
    return [each for each in fake.asked if each[0].startswith("POST")]


def test_status_says_which_job_and_how_far(fake: Fake) -> None:
    outcome = ctl(fake, "batch", "status", role="viewer")
    assert (outcome.exit, outcome.changed, outcome.facts["forecast_s"]) == (0, False, 41.6)
    assert outcome.says == "batch running, mark-to-market: 600 of 1500 accounts, forecast 42 s"
    fake.replies["GET /ops/batch"] = (
        200,
        BATCH
        | {
            "isolated": [{"account": "C-0650", "done": 500, "total": 45_000, "finished": False}],
            "held": True,
            "overdue": True,
        },
    )
    assert ctl(fake, "batch", "status").says.endswith("isolated: C-0650 (500 of 45000 lots), held, overdue")
    fake.replies["GET /ops/batch"] = (200, {"state": "done", "forecast_s": None})
    assert ctl(fake, "batch", "status").says == "batch done"


def test_locks_name_the_root_blocker(fake: Fake) -> None:
    outcome = ctl(fake, "locks", "show", role="viewer")
    assert (outcome.exit, outcome.changed, outcome.facts["pid"]) == (0, False, 4711)
    assert outcome.says == "mark-to-market (pid 4711) blocks 12 others for 3.2 s"
    fake.replies["GET /ops/locks"] = (200, BLOCKED | {"blockers": 3})
    assert ctl(fake, "locks", "show").says.endswith("; 2 more block as well")
    fake.replies["GET /ops/locks"] = (200, FREE)
    assert ctl(fake, "locks", "show").says == "nobody blocks anybody"


def test_holding_what_is_held_changes_nothing(fake: Fake) -> None:
    assert ctl(fake, "batch", "hold").changed is True
    fake.replies["GET /ops/batch"] = (200, BATCH | {"held": True})
    assert ctl(fake, "batch", "hold").changed is False
    assert posted(fake) == [("POST /ops/batch/hold", {})]


def test_cancel(fake: Fake) -> None:
    outcome = ctl(fake, "batch", "cancel")
    assert (outcome.exit, outcome.changed, posted(fake)) == (0, True, [("POST /ops/batch/cancel", {})])


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the database would say; the test of the query itself is in test_stuck_account.py."""
    said: list[str | None] = ["C-0650"]
    monkeypatch.setattr(batch, "stuck_account", lambda dsn, chunk: said[0])
    return said


@pytest.mark.usefixtures("stuck")
@pytest.mark.parametrize(
    ("words", "account"), [((), None), (("--isolate", "C-0007"), "C-0007"), (("--isolate", "stuck"), "C-0650")]
)
def test_resuming_may_take_an_account_apart(fake: Fake, words: tuple[str, ...], account: str | None) -> None:
    outcome = ctl(fake, "batch", "resume", *words)
    assert (outcome.exit, outcome.changed, outcome.facts["isolate"]) == (0, True, account)
    assert posted(fake) == [("POST /ops/batch/resume", {"isolate": account})]


def test_nobody_is_taken_apart_where_no_account_stands_out(fake: Fake, stuck: list[str | None]) -> None:
    stuck[0] = None
    outcome = ctl(fake, "batch", "resume", "--isolate", "stuck")
    assert (outcome.exit, outcome.changed, posted(fake)) == (1, False, [])


def test_a_rerun_says_whether_it_ignores_the_checkpoint(fake: Fake) -> None:
    plain = ctl(fake, "batch", "rerun", "statements")
    again = ctl(fake, "batch", "rerun", "mark-to-market", "--from-start")
    assert "from its checkpoint" in plain.says
    assert "whatever it had done" in again.says
    assert [body for _, body in posted(fake)] == [
        {"job": "statements", "from_start": False},
        {"job": "mark-to-market", "from_start": True},
    ]


def test_what_the_scheduler_refuses_is_refused(fake: Fake) -> None:
    fake.replies["POST /ops/batch/resume"] = (409, {"error": "NOT_HELD", "says": "the batch is not held"})
    outcome = ctl(fake, "batch", "resume")
    assert (outcome.exit, outcome.changed) == (1, False)
    assert "the batch is not held" in outcome.says


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"isolated_unmarked": 1}, "every account is marked but 1 isolated"),
        ({}, "the night's books agree, every account is marked"),
        ({"ledger_is_cash": False}, "NOT right: cash is not what the ledger says"),
        ({"one_variation_each": False}, "NOT right: some accounts have more than one variation"),
        ({"executions_clean": None}, "NOT right: executions do not agree"),
        ({"unmarked": 900}, "NOT right: 900 accounts are not marked"),
    ],
)
def test_verify_answers_either_way(fake: Fake, found: dict[str, Any], says: str) -> None:
    fake.replies["GET /ops/batch/verify"] = (200, VERIFIED | found)
    outcome = ctl(fake, "batch", "verify", role="viewer")
    assert (outcome.exit, outcome.changed) == (0, False)
    assert says in outcome.says


@pytest.mark.parametrize(("named", "asked"), [("root-blocker", "root-blocker"), ("4711", 4711)])
def test_a_session_is_ended_by_pid_or_as_the_root_blocker(fake: Fake, named: str, asked: int | str) -> None:
    fake.replies["POST /ops/sessions/terminate"] = (200, {"pid": 4711, "job": "mark-to-market"})
    outcome = ctl(fake, "session", "terminate", named)
    assert (outcome.exit, outcome.changed) == (0, True)
    assert outcome.says.startswith("session 4711 (mark-to-market) was ended")
    assert posted(fake) == [("POST /ops/sessions/terminate", {"pid": asked})]


def test_the_root_blocker_can_be_killed_as_a_process(fake: Fake) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        fake.processes = {"postgres": {"pid": os.getpid(), "state": "running", "exit": None}}  # the victim's parent
        fake.replies["GET /ops/locks"] = (200, BLOCKED | {"pid": victim.pid})
        outcome = ctl(fake, "host", "kill", "--signal", "KILL", "root-blocker")
        assert (outcome.exit, outcome.changed, outcome.facts["pid"]) == (0, True, victim.pid)
        assert victim.wait(5) == -signal.SIGKILL
    finally:
        victim.kill()
        victim.wait()


def test_where_nobody_blocks_nobody_is_killed(fake: Fake) -> None:
    fake.replies["GET /ops/locks"] = (200, FREE)
    outcome = ctl(fake, "host", "kill", "--signal", "KILL", "root-blocker")
    assert (outcome.exit, outcome.changed) == (1, False)
    assert "no root blocker" in outcome.says


ADJUST = ("ledger", "adjust", "--account", "C-0650", "--yen", "-120000", "--reason", "acted on a wrong figure")
ADJUST = (*ADJUST, "--request", "R-17", "--approver")


def test_an_adjustment_names_who_asked_and_who_agreed(fake: Fake) -> None:
    fake.replies["POST /ops/ledger/adjust"] = (200, {"reference": "A-1"})
    outcome = ctl(fake, *ADJUST, "head-of-operations")
    assert (outcome.exit, outcome.changed) == (0, True)
    assert outcome.says == "C-0650 was adjusted by -120,000 yen as A-1 (acted on a wrong figure)"
    assert posted(fake)[0][1] == {
        "account": "C-0650",
        "yen": -120000,
        "reason": "acted on a wrong figure",
        "request": "R-17",
        "approver": "head-of-operations",
    }


@pytest.mark.parametrize("approver", ["", " ", "operator", getpass.getuser()])
def test_nobody_approves_an_adjustment_of_their_own(fake: Fake, approver: str) -> None:
    outcome = ctl(fake, *ADJUST, approver)
    assert (outcome.exit, outcome.changed, posted(fake)) == (1, False, [])


def test_what_the_launcher_does_not_know_is_no_part_of_the_stack(fake: Fake) -> None:
    fake.replies["GET /ops/status"] = (200, {"services": {"orders": True}, "balances": "current"})
    fake.processes = {"api": {"pid": 1, "state": "running", "exit": None}}
    assert ctl(fake, "status").says.startswith("all 1 services run")
    fake.processes["batch"] = {"pid": 2, "state": "exited", "exit": 1}
    assert ctl(fake, "status").says.startswith("NOT running: batch")
