"""``brokerctl withdrawals …``: the link to the bank that withdrawals have, and those of which nobody knows the end."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, Refused, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Field, Kind, count, flag, listing, seconds, text

WITHIN_S = 10.0
SERVICE = "withdrawals"


def show(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals show``."""
    found = stack.ask(SERVICE, "GET", "/ops/status")
    doubt = f"{found['in_doubt']} withdrawals of {found['in_doubt_yen']:,} yen are unknown"
    return read(f"{doubt}, {found['waiting']} wait; the oldest for {found['oldest_s']:.1f} s", found)


def probe(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals probe``."""
    found = stack.ask(SERVICE, "GET", "/ops/probe")
    return read(f"the bank {'answers' if found['answers'] else 'does not answer'} over the link of withdrawals", found)


def keep_log(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals keep-log``."""
    found = stack.ask(SERVICE, "POST", "/ops/keep-log")
    return done(f"the log of the link is put aside as {found['file']}", True, found)


def new_session(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals new-session``."""
    found = stack.ask(SERVICE, "POST", "/ops/session")
    return done(f"session {found['session']} with the bank has begun, and its log with it", True, found)


def inquire(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals inquire``."""
    found = stack.ask(SERVICE, "GET", "/ops/inquire", None, WITHIN_S)
    words = ", ".join(f"{name.replace('_', ' ')} {found[name]}" for name in SAID)
    return read(f"of {found['in_doubt']} unknown withdrawals: {words}", found)


def resolve(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals resolve``."""
    return _settled(stack.ask(SERVICE, "POST", "/ops/resolve", {}, WITHIN_S))


def complete(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals complete ID|--all``."""
    return _decide(stack, args, "completed")


def reverse(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals reverse ID|--all``."""
    return _decide(stack, args, "reversed")


def resend(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals resend [--new-reference]``."""
    return _settled(stack.ask(SERVICE, "POST", "/ops/resend", {"new_reference": args.new_reference}, WITHIN_S))


def tell(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals tell being-confirmed|failed``."""
    found = stack.ask(SERVICE, "POST", "/ops/tell", {"what": args.what})
    return done(f"customers are told of unanswered withdrawals: {found['told']}", True, found)


def notify(stack: Stack, args: Namespace) -> CommandResult:
    """``withdrawals notify``."""
    found = stack.ask(SERVICE, "POST", "/ops/notify", {})
    return done(f"{found['count']} customers were told what became of their withdrawals", bool(found["count"]), found)


def _decide(stack: Stack, args: Namespace, state: str) -> CommandResult:
    if bool(args.id) is args.all:
        raise Refused("name one withdrawal, or --all that are unknown")
    return _settled(stack.ask(SERVICE, "POST", "/ops/decide", {"state": state, "withdrawal": args.id or ""}, WITHIN_S))


def _settled(found: Mapping[str, Any]) -> CommandResult:
    counts = ", ".join(f"{found[name]} {name}" for name in OUTCOMES)
    if found["still_unknown"]:
        raise HalfWay(f"{counts}, {found['still_unknown']} still unknown; check: brokerctl withdrawals inquire", found)
    return done(f"{counts}; none is unknown any more", any(found[name] for name in OUTCOMES), found)


NOUNS = {"withdrawals": "payments out to customers, and the link to the bank that they have for themselves"}

OUTCOMES = ("completed", "rejected", "reversed")
SAID = ("completed", "rejected", "absent", "no_key", "not_final", "unanswered")
SETTLED: Mapping[str, Field] = {**{name: count() for name in OUTCOMES}, "still_unknown": count()}

ID = Argument("id", "of the withdrawal", optional=True)
ALL = Argument("--all", "every one that is unknown", Kind.FLAG, optional=True)

OPERATIONS = (
    operation(
        show, "withdrawals show", "how long the bank has not answered, and what is unknown", ANYONE,
        {"session": text(), "told": text("being-confirmed", "failed"), "waiting": count(), "oldest_s": seconds(),
         "in_doubt": count(), "in_doubt_yen": count()},
        read_only=True,
    ),
    operation(
        probe, "withdrawals probe", "whether the bank answers over the link", ANYONE, {"answers": flag()},
        read_only=True,
    ),
    operation(
        keep_log, "withdrawals keep-log", "put the log of the link aside, before a new session begins it anew",
        OPERATORS, {"file": text(), "sha256": text()},
    ),
    operation(
        new_session, "withdrawals new-session", "end all connections to the bank, and begin anew with an empty log",
        OPERATORS, {"session": text()},
    ),
    operation(
        inquire, "withdrawals inquire", "ask the bank about each unknown withdrawal; nothing is changed", ANYONE,
        {"in_doubt": count(), **{name: count() for name in SAID}}, read_only=True, verifies=True,
    ),
    operation(
        resolve, "withdrawals resolve", "ask the bank about each unknown withdrawal, and settle it by the answer",
        OPERATORS, SETTLED,
    ),
    operation(
        complete, "withdrawals complete", "settle as paid, whatever the bank says", OPERATORS, SETTLED, ID, ALL,
        examples=("withdrawals complete W-00000001",),
    ),
    operation(
        reverse, "withdrawals reverse", "settle as not paid and give the money back, whatever the bank says",
        OPERATORS, SETTLED, ID, ALL, examples=("withdrawals reverse W-00000001",),
    ),
    operation(
        resend, "withdrawals resend", "send each unknown withdrawal to the bank again, under its own reference",
        OPERATORS, SETTLED, Argument("--new-reference", "under a new one", Kind.FLAG, optional=True),
    ),
    operation(
        tell, "withdrawals tell", "what customers are told of a withdrawal that the bank has not answered", OPERATORS,
        {"told": text("being-confirmed", "failed")}, Argument("what", only=("being-confirmed", "failed")),
        examples=("withdrawals tell being-confirmed",),
    ),
    operation(
        notify, "withdrawals notify", "tell customers whose withdrawal had been unknown what became of it", OPERATORS,
        {"customers": listing(), "count": count()},
    ),
)  # fmt: skip
