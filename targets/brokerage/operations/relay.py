"""``brokerctl relay …``: the transaction log, its level, and a new file for it."""

from __future__ import annotations

import signal
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, Refused, done, read
from targets.brokerage.relay.component import LOG_VOLUME
from targets.brokerage.relay.lines import CURRENT, DEBUG, put_aside
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.brokerage.volumes.keeping import reached
from targets.operator_tool import Argument, count, flag, listing, text

WRITTEN_WITHIN_S = 3.0
POLL_S = 0.02
LEVELS = ("info", "debug")
SHOWN = ("level", "sequence", "refused", "refusing", "dropped")


def status(stack: Stack, args: Namespace) -> CommandResult:
    """``relay status``."""
    found = _asked(stack)
    does = "REFUSES every request" if found["refusing"] else "writes"
    says = f"the relay {does}; level {found['level']}, line {found['sequence']}, {found['refused']} requests refused"
    return read(says, {name: found[name] for name in SHOWN})


def level(stack: Stack, args: Namespace) -> CommandResult:
    """``relay level info|debug``."""
    wanted: str = args.level
    if _asked(stack)["level"] == wanted:
        return done(f"the level is already {wanted}", False, {"level": wanted})
    stack.ask("relay", "POST", "/ops/level", {"level": wanted})
    found = _asked(stack)["level"]
    if found != wanted:
        raise HalfWay(f"the level reads back as {found}; {stack.check('relay')}")
    return done(f"the level is {found}", True, {"level": found})


def rotate(stack: Stack, args: Namespace) -> CommandResult:
    """``relay rotate``: another name for the files, SIGHUP, and a look whether new ones are written."""
    before = _asked(stack)
    folder = reached(Path(stack.config.folder), LOG_VOLUME.name)
    try:
        renamed = _rename(folder, before["sequence"])
    except OSError as error:
        raise HalfWay(f"a log could not be renamed: {error}; check: brokerctl volume show {LOG_VOLUME.name}") from error
    stack.control({"verb": "signal", "service": "relay", "signal": int(signal.SIGHUP)})
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    while not _is_written(folder, _asked(stack)["inode"], before["inode"]):
        if time.monotonic() > deadline:
            raise HalfWay(f"the new {CURRENT} is not written within {WRITTEN_WITHIN_S:g} s; {stack.check('relay')}")
        time.sleep(POLL_S)
    kept = f"{', '.join(renamed)} put aside" if renamed else f"there was no {CURRENT} to put aside"
    return done(f"the relay writes a new {CURRENT}; {kept}", True, {"renamed": renamed})


def _asked(stack: Stack) -> dict[str, Any]:
    return stack.ask("relay", "GET", "/ops/status")


def _rename(folder: Path, sequence: int) -> list[str]:
    """The logs get the number of the last line in their names; which ones were there."""
    moves = {name: put_aside(name, sequence) for name in (CURRENT, DEBUG)}
    there = {old: new for old, new in moves.items() if (folder / old).exists()}
    if taken := [new for new in there.values() if (folder / new).exists()]:
        raise Refused(f"{taken[0]} is there already: nothing was written since")
    for old, new in there.items():
        (folder / old).rename(folder / new)
    return list(there.values())


def _is_written(folder: Path, inode: int, before: int) -> bool:
    try:
        seen = (folder / CURRENT).stat()
    except FileNotFoundError:
        return False
    return seen.st_ino == inode != before and seen.st_size > 0


NOUNS = {"relay": "the transaction log that stands before the api"}

OPERATIONS = (
    operation(
        status, "relay status", "whether lines are written, the level, the last line's number", ANYONE,
        {"level": text(*LEVELS), "sequence": count(), "refused": count(), "refusing": flag(), "dropped": count()},
        read_only=True,
    ),
    operation(
        level, "relay level", "raise or lower the log level; debug writes about 2 KB a request", OPERATORS,
        {"level": text(*LEVELS)}, Argument("level", only=LEVELS), examples=("relay level info",),
    ),
    operation(
        rotate, "relay rotate", "give the logs other names and have the relay go on in new ones", OPERATORS,
        {"renamed": listing()},
    ),
)  # fmt: skip
