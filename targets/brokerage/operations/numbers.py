"""``brokerctl limits`` and ``numbers …``: the register of limits, and the order number before each of its own."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from targets.brokerage.numbering import WIDEST, WIDTH
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, Refused, done, read
from targets.brokerage.operations.volume import TO_FULL, told_by_owner
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes.keeping import reached
from targets.brokerage.volumes.usage import is_limited, usage
from targets.operator_tool import Argument, Kind, count, flag, listing, seconds, text, whole

IN_DATABASE = ("sequence", "column")
AT_SESSION = ("gateway", "exchange")
SIDES = (*IN_DATABASE, *AT_SESSION)
TRY_S = 8.0


def limits(stack: Stack, args: Namespace) -> CommandResult:
    """``limits``: every counter, volume, pool and queue with its limit, its use and when it will be there."""
    rows = [*_counters(stack), *_volumes(stack), *_queues(stack)]
    soonest = min((row["seconds_to_limit"] for row in rows if row["seconds_to_limit"] is not None), default=None)
    when = "none is forecast to be reached" if soonest is None else f"the first is reached in {soonest:.0f} s"
    return read(f"{len(rows)} limits; {when}", {"limits": rows, "soonest_s": soonest}, tuple(map(_row, rows)))


def show(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers show``."""
    found = stack.api("GET", "/ops/numbers/show")
    facts = {
        "range": 2 if found["series"] else 1, "value": found["value"], "headroom": found["headroom"],
        "seconds_to_limit": found["seconds_to_limit"], "cycles": found["cycles"],
        **{side: found["limits"][side]["limit"] for side in SIDES},
    }  # fmt: skip
    to_limit = facts["seconds_to_limit"]
    when = "no forecast" if to_limit is None else f"used up in {to_limit:.0f} s at this pace"
    return read(f"order number {facts['value']}, {facts['headroom']} left of range {facts['range']}; {when}", facts)


