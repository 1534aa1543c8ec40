"""brokerctl against a stack that is not there: an api, a gateway and a launcher that answer what a test tells them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage import config as brokerage
from targets.brokerage.brokerctl import run
from targets.brokerage.launcher import Child, Launcher
from targets.brokerage.operations import grammar, host
from targets.brokerage.operations import services as services
from targets.brokerage.operations.audit import typed
from targets.brokerage.operations.outcome import CommandResult, Refused
from targets.brokerage.operations.tool import TOOL
from targets.brokerage.processes import owner
from targets.brokerage.topology import TOPOLOGY
from targets.operator_tool import Command
from targets.tool_arguments import misuse

from .ports import free_ports

TOKEN = "t0ken"


@dataclass
class Fake:
    """``replies`` maps ``METHOD path`` (without query) to (status, JSON); ``asked`` is what was asked, in order."""

    config: brokerage.Config
    replies: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)
    deaf: bool = False  # ignores SIGTERM

    @property
    def folder(self) -> Path:
        return Path(self.config.folder)

    def control(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request.pop("token") == TOKEN
        row = self.processes.get(request.get("service", ""))
        if request["verb"] != "status":
            self.asked.append(("launcher", request))
        if request["verb"] == "signal" and row and not (self.deaf and request["signal"] != 9):
            row |= {"state": "exited", "exit": -request["signal"]}
        if request["verb"] == "start" and row:
            row |= {"state": "running", "exit": None, "pid": row["pid"] + 1}
        if request["verb"] == "kill":
            launcher = Launcher(self.config)
            launcher.children = {name: Child(row["pid"], row["exit"]) for name, row in self.processes.items()}
            return {"ok": True, **launcher.kill(request["pid"], request["signal"], request["among"])}
        return {"ok": True, "services": self.processes}


def make_config(folder: Path) -> brokerage.Config:
    ports, via = TOPOLOGY.numbered(free_ports(TOPOLOGY.block))
    config = brokerage.Config(
        stack="s-1",
        token=TOKEN,
        seed=1,
        folder=str(folder),
        logs=str(folder),
        ports=ports,
        via=via,
        clock=brokerage.ClockConfig(anchor_ns=0, business="2026-11-20T09:00:00+09:00"),
    )
    brokerage.save(config)
    return config


@contextmanager
def fake_stack(folder: Path) -> Iterator[Fake]:
    fake = Fake(make_config(folder))
    ports = fake.config.ports
    with ExitStack() as stack:
        for name in ("api", "gateway", "batch"):
            stack.enter_context(running(ThreadingHTTPServer(("127.0.0.1", ports[name]), _http(fake))))
        stack.enter_context(running(_Tcp(("127.0.0.1", ports["launcher"]), _control(fake))))
        yield fake


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


def _http(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            what = f"{self.command} {self.path.partition('?')[0]}"
            fake.asked.append((f"{self.command} {self.path}", body))
            status, found = fake.replies.get(what, (404, {"error": "NO_SUCH_PATH"}))
            if self.path.startswith("/ops/") and self.headers["X-Ops-Token"] != TOKEN:
                status, found = 403, {"error": "TOKEN"}
            data = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None: ...

    return Handler


def _control(fake: Fake) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if line := self.rfile.readline():
                self.wfile.write(json.dumps(fake.control(json.loads(line))).encode() + b"\n")

    return Handler


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    with fake_stack(tmp_path) as fake:
        fake.replies = {
            "GET /ops/status": (200, {"services": {"orders": True, "inquiry": True}, "balances": "current", **SESSION}),
            "POST /ops/service": (200, {"name": "orders"}),
            "POST /ops/balances": (200, {"status": "current"}),
        }
        fake.processes = {
            name: {"pid": 1000 + index, "state": "running", "exit": None} for index, name in enumerate(host.HOSTED)
        }
        yield fake


SESSION = {"session": "active", "link": "A", "heartbeat_age_s": 0.1, "outstanding": 3, "unknown": 0, "resyncing": False}


def ctl(fake: Fake, *words: str, role: str = "operator", env: str = "drill") -> CommandResult:
    return run(["--stack", str(fake.folder), "--role", role, "--env", env, "--json", *words])


def audit(fake: Fake) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (fake.folder / "audit.jsonl").read_text().splitlines()]


def posted(fake: Fake) -> list[tuple[str, Any]]:
    return [each for each in fake.asked if each[0].startswith("POST")]


# -- guards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", TOOL.commands, ids=lambda command: command.name)
def test_a_viewer_may_only_look(command: Command) -> None:
    looks = command.read_only and command.name != "gateway drain"
    assert (TOOL.refusal("viewer", command, ()) is None) is looks
    assert TOOL.refusal("operator", command, ()) is None


@pytest.mark.parametrize("command", TOOL.commands, ids=lambda command: command.name)
def test_what_a_command_declares_agrees_with_itself(command: Command) -> None:
    assert not (command.reopens and command.read_only)
    assert not (command.verifies and not command.read_only)
    for roles in (command.roles, *(argument.roles for argument in command.arguments)):
        assert set(roles) <= set(TOOL.roles)
    assert {"ok", "exit", "says", "changed"} <= set(command.reply)


def test_force_takes_the_duty_manager(fake: Fake) -> None:
    outcome = ctl(fake, "service", "open", "orders", "--force")
    assert (outcome.exit, outcome.changed) == (1, False)
    assert "duty-manager" in outcome.says
    assert fake.asked == []


def test_another_environment_is_refused_before_anything_is_asked(fake: Fake) -> None:
    outcome = ctl(fake, "service", "close", "orders", env="production")
    assert (outcome.exit, outcome.changed, fake.asked) == (1, False, [])
    assert "production" in outcome.says
    assert audit(fake)[-1]["exit"] == 1


def test_every_command_is_understood() -> None:
    found = [grammar.parse(example.split()).operation.command for example in EXAMPLES]
    assert sorted(command.name for command in found) == sorted(command.name for command in TOOL.commands)


@pytest.mark.parametrize("command", TOOL.commands, ids=lambda command: command.name)
def test_the_examples_of_each_command_are_its_own(command: Command) -> None:
    for example in command.examples:
        words = shlex.split(example)
        assert grammar.parse(["--role", "operator", "--env", "drill", *words]).operation.command == command
        assert TOOL.command([TOOL.name, *words]) == command
        assert misuse(command, TOOL.arguments(command, [TOOL.name, *words])) is None


EXAMPLES = [
    f"--role operator --env drill {words}"
    for words in (
        "status",
        "reconcile",
        "service close orders",
        "service open orders --force",
        "balances mark-not-current",
        "balances mark-current",
        "gateway status",
        "gateway probe B",
        "gateway use-link B --reset-sequence",
        "gateway resolve",
        "gateway resend",
        "gateway drain --within 20s",
        "customers affected --since 120s",
        "notices resend",
        "host restart gateway",
        "host kill --signal TERM 4711",
        "batch status",
        "batch verify",
        "batch hold",
        "batch cancel",
        "batch resume --isolate C-0650",
        "batch rerun mark-to-market --from-start",
        "locks show",
        "session terminate root-blocker",
        "ledger adjust --account C-0650 --yen -5 --reason r --request q --approver a",
        "edge show",
        "edge reload",
        "edge limit 50",
        "relay status",
        "relay level debug",
        "relay rotate",
        "volume show relay-log",
        "volume copy relay-log a.log b.log",
        "volume unpack relay-log a.log.gz",
        "volume split relay-log a.log.gz",
        "volume pack relay-log a.log",
        "volume move relay-log a.log --copies",
        "volume remove relay-log copy-*",
        "volume truncate relay-log a.log",
        "synthetic order",
        "synthetic verification off",
        "cert scan",
        "cert request",
        "cert check",
        "cert install",
        "cert verify",
        "cert inventory",
        "cert enter",
        "limits",
        "numbers show",
        "numbers extend sequence 8",
        "numbers cycle off",
        "numbers overflow refuse",
        "numbers use-range 1",
        "numbers try 10000000",
        "numbers duplicates",
        "queue show",
        "queue priority on",
        "queue wait 2",
        "queue slots 12",
        "queue overflow wait",
        "queue expire 2",
        "queue capacity",
        "orders checks off",
        "room show",
        "room open 24",
        "room close",
        "withdrawals show",
        "withdrawals probe",
        "withdrawals keep-log",
        "withdrawals new-session",
        "withdrawals inquire",
        "withdrawals resolve",
        "withdrawals complete W-00000001",
        "withdrawals reverse --all",
        "withdrawals resend --new-reference",
        "withdrawals tell failed",
        "withdrawals notify",
        "mail show",
        "mail spool mail-reserve",
        "mail resend missing",
        "mail mark-sent",
    )
]


@pytest.mark.parametrize(
    "words",
    [
        ["service", "close", "everything"],
        ["gateway", "use-link", "C"],
        ["gateway", "drain", "--within", "-1"],
        ["host", "restart", "exchange"],
        ["batch", "rerun", "everything"],
        ["session", "terminate", "blocker"],
        ["edge", "limit", "none"],
        ["relay", "level", "trace"],
        ["volume", "show", "pgdata"],
        ["volume", "remove", "relay-log"],
        ["ledger", "adjust", "--account", "C-0001", "--yen", "5", "--reason", "r", "--request", "q"],
        ["no-such-noun"],
        ["service"],
    ],
)
def test_what_is_not_understood_is_refused_with_its_usage_and_audited(fake: Fake, words: list[str]) -> None:
    outcome = ctl(fake, *words)
    assert (outcome.exit, outcome.changed, fake.asked) == (1, False, [])
    assert outcome.facts["usage"].startswith("usage: brokerctl")
    assert audit(fake)[-1]["argv"][-len(words) :] == words


def test_without_an_audit_log_nothing_is_changed(fake: Fake) -> None:
    (fake.folder / "audit.jsonl").mkdir()
    outcome = ctl(fake, "service", "close", "orders")
    assert (outcome.exit, outcome.changed, fake.asked) == (1, False, [])


def test_no_stack_fails_with_what_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUNREN_STACK", raising=False)
    for words in ([], ["--stack", str(tmp_path)]):
        outcome = run([*words, "--role", "viewer", "--env", "drill", "status"])
        assert (outcome.exit, outcome.changed) == (2, False)
        assert "check" in outcome.says


def test_a_stack_that_is_not_running_fails_and_changes_nothing(tmp_path: Path) -> None:
    make_config(tmp_path)
    for words in (["status"], ["service", "close", "orders"], ["host", "restart", "api"]):
        outcome = run(["--stack", str(tmp_path), "--role", "operator", "--env", "drill", *words])
        assert (outcome.exit, outcome.changed) == (2, False)


# -- commands -----------------------------------------------------------------------------------------------------


def test_what_a_person_types_is_told_apart_from_what_is_run_for_the_robot(fake: Fake) -> None:
    words = [
        "--stack",
        str(fake.folder),
        "--role",
        "operator",
        "--env",
        "drill",
        "--json",
        "service",
        "close",
        "orders",
    ]
    run(words, typed=False)
    assert list(typed(fake.folder)) == []
    run(words)
    (row,) = typed(fake.folder)
    assert (row["command"], row["role"], row["reply"]["changed"]) == (["service", "close", "orders"], "operator", True)
    assert row["began_ns"] <= row["t_ns"]


def test_closing_a_service_is_audited_before_and_after(fake: Fake) -> None:
    outcome = ctl(fake, "service", "close", "orders")
    assert (outcome.exit, outcome.changed) == (0, True)
    assert posted(fake) == [("POST /ops/service", {"name": "orders", "open": False, "force": False})]
    assert [(row["exit"], row["role"], row["env"], row["changed"]) for row in audit(fake)] == [
        (None, "operator", "drill", None),
        (0, "operator", "drill", True),
    ]


def test_what_is_so_already_is_done_without_change(fake: Fake) -> None:
    assert ctl(fake, "service", "open", "orders").changed is False
    assert ctl(fake, "balances", "mark-current").changed is False
    assert ctl(fake, "gateway", "use-link", "A").changed is False
    assert posted(fake) == []


def test_a_dirty_reconcile_refuses_and_shows_the_findings(fake: Fake) -> None:
    fake.replies["GET /ops/status"] = (200, {"services": {"orders": False}, "balances": "not-current"})
    dirty = {"error": "RECONCILE_DIRTY", "says": "3 executions are missing", "missing": 3}
    fake.replies |= {"POST /ops/service": (409, dirty), "POST /ops/balances": (409, dirty)}
    for words in (["service", "open", "orders"], ["balances", "mark-current"]):
        outcome = ctl(fake, *words)
        assert (outcome.exit, outcome.changed, outcome.facts["missing"]) == (1, False, 3)
        assert "3 executions are missing" in outcome.says


def test_a_forced_opening_says_so(fake: Fake) -> None:
    fake.replies["GET /ops/status"] = (200, {"services": {"orders": False}, "balances": "current"})
    outcome = ctl(fake, "service", "open", "orders", "--force", role="duty-manager")
    assert (outcome.exit, outcome.changed) == (0, True)
    assert "forced" in outcome.says
    assert posted(fake)[0][1]["force"] is True


def test_a_failure_of_the_service_counts_as_half_way(fake: Fake) -> None:
    fake.replies["POST /ops/use-link"] = (504, {"error": "NO_LOGON", "says": "no logon within 2 s"})
    outcome = ctl(fake, "gateway", "use-link", "B")
    assert (outcome.exit, outcome.changed) == (2, True)
    assert "no logon within 2 s" in outcome.says
    assert "check" in outcome.says


def test_nonsense_from_the_service_counts_as_half_way(fake: Fake) -> None:
    fake.replies["POST /ops/service"] = (200, b"<html>")
    assert (ctl(fake, "service", "close", "orders").exit, audit(fake)[-1]["exit"]) == (2, 2)


def test_use_link_passes_the_sequence_on(fake: Fake) -> None:
    fake.replies["POST /ops/use-link"] = (200, {"link": "B"})
    assert ctl(fake, "gateway", "use-link", "B", "--reset-sequence").changed is True
    assert posted(fake) == [("POST /ops/use-link", {"link": "B", "reset_sequence": True})]


def test_orders_left_unknown_are_half_way(fake: Fake) -> None:
    counts = {"live": 1, "filled": 0, "rejected": 2, "still_unknown": 4}
    fake.replies["POST /ops/resolve"] = (200, counts)
    outcome = ctl(fake, "gateway", "resolve")
    assert (outcome.exit, outcome.changed, outcome.facts["still_unknown"]) == (2, True, 4)
    fake.replies["POST /ops/resolve"] = (200, counts | {"still_unknown": 0})
    assert (ctl(fake, "gateway", "resolve").exit, ctl(fake, "gateway", "resolve").changed) == (0, True)


def test_orders_that_could_not_be_sent_again_are_half_way(fake: Fake) -> None:
    fake.replies["POST /ops/resend"] = (200, {"resent": 2, "not_sent": 0})
    assert (ctl(fake, "gateway", "resend").exit, ctl(fake, "gateway", "resend").changed) == (0, True)
    fake.replies["POST /ops/resend"] = (200, {"resent": 2, "not_sent": 1})
    assert ctl(fake, "gateway", "resend").exit == 2


@pytest.mark.parametrize(
    ("found", "exit", "says"),
    [
        ({"drained": True, "missing": 0}, 0, "agree twice"),
        ({"drained": False, "missing": 3, "says": "x"}, 2, "3 executions missing here"),
        ({"drained": False, "says": "there is no session"}, 2, "there is no session"),
    ],
)
def test_draining_only_waits(fake: Fake, found: dict[str, Any], exit: int, says: str) -> None:
    fake.replies["POST /ops/drain"] = (200, found)
    outcome = ctl(fake, "gateway", "drain", "--within", "3")
    assert (outcome.exit, outcome.changed, outcome.facts["drained"]) == (exit, False, found["drained"])
    assert says in outcome.says
    assert posted(fake) == [("POST /ops/drain", {"within_s": 3.0})]


def test_reconcile_answers_either_way(fake: Fake) -> None:
    fake.replies["POST /ops/reconcile"] = (200, {"clean": False, "missing": 2, "unsent_notices": 1})
    outcome = ctl(fake, "reconcile", role="viewer")
    assert (outcome.exit, outcome.changed, outcome.facts["clean"]) == (0, False, False)
    assert "2 executions missing here, 1 notices not sent" in outcome.says


def test_affected_customers_since_a_duration(fake: Fake) -> None:
    fake.replies["GET /ops/affected"] = (200, {"customers": [f"C-{n:04}" for n in range(7)]})
    outcome = ctl(fake, "customers", "affected", "--since", "5000", role="viewer")
    assert (outcome.facts["count"], outcome.facts["since_ns"], outcome.changed) == (7, 5000, False)
    assert outcome.says == "7 customers are affected: C-0000, C-0001, C-0002, C-0003, C-0004 …"
    assert ctl(fake, "customers", "affected", "--since", "yesterday").exit == 1


def test_since() -> None:
    assert services.since("120s", 200_000_000_000) == 80_000_000_000
    assert services.since("1.5m", 100_000_000_000) == 10_000_000_000
    assert services.since("1h", 5) == 0
    with pytest.raises(Refused):
        services.since("-5s", 0)


def test_released_notices_are_a_change_and_none_is_not(fake: Fake) -> None:
    fake.replies["POST /ops/notices/release"] = (200, {"released": 3})
    assert ctl(fake, "notices", "resend").changed is True
    fake.replies["POST /ops/notices/release"] = (200, {"released": 0})
    assert ctl(fake, "notices", "resend").changed is False


def test_status_shows_what_it_can(fake: Fake) -> None:
    fake.processes["mail"] |= {"state": "exited", "exit": -9}
    outcome = ctl(fake, "status", role="viewer")
    assert (outcome.exit, outcome.changed) == (0, False)
    assert outcome.facts["session"]["session"] == "active"
    assert "NOT running: mail; inquiry open, orders open, balances current; session active on link A" in outcome.says
    fake.replies["GET /ops/status"] = (500, {"says": "out of order"})
    outcome = ctl(fake, "status", role="viewer")
    assert (outcome.exit, outcome.facts["session"]) == (0, None)
    assert "out of order" in outcome.says


# -- host ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "number"), [("9", 9), ("TERM", 15), ("sigstop", 19)])
def test_signals(text: str, number: int) -> None:
    assert host.signal_number(text) == number


@pytest.mark.parametrize("text", ["0", "999", "NOPE", "-9", ""])
def test_no_signals(text: str) -> None:
    with pytest.raises(Refused):
        host.signal_number(text)


def test_only_the_brokerages_own_processes_can_be_killed(fake: Fake) -> None:
    fake.processes["exchange"] = {"pid": os.getpid(), "state": "running", "exit": None}
    outcome = ctl(fake, "host", "kill", "--signal", "TERM", str(os.getpid()))
    assert (outcome.exit, outcome.changed) == (1, False)


def test_a_service_or_its_child_can_be_killed(fake: Fake) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        fake.processes["postgres"]["pid"] = os.getpid()  # the victim's parent
        outcome = ctl(fake, "host", "kill", "--signal", "TERM", str(victim.pid))
        assert (outcome.exit, outcome.changed, outcome.facts["service"]) == (0, True, "postgres")
        assert victim.wait(5) == -signal.SIGTERM
    finally:
        victim.kill()
        victim.wait()


def test_a_process_that_has_exited_is_not_killed_by_its_old_pid(fake: Fake) -> None:
    fake.processes = {"mail": {"pid": os.getpid(), "state": "exited", "exit": 0}}
    outcome = ctl(fake, "host", "kill", "--signal", "TERM", str(os.getpid()))
    assert (outcome.exit, outcome.changed) == (1, False)
    assert "is no process of this brokerage" in outcome.says


def test_a_process_is_its_services_own_or_a_child() -> None:
    running = {"api": 7, "mail": 8}
    assert owner(running, 7, lambda _: set()) == "api"
    assert owner(running, 9, lambda root: {9} if root == 8 else set()) == "mail"
    assert owner(running, 10, lambda _: set()) is None


def test_restart_ends_starts_and_waits(fake: Fake) -> None:
    fake.replies["GET /healthz"] = (200, {"ok": True})
    outcome = ctl(fake, "host", "restart", "gateway")
    before = 1000 + host.HOSTED.index("gateway")
    assert (outcome.exit, outcome.changed, outcome.facts["pid"]) == (0, True, before + 1)
    assert [(each["verb"], each.get("signal")) for who, each in fake.asked if who == "launcher"] == [
        ("signal", signal.SIGTERM),
        ("start", None),
    ]


def test_restart_kills_what_does_not_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "STOP_WITHIN_S", 0.05)
    fake.deaf = True
    fake.replies["GET /healthz"] = (200, {"ok": True})
    assert ctl(fake, "host", "restart", "gateway").exit == 0
    sent = [each["signal"] for who, each in fake.asked if who == "launcher" and each["verb"] == "signal"]
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_a_restart_that_does_not_get_healthy_is_half_way(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "HEALTHY_WITHIN_S", 0.05)
    fake.replies["GET /healthz"] = (503, {"ok": False})
    outcome = ctl(fake, "host", "restart", "gateway")
    assert (outcome.exit, outcome.changed) == (2, True)


# -- the program itself -------------------------------------------------------------------------------------------


def test_the_program_prints_one_json_object(fake: Fake) -> None:
    argv = [sys.executable, "-m", "targets.brokerage.brokerctl", "--role", "viewer", "--env", "drill"]
    done = subprocess.run(
        [*argv, "--json", "gateway", "status"],
        env={**os.environ, "KUNREN_STACK": str(fake.folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert found["session"] == "active"
    assert {"ok": True, "exit": 0, "changed": False}.items() <= found.items()
    assert found["says"] == "session active on link A, last heard 0.1 s ago; 3 orders outstanding, 0 unknown"


def test_brokerctl_alone_says_how_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "targets.brokerage.brokerctl"], capture_output=True, text=True, timeout=30, check=False
    )
    assert "Traceback" not in done.stderr
    assert "usage" in done.stderr.lower()
    assert done.returncode != 0
