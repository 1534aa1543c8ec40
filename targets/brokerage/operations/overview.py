"""``brokerctl status``: processes, gates and the exchange session on one page."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from targets.brokerage.config import SERVICES
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.host import HOSTED
from targets.brokerage.operations.outcome import CommandResult, Ended, read
from targets.brokerage.operations.session import SESSION, session_facts, session_line
from targets.brokerage.roles import ANYONE
from targets.operator_tool import Field, count, flag, mapping, text, whole


def status(stack: Stack, args: Namespace) -> CommandResult:
    """Everything at a glance; a part that does not answer is said not to, and the rest is shown all the same."""
    processes = {name: row for name, row in stack.processes().items() if name in HOSTED}
    services, desk_says = _or_why(lambda: stack.api("GET", "/ops/status"))
    session, session_says = _or_why(lambda: session_facts(stack.gateway("GET", "/ops/status")))
    facts = {
        "processes": processes,
        "services": services.get("services"),
        "balances": services.get("balances"),
        "session": session or None,
    }
    says = "; ".join(
        (
            _processes_line(processes),
            _gates_line(services) if services else desk_says,
            session_line(session) if session else session_says,
        )
    )
    return read(says, facts, tuple(_table(processes)))


def _or_why(ask: Any) -> tuple[dict[str, Any], str]:
    try:
        return ask(), ""
    except Ended as error:
        return {}, error.says


def _processes_line(processes: Mapping[str, Mapping[str, Any]]) -> str:
    """A service that the launcher does not know is no part of this stack."""
    down = [name for name in HOSTED if name in processes and processes[name]["state"] != "running"]
    return f"NOT running: {', '.join(down)}" if down else f"all {len(processes)} services run"


def _gates_line(services: Mapping[str, Any]) -> str:
    gates = [f"{name} {'open' if is_open else 'CLOSED'}" for name, is_open in sorted(services["services"].items())]
    return ", ".join([*gates, f"balances {services['balances']}"])


def _table(processes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"  {name:<10} {row['state']:<8} pid {row['pid']:<8}" + ("" if row["exit"] is None else f" exit {row['exit']}")
        for name, row in sorted(processes.items())
    ]


PROCESS: Mapping[str, Field] = {
    "pid": count(),
    "state": text("running", "exited"),
    "exit": whole().or_null(),
    "paused": flag().or_missing(),  # where each has a container
}

OPERATIONS = (
    operation(
        status, "status", "processes, gates and the exchange session", ANYONE,
        {
            "processes": mapping({name: mapping(PROCESS).or_missing() for name in HOSTED}),
            "services": mapping({name: flag() for name in SERVICES}).or_null(),
            "balances": text("current", "not-current").or_null(),
            "session": mapping(SESSION).or_null(),
        },
        read_only=True,
    ),
)  # fmt: skip
