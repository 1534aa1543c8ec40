"""``brokerctl mail …``: the spool of execution notices, the agent behind it, and what was lost between them."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from targets.brokerage.mail.component import VOLUMES
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, Refused, done, read
from targets.brokerage.operations.services import since
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, count, flag, text

NAMES = tuple(each.name for each in VOLUMES)


def show(stack: Stack, args: Namespace) -> CommandResult:
    """``mail show``."""
    found = stack.ask("mail", "GET", "/ops/status")
    missing = _missing(stack)
    facts = {
        **{name: found[name] for name in ("volume", "waiting", "pending", "refusing")},
        "agent": "silent" if missing is None else "answers", "missing": missing,
    }  # fmt: skip
    return read(_line(facts), facts)


def spool(stack: Stack, args: Namespace) -> CommandResult:
    """``mail spool VOLUME``."""
    if stack.ask("mail", "GET", "/ops/status")["volume"] == args.volume:
        return done(f"notices are already written to {args.volume}", False, {"volume": args.volume})
    found = stack.ask("mail", "POST", "/ops/spool", {"volume": args.volume})
    return done(f"notices are written to {found['volume']}; the agent takes from both volumes", True, found)


def resend(stack: Stack, args: Namespace) -> CommandResult:
    """``mail resend missing|all [--since WHEN]``."""
    if (args.what == "all") != bool(args.since):
        raise Refused("say --since WHEN for all notices, and for those alone")
    body: dict[str, Any] = {"what": args.what}
    if args.since:
        body["since_ns"] = since(args.since, time.monotonic_ns())
    found = stack.ask("mail", "POST", "/ops/resend", body)
    which = "that were lost" if args.what == "missing" else "since then, whatever became of them,"
    return done(f"{found['resent']} notices {which} are sent once more", bool(found["resent"]), found)


def mark_sent(stack: Stack, args: Namespace) -> CommandResult:
    """``mail mark-sent``."""
    found = stack.ask("mail", "POST", "/ops/mark-sent", {})
    return done(f"{found['marked']} notices that waited count as sent", bool(found["marked"]), found)


def _missing(stack: Stack) -> int | None:
    """None while the agent does not say what it has delivered."""
    try:
        return int(stack.ask("mail", "GET", "/ops/missing")["missing"])
    except (HalfWay, NotReached):
        return None


def _line(facts: dict[str, Any]) -> str:
    does = "CANNOT be written" if facts["refusing"] else "are written"
    known = "the agent is SILENT" if facts["missing"] is None else f"{facts['missing']} are missing"
    return (
        f"notices {does} to {facts['volume']}; {facts['pending']} wait in the outbox and {facts['waiting']} in the"
        f" spool; {known}"
    )


NOUNS = {"mail": "the spool of execution notices"}

OPERATIONS = (
    operation(
        show, "mail show", "where notices are written, how many wait, how many count as sent and are nowhere", ANYONE,
        {"volume": text(*NAMES), "waiting": count(), "pending": count(), "refusing": flag(),
         "agent": text("answers", "silent"), "missing": count().or_null()},
        read_only=True, verifies=True,
    ),
    operation(
        spool, "mail spool", "have notices written to another volume; what lies on the first stays for the agent",
        OPERATORS, {"volume": text(*NAMES)}, Argument("volume", only=NAMES), examples=(f"mail spool {NAMES[1]}",),
    ),
    operation(
        resend, "mail resend", "send notices once more: those that were lost, or all since an instant", OPERATORS,
        {"resent": count()}, Argument("what", only=("missing", "all")),
        Argument("--since", "120s ago, or an instant in monotonic ns", shown="WHEN", optional=True),
        examples=("mail resend missing", "mail resend all --since 60s"),
    ),
    operation(
        mark_sent, "mail mark-sent", "have all notices that wait in the outbox count as sent", OPERATORS,
        {"marked": count()},
    ),
)  # fmt: skip
