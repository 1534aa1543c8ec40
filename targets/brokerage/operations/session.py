"""``brokerctl gateway …`` and ``reconcile``: the session with the exchange and what is known through it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from targets.brokerage.operations.calls import TIMEOUT_S, Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Field, Kind, count, flag, listing, seconds, text

LINKS = ("A", "B")
LOGON_WITHIN_S = 10.0
DRAIN_WITHIN_S = 20.0


def status(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway status``."""
    facts = session_facts(stack.gateway("GET", "/ops/status"))
    return read(session_line(facts), facts)


def session_facts(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway says of its session, in one of three words: active, silent (logged on, not heard), down."""
    said = str(found.get("session", ""))
    return {**found, "session": said if said in ("active", "silent") else "down"}


def session_line(facts: Mapping[str, Any]) -> str:
    """One line on the session."""
    age = facts.get("heartbeat_age_s")
    heard = "never heard" if age is None else f"last heard {age:.1f} s ago"
    resyncing = ", resyncing" if facts.get("resyncing") else ""
    return (
        f"session {facts['session']} on link {facts.get('link')}, {heard}{resyncing};"
        f" {facts.get('outstanding')} orders outstanding, {facts.get('unknown')} unknown"
    )


def probe(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway probe LINK``."""
    found = stack.gateway("GET", f"/ops/probe?link={args.link}")
    says = "answers" if found.get("answers") else "does not answer"
    return read(f"the exchange {says} on link {args.link}", found)


def use_link(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway use-link LINK [--reset-sequence]``."""
    before = session_facts(stack.gateway("GET", "/ops/status"))
    if before.get("link") == args.link and before["session"] == "active" and not args.reset_sequence:
        return done(f"the session is already active on link {args.link}", False, before)
    body = {"link": args.link, "reset_sequence": args.reset_sequence}
    found = stack.gateway("POST", "/ops/use-link", body, LOGON_WITHIN_S)
    how = "with sequence numbers reset to 1" if args.reset_sequence else "with the sequence numbers continued"
    return done(f"logged on through link {args.link} {how}", True, found)


def resolve(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway resolve``."""
    found = stack.gateway("POST", "/ops/resolve", {}, LOGON_WITHIN_S)
    settled = {name: int(found.get(name, 0)) for name in ("live", "filled", "rejected")}
    words = ", ".join(f"{count} {name}" for name, count in settled.items())
    left = int(found.get("still_unknown", 0))
    if left:
        raise HalfWay(f"{left} orders are still unknown ({words}); check: brokerctl gateway status", found)
    return done(f"no order is unknown any more: {words}", any(settled.values()), found)


def resend(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway resend``."""
    found = stack.gateway("POST", "/ops/resend", {}, LOGON_WITHIN_S)
    count, left = int(found.get("resent", 0)), int(found.get("not_sent", 0))
    if left:
        raise HalfWay(f"{count} orders were sent again, {left} could not be; check: brokerctl gateway status", found)
    return done(f"{count} unknown orders were sent again as new orders", count > 0, found)


def drain(stack: Stack, args: Namespace) -> CommandResult:
    """``gateway drain [--within S]``."""
    found = stack.gateway("POST", "/ops/drain", {"within_s": args.within}, args.within + TIMEOUT_S)
    if not found.get("drained"):
        raise HalfWay(f"not drained within {args.within:g} s: {differences(found)}; check: brokerctl reconcile", found)
    held = int(found.get("unsent_notices", 0))
    return read(f"executions agree twice in a row; {held} notices are held for the operator or on their way", found)


def reconcile(stack: Stack, args: Namespace) -> CommandResult:
    """``reconcile``."""
    found = stack.gateway("POST", "/ops/reconcile", {}, LOGON_WITHIN_S)
    if found.get("clean"):
        return read("the books agree with the exchange", found)
    return read(f"the books do NOT agree with the exchange: {differences(found)}", found)


def differences(found: Mapping[str, Any]) -> str:
    """What a reconciliation found, in words."""
    names = {
        "missing": "executions missing here",
        "extra": "executions unknown to the exchange",
        "different": "executions that differ",
        "unknown_orders": "orders unknown",
        "unsent_notices": "notices not sent",
        "overdue_notices": "of them overdue",
    }
    words = [f"{found[key]} {text}" for key, text in names.items() if found.get(key)]
    if found.get("resyncing"):
        words.append("the session is still being resynchronised")
    return ", ".join(words) or str(found.get("says", "no reason given"))


NOUNS = {"gateway": "the session with the exchange"}

SESSION: Mapping[str, Field] = {
    "session": text("active", "silent", "down"),
    "link": text(*LINKS).or_null(),
    "heartbeat_age_s": seconds().or_null(),
    "next_in": count().or_null(),
    "next_out": count().or_null(),
    "resyncing": flag(),
    "outstanding": count(),
    "unanswered": count(),
    "unknown": count(),
    "notices_held": count(),
    "queue_age_s": seconds(),
    "missing_accounts": listing(),
}
"""What the gateway says of its session."""

FINDINGS: Mapping[str, Field] = {
    "clean": flag(),
    "missing": count(),
    "extra": count(),
    "different": count(),
    "different_trades": count(),
    "unknown_orders": count(),
    "unsent_notices": count(),
    "overdue_notices": count(),
    "resyncing": flag(),
    "examples": listing(),
    "missing_accounts": listing(),
}
"""Of a reconciliation."""

LINK = Argument("link", only=LINKS)
RESET = "restart the numbering at 1: what the exchange had still to resend is given up"
WITHIN = Argument(
    "--within", f"default: {DRAIN_WITHIN_S:g}", Kind.SECONDS, optional=True, default=DRAIN_WITHIN_S, most=60, shown="S"
)

OPERATIONS = (
    operation(
        reconcile, "reconcile", "compare the books with the exchange's", ANYONE, FINDINGS,
        read_only=True, verifies=True,
    ),
    operation(
        status, "gateway status", "session, link, last heartbeat, open questions", ANYONE, SESSION, read_only=True
    ),
    operation(
        probe, "gateway probe", "does the exchange answer on a link?", ANYONE,
        {"link": text(*LINKS), "answers": flag(), "took_s": seconds()}, LINK,
        read_only=True, examples=("gateway probe B",),
    ),
    operation(
        use_link, "gateway use-link", "log on through the other link", OPERATORS, SESSION, LINK,
        Argument("--reset-sequence", RESET, Kind.FLAG, optional=True), examples=("gateway use-link B",),
    ),
    operation(
        resolve, "gateway resolve", "ask the exchange what became of each unknown order", OPERATORS,
        {name: count() for name in ("asked", "live", "filled", "rejected", "still_unknown")},
    ),
    operation(
        resend, "gateway resend",
        "send every unknown order again, as a new order: those the exchange has are then there twice", OPERATORS,
        {name: count() for name in ("resent", "new", "rejected", "unknown", "not_sent")},
    ),
    operation(
        drain, "gateway drain", "wait until the executions agree and the notices are out", OPERATORS,
        {"drained": flag(True), "rounds": count(), **FINDINGS}, WITHIN,
        read_only=True, verifies=True, examples=("gateway drain --within 20",),
    ),
)  # fmt: skip
