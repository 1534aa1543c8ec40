"""``brokerctl queue …`` and ``room …``: orders in line for a slot, and the waiting room before them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any, get_args

from targets.brokerage.config import Overflow
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Kind, count, flag, number, seconds, text


def queue(stack: Stack, args: Namespace) -> CommandResult:
    """``queue show``."""
    found = stack.api("GET", "/ops/queue")
    return read(_line(found), found)


def priority(stack: Stack, args: Namespace) -> CommandResult:
    """``queue priority on|off``."""
    return _set_queue(stack, {"priority": args.how == "on"})


def wait(stack: Stack, args: Namespace) -> CommandResult:
    """``queue wait SECONDS``."""
    return _set_queue(stack, {"wait_s": float(args.seconds)})


def slots(stack: Stack, args: Namespace) -> CommandResult:
    """``queue slots N``."""
    return _set_queue(stack, {"slots": int(args.slots)})


def overflow(stack: Stack, args: Namespace) -> CommandResult:
    """``queue overflow HOW``; the second node logs on before orders are sent to it."""
    if args.how == SECOND_NODE:
        stack.gateway("POST", "/ops/second", {})
    return _set_queue(stack, {"overflow": args.how})


def expire(stack: Stack, args: Namespace) -> CommandResult:
    """``queue expire SECONDS``."""
    found = stack.api("POST", "/ops/queue/expire", {"older_s": float(args.seconds)})
    return done(f"{found['expired']} orders were sent away; {_line(found)}", found["expired"] > 0, found)


def capacity(stack: Stack, args: Namespace) -> CommandResult:
    """``queue capacity``."""
    found = stack.ask("api", "POST", "/ops/capacity", {"within_s": MEASURE_S}, MEASURE_S + MARGIN_S)
    return done(f"the exchange takes {found['per_s']:.1f} orders a second", False, found)


def checks(stack: Stack, args: Namespace) -> CommandResult:
    """``orders checks on|off``."""
    found = stack.api("POST", "/ops/checks", {"on": args.how == "on"})
    what = "are checked against" if found["on"] else "are taken whatever"
    return done(f"orders {what} their customers have", True, found)


def room(stack: Stack, args: Namespace) -> CommandResult:
    """``room show``."""
    found = stack.api("GET", "/ops/room")
    return read(_room(found), found)


def let_in(stack: Stack, args: Namespace) -> CommandResult:
    """``room open PER_S``."""
    return _set_room(stack, float(args.per_s))


def close(stack: Stack, args: Namespace) -> CommandResult:
    """``room close``."""
    return _set_room(stack, 0.0)


def _set_queue(stack: Stack, wanted: Mapping[str, Any]) -> CommandResult:
    before = stack.api("GET", "/ops/queue")
    found = stack.api("POST", "/ops/queue", wanted)
    return done(_line(found), any(before[name] != found[name] for name in wanted), found)


def _set_room(stack: Stack, per_s: float) -> CommandResult:
    before = stack.api("GET", "/ops/room")
    found = stack.api("POST", "/ops/room", {"per_s": per_s})
    return done(_room(found), before["per_s"] != found["per_s"], found)


def _line(found: Mapping[str, Any]) -> str:
    first = "; cancels and closing orders first" if found["priority"] else ""
    line = f"{found['waiting']} in line, the oldest for {found['oldest_s']:.1f} s of at most {found['wait_s']:g}"
    first += OVERFLOWING[found["overflow"]]
    coming = f"{found['arriving_per_s']:.0f} a second come"
    return f"{found['taken']} of {found['slots']} slots taken, {line}; {coming}{first}"


def _room(found: Mapping[str, Any]) -> str:
    who = f"{found['waiting']} customers have a ticket, the oldest for {found['oldest_s']:.1f} s"
    who = f"{who}; {found['arriving_per_s']:.0f} a second come"
    return f"{found['per_s']:g} a second are let in; {who}" if found["open"] else f"the room is closed; {who}"


SECOND_NODE = "second-node"
OVERFLOWING = {
    "wait": "",
    "store": "; others are stored and acknowledged",
    "old-prices": "; others are taken by a node with the prices of when it was started",
    SECOND_NODE: "; others are sent by a second node",
}
HOW = get_args(Overflow)
MEASURE_S, MARGIN_S = 2.0, 3.0

NOUNS = {
    "orders": "how orders are taken",
    "queue": "orders in line for a slot",
    "room": "the waiting room for purchases",
}

QUEUE = {
    "slots": count(), "taken": count(), "waiting": count(), "oldest_s": seconds(), "wait_s": seconds(),
    "priority": flag(), "overflow": text(*HOW), "arriving_per_s": number(),
}  # fmt: skip
ROOM = {"open": flag(), "per_s": number(), "waiting": count(), "oldest_s": seconds(), "arriving_per_s": number()}

OPERATIONS = (
    operation(
        queue, "queue show", "how many orders are in line for a slot, and for how long", ANYONE, QUEUE, read_only=True,
    ),
    operation(
        priority, "queue priority", "cancels and closing orders first, those in line already as well", OPERATORS, QUEUE,
        Argument("how", only=("on", "off")), examples=("queue priority on",),
    ),
    operation(
        wait, "queue wait", "for how long an order that comes from now on may stand in line", OPERATORS, QUEUE,
        Argument("seconds", "seconds", Kind.WHOLE), examples=("queue wait 2",),
    ),
    operation(
        slots, "queue slots", "how many orders may be on their way at a time", OPERATORS, QUEUE,
        Argument("slots", "orders at a time", Kind.WHOLE), examples=("queue slots 12",),
    ),
    operation(
        overflow, "queue overflow", "what becomes of an order without a slot: it waits, or goes another way",
        OPERATORS, QUEUE, Argument("how", only=HOW), examples=("queue overflow wait",),
    ),
    operation(
        expire, "queue expire", "send away orders that have stood in line so long; nothing of them was sent", OPERATORS,
        {"expired": count(), **QUEUE}, Argument("seconds", "seconds", Kind.WHOLE), examples=("queue expire 2",),
    ),
    operation(
        capacity, "queue capacity", "measure by test orders how many the exchange takes; not while customers come",
        OPERATORS, {"per_s": number()},
    ),
    operation(
        checks, "orders checks", "whether orders are checked against what their customers have", OPERATORS,
        {"on": flag()}, Argument("how", only=("on", "off")), examples=("orders checks on",),
    ),
    operation(
        room, "room show", "how many customers have a ticket, and since when", ANYONE, ROOM, read_only=True,
    ),
    operation(
        let_in, "room open", "let in so many purchases a second, in the order in which customers came", OPERATORS, ROOM,
        Argument("per_s", "purchases a second", Kind.WHOLE), examples=("room open 24",),
    ),
    operation(close, "room close", "let in everybody", OPERATORS, ROOM, examples=("room close",)),
)  # fmt: skip
