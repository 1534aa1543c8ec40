"""``brokerctl service|balances|customers|notices …``: what customers can use, see and receive."""

from __future__ import annotations

import re
import time
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from targets.brokerage.config import SERVICES
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import FORCE, operation
from targets.brokerage.operations.outcome import CommandResult, Refused, done, read
from targets.brokerage.operations.session import FINDINGS
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Field, count, flag, listing, mapping, text

SHOWN_IDS = 5
_SINCE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_NS = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}


def close_service(stack: Stack, args: Namespace) -> CommandResult:
    """``service close NAME``."""
    return _set_service(stack, args.name, False, False)


def open_service(stack: Stack, args: Namespace) -> CommandResult:
    """``service open NAME [--force]``."""
    return _set_service(stack, args.name, True, args.force)


def _set_service(stack: Stack, name: str, wanted: bool, force: bool) -> CommandResult:
    word = "open" if wanted else "closed"
    if stack.api("GET", "/ops/status")["services"].get(name) is wanted:
        return done(f"{name} is already {word}", False, {"name": name, "open": wanted})
    found = stack.api("POST", "/ops/service", {"name": name, "open": wanted, "force": force})
    return done(f"{name} is {word} to customers{_forced(force)}", True, found)


def mark_not_current(stack: Stack, args: Namespace) -> CommandResult:
    """``balances mark-not-current``."""
    return _mark(stack, "not-current", False)


def mark_current(stack: Stack, args: Namespace) -> CommandResult:
    """``balances mark-current [--force]``."""
    return _mark(stack, "current", args.force)


def _mark(stack: Stack, status: str, force: bool) -> CommandResult:
    if stack.api("GET", "/ops/status")["balances"] == status:
        return done(f"balances are already shown as {status}", False, {"status": status})
    found = stack.api("POST", "/ops/balances", {"status": status, "force": force})
    return done(f"balances are shown as {status}{_forced(force)}", True, found)


def _forced(force: bool) -> str:
    return " (forced: what the system found against it was overruled)" if force else ""


def affected(stack: Stack, args: Namespace) -> CommandResult:
    """``customers affected --since WHEN``."""
    since_ns = since(args.since, time.monotonic_ns())
    found = stack.api("GET", f"/ops/affected?since_ns={since_ns}")
    customers: list[Any] = list(found.get("customers", []))
    ids = ", ".join(_customer_id(each) for each in customers[:SHOWN_IDS])
    more = " …" if len(customers) > SHOWN_IDS else ""
    says = f"{len(customers)} customers are affected" + (f": {ids}{more}" if customers else "")
    return read(says, {**found, "since_ns": since_ns, "count": len(customers)})


def since(text: str, now_ns: int) -> int:
    """``120s`` ago, or an instant in monotonic ns as it stands; Refused for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    found = _SINCE.fullmatch(text)
    if found is None:
        raise Refused(f"--since {text!r}: give a duration (500ms, 120s, 2m, 1h) or an instant in monotonic nanoseconds")
    return max(0, now_ns - int(float(found[1]) * _NS[found[2]]))


def _customer_id(row: Any) -> str:
    return str(row.get("customer", row.get("account", "?"))) if isinstance(row, dict) else str(row)


def resend_notices(stack: Stack, args: Namespace) -> CommandResult:
    """``notices resend``."""
    found = stack.gateway("POST", "/ops/notices/release", {})
    count = int(found.get("released", 0))
    if not count:
        return done("no notice was held", False, found)
    return done(f"{count} held notices are on their way, once per execution", True, found)


NOUNS = {
    "service": "open and close services to customers",
    "balances": "say whether the balances shown are current",
    "customers": "who was hit",
    "notices": "execution notices to customers",
}

RELAXED: Mapping[str, Field] = {
    "forced": flag().or_missing(),
    "reconcile": mapping({name: each.or_missing() for name, each in {**FINDINGS, "says": text()}.items()}).or_missing(),
}
"""Of a service or balances shown again: whether the findings were overruled, and what they were; neither where it was
so already."""

SERVICE = Argument("name", only=SERVICES)

OPERATIONS = (
    operation(
        close_service, "service close", "refuse customers, telling them so", OPERATORS,
        {"name": text(*SERVICES), "open": flag(False)}, SERVICE, examples=("service close orders",),
    ),
    operation(
        open_service, "service open",
        "serve customers again; orders only while the books agree with the exchange, withdrawals while none is unknown",
        OPERATORS, {"name": text(*SERVICES), "open": flag(True), **RELAXED}, SERVICE, FORCE,
        reopens=True, examples=("service open orders",),
    ),
    operation(
        mark_not_current, "balances mark-not-current", "show customers that balances may be out of date", OPERATORS,
        {"status": text("not-current")},
    ),
    operation(
        mark_current, "balances mark-current", "show balances as current again; only while the books agree", OPERATORS,
        {"status": text("current"), **RELAXED}, FORCE, reopens=True,
    ),
    operation(
        affected, "customers affected", "customers with unknown orders, or late or missing executions", ANYONE,
        {**{name: listing() for name in ("customers", "unknown", "late", "missing")},
         "since_ns": count(), "count": count()},
        Argument("--since", "120s ago, or an instant in monotonic ns", shown="WHEN"),
        read_only=True, examples=("customers affected --since 120s",),
    ),
    operation(
        resend_notices, "notices resend", "release held notices, once per execution", OPERATORS, {"released": count()}
    ),
)  # fmt: skip