def extend(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers extend SIDE DIGITS``."""
    body = {"side": args.side, "digits": int(args.digits)}
    if args.side in IN_DATABASE:
        found = stack.api("POST", "/ops/numbers/extend", body)
    else:
        found = stack.gateway("POST", "/ops/numbers/width", body)
    if found["digits"] < body["digits"]:
        raise HalfWay(f"{args.side} has {found['digits']} digits still; check: brokerctl numbers show", found)
    return done(f"{args.side} takes {found['digits']} digits", True, found)


def cycle(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers cycle on|off``."""
    found = stack.api("POST", "/ops/numbers/cycle", {"on": args.how == "on"})
    return done(f"the sequence {'begins anew' if found['on'] else 'stops'} at its end", True, found)


def overflow(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers overflow refuse|truncate``."""
    found = stack.gateway("POST", "/ops/numbers/overflow", {"how": args.how})
    return done(f"the gateway will {found['how']} numbers that do not fit", True, found)


def use_range(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers use-range 1|2|auto``."""
    found = stack.api("POST", "/ops/numbers/range", {"range": args.range})
    return done(f"numbers come from range {found['range']}", True, found)


def try_number(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers try [NUMBER]``: an order marked as a test, as far as the exchange and back."""
    number = int(args.number or stack.api("GET", "/ops/numbers/show")["value"] + 1)
    found = stack.gateway("POST", "/ops/numbers/try", {"number": number}, TRY_S)
    if not found["accepted"]:
        raise HalfWay(f"a test order with number {number} is not taken: {found['reason']}", found)
    return read(f"the exchange takes a test order with number {found['number']}", found)


def duplicates(stack: Stack, args: Namespace) -> CommandResult:
    """``numbers duplicates``."""
    found = stack.api("GET", "/ops/numbers/duplicates")
    return read(f"{found['duplicates']} live orders have a number that another one has", found)


def _counters(stack: Stack) -> Iterator[dict[str, Any]]:
    found = stack.api("GET", "/ops/numbers/show")
    for side, each in found["limits"].items():
        yield _limit(f"order_number/{side}", "counter", each["limit"], found["value"], each["seconds_to_limit"])
    pool = found["pool"]
    yield _limit("api/connections", "pool", pool["pool_max"], pool["pool_size"], None)


def _volumes(stack: Stack) -> Iterator[dict[str, Any]]:
    for name in TOPOLOGY.limited:
        folder = reached(Path(stack.config.folder), name)
        if folder.is_dir() and is_limited(folder):
            now, told = usage(folder), _told(stack, name)
            to_full, to_no_inode = (told.get(each) for each in TO_FULL)
            yield _limit(f"{name}/bytes", "volume", now.size, now.size - now.free, to_full)
            yield _limit(f"{name}/inodes", "inodes", now.inodes, now.inodes - now.inodes_free, to_no_inode)


def _told(stack: Stack, volume: str) -> dict[str, Any]:
    """What its owner knows of the volume; nothing where that breaks off: the other limits are shown all the same."""
    try:
        return told_by_owner(stack, volume)
    except (HalfWay, Refused):
        return {}


def _queues(stack: Stack) -> Iterator[dict[str, Any]]:
    outstanding = stack.gateway("GET", "/ops/status")["outstanding"]
    yield _limit("gateway/window", "queue", stack.config.gateway.window, outstanding, None)


def _limit(name: str, kind: str, limit: int, used: int, to_limit: float | None) -> dict[str, Any]:
    return {"name": name, "kind": kind, "limit": limit, "used": used, "seconds_to_limit": to_limit}


def _row(row: Mapping[str, Any]) -> str:
    to_limit = row["seconds_to_limit"]
    when = "" if to_limit is None else f"  {to_limit:.0f} s"
    return f"  {row['name']:<24} {row['kind']:<8} {row['used']:>10} of {row['limit']:>12}{when}"


NOUNS = {"numbers": "order numbers, and what limits them"}

DIGITS = Argument("digits", only=tuple(str(each) for each in range(WIDTH + 1, WIDEST + 1)))
SIDE = Argument("side", only=SIDES)
WIDENED = {"side": text(*SIDES), "digits": count()}

OPERATIONS = (
    operation(
        limits, "limits", "the register of limits: each counter, volume, pool and queue, and when it is used up",
        ANYONE, {"limits": listing(), "soonest_s": seconds().or_null()}, read_only=True,
    ),
    operation(
        show, "numbers show", "the last order number, what is left before each limit, and for how long", ANYONE,
        {"range": count(), "value": count(), "headroom": whole(), "seconds_to_limit": seconds().or_null(),
         "cycles": flag(), **{side: count() for side in SIDES}},
        read_only=True,
    ),
    operation(
        extend, "numbers extend", "more digits for the sequence, the column, or either side's field of the message",
        OPERATORS, WIDENED, SIDE, DIGITS, examples=("numbers extend sequence 8",),
    ),
    operation(
        cycle, "numbers cycle", "whether the sequence begins anew at its end", OPERATORS, {"on": flag()},
        Argument("how", only=("on", "off")), examples=("numbers cycle off",),
    ),
    operation(
        overflow, "numbers overflow", "what the gateway does with a number that does not fit its field", OPERATORS,
        {"how": text("refuse", "truncate")}, Argument("how", only=("refuse", "truncate")),
        examples=("numbers overflow refuse",),
    ),
    operation(
        use_range, "numbers use-range", "which range gives numbers; auto: the second once the first is used up",
        OPERATORS, {"range": text("1", "2", "auto")}, Argument("range", only=("1", "2", "auto")),
        examples=("numbers use-range 1",),
    ),
    operation(
        try_number, "numbers try", "send an order marked as a test to the exchange, with this number or the next one",
        ANYONE, {"accepted": flag(), "number": text(), "reason": text()},
        Argument("number", "default: the next one", Kind.WHOLE, optional=True), read_only=True,
        examples=("numbers try 10000000",),
    ),
    operation(
        duplicates, "numbers duplicates", "scan live orders for numbers given twice", ANYONE, {"duplicates": count()},
        read_only=True, verifies=True,
    ),
)  # fmt: skip
