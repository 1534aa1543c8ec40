"""``brokerctl volume …``: how full a volume is, and its files: plain actions, with their plain consequences."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, Refused, done, read
from targets.brokerage.relay import wiretrace
from targets.brokerage.relay.lines import DEBUG
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import files
from targets.brokerage.volumes.keeping import EVIDENCE, reached
from targets.brokerage.volumes.usage import files as sizes
from targets.brokerage.volumes.usage import is_limited, usage
from targets.operator_tool import Argument, Field, Kind, count, listing, number, seconds, text

SHOWN_FILES = 8
TO_FULL = ("seconds_to_full", "seconds_to_no_inode")


def show(stack: Stack, args: Namespace) -> CommandResult:
    """``volume show VOLUME``."""
    folder = _folder(stack, args)
    if not is_limited(folder):
        raise Refused(f"{args.volume} is an ordinary folder here, without a limit of its own: kunren doctor says why")
    now, owner = usage(folder), told_by_owner(stack, args.volume)
    deleted = [{**each, "deleted": True} for each in owner.get("deleted", ())]
    largest = [{"name": name, "bytes": size, "deleted": False} for name, size in sizes(folder).items()]
    found = sorted([*largest, *deleted], key=lambda each: (-each["bytes"], each["name"]))
    facts = {
        "volume": args.volume, "size": now.size, "free": now.free, "bytes_used": now.bytes_used,
        "inodes_used": now.inodes_used, "fullest": max(now.bytes_used, now.inodes_used),
        "deleted_open": sum(each["bytes"] for each in deleted),
        "seconds_to_full": owner.get("seconds_to_full"), "seconds_to_no_inode": owner.get("seconds_to_no_inode"),
        "files": found,
    }  # fmt: skip
    return read(_line(facts), facts, tuple(_row(each) for each in found[:SHOWN_FILES]))


def copy(stack: Stack, args: Namespace) -> CommandResult:
    """``volume copy VOLUME FILE…``."""
    return _each(stack, args, "copied", lambda file: files.copy(file).name)


def unpack(stack: Stack, args: Namespace) -> CommandResult:
    """``volume unpack VOLUME FILE…``."""
    return _each(stack, args, "unpacked", lambda file: files.unpack(file).name)


def split(stack: Stack, args: Namespace) -> CommandResult:
    """``volume split VOLUME FILE…``."""
    return _each(stack, args, "split", lambda file: f"{len(files.split(file))} pieces of {file.name}")


def pack(stack: Stack, args: Namespace) -> CommandResult:
    """``volume pack VOLUME FILE…``."""
    return _each(stack, args, "packed", lambda file: files.pack(file).name)


def truncate(stack: Stack, args: Namespace) -> CommandResult:
    """``volume truncate VOLUME FILE…``."""

    def emptied(file: Path) -> str:
        files.truncate(file)
        return file.name

    return _each(stack, args, "emptied", emptied)


def remove(stack: Stack, args: Namespace) -> CommandResult:
    """``volume remove VOLUME FILE…``."""

    def removed(file: Path) -> str:
        file.unlink()
        return file.name

    return _each(stack, args, "removed", removed)


def move(stack: Stack, args: Namespace) -> CommandResult:
    """``volume move VOLUME [FILE…] [--copies] [--traces]``: into the evidence folder; what is written to stays."""
    folder, open_now = _folder(stack, args), _owner(stack, args.volume).get("open", ())
    traces = [file for file in wiretrace.files(folder) if file.name != DEBUG] if args.traces else []
    wanted = [*(files.copies(folder) if args.copies else ()), *traces, *_chosen(folder, args.files)]
    if not (args.copies or args.traces or wanted):
        raise Refused("name the files to move, or say --copies or --traces")
    for file in wanted:
        if file.stat().st_ino in open_now:
            raise Refused(f"{file.name} is being written to: rotate it first")
    sums: Mapping[str, str] = _done(args, "moved", lambda: files.move_off(wanted, _evidence(stack, args.volume)))
    says = f"{len(sums)} files moved to {EVIDENCE}/{args.volume}, with their checksums" if sums else "no file to move"
    return done(says, bool(sums), {"files": [{"name": name, "sha256": each} for name, each in sums.items()]})


def _each(stack: Stack, args: Namespace, word: str, action: Callable[[Path], str]) -> CommandResult:
    found = _chosen(_folder(stack, args), args.files)
    made = [_done(args, f"{word}: {file.name}", partial(action, file)) for file in found]
    return done(f"{word}: {', '.join(made)}", True, {"files": made})


def _done(args: Namespace, what: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except OSError as error:
        check = f"check: brokerctl volume show {args.volume}"
        raise HalfWay(f"not {what} ({error.strerror or error}); {check}") from error


def _chosen(folder: Path, names: list[str]) -> list[Path]:
    try:
        return files.chosen(folder, names)
    except files.NoSuchFile as error:
        raise Refused(str(error)) from error


def _folder(stack: Stack, args: Namespace) -> Path:
    folder = reached(Path(stack.config.folder), args.volume)
    if not folder.is_dir():
        raise NotReached(f"{args.volume} is not there; check: brokerctl status")
    return folder


def told_by_owner(stack: Stack, volume: str) -> dict[str, Any]:
    """What its owner knows of the volume: what it holds open though deleted, and when it will be full; or nothing."""
    found: dict[str, Any] = _owner(stack, volume).get("volumes", {}).get(volume, {})
    return found


def _owner(stack: Stack, volume: str) -> dict[str, Any]:
    """What who writes to the volume says; nothing while that does not run, and then it holds nothing open."""
    names = (each.name for each in TOPOLOGY.components.values() if volume in {one.name for one in each.limited})
    try:
        return stack.ask(next(names), "GET", "/ops/status")
    except NotReached:
        return {}


def _evidence(stack: Stack, volume: str) -> Path:
    return Path(stack.config.folder) / EVIDENCE / volume


def _line(facts: Mapping[str, Any]) -> str:
    to_full = min((facts[each] for each in TO_FULL if facts[each] is not None), default=None)
    when = "no steady growth" if to_full is None else f"full in {to_full:.0f} s at this pace"
    used = f"{facts['bytes_used']:.0%} of the bytes and {facts['inodes_used']:.0%} of the inodes are taken"
    return f"{facts['volume']}: {used}; {when}; {facts['deleted_open']} bytes of deleted files are held open"


def _row(file: Mapping[str, Any]) -> str:
    return f"  {file['bytes']:>9}  {file['name']}{'  (deleted, still open)' if file['deleted'] else ''}"


NOUNS = {"volume": "how full a volume is, and what lies in it"}

VOLUME = Argument("volume", only=tuple(TOPOLOGY.limited))
FILES = Argument("files", "names or patterns such as 'copy-*'", many=True, shown="FILE")
MADE: Mapping[str, Field] = {"files": listing()}
A_LOG = "relay-log transactions-00001234.log"

OPERATIONS = (
    operation(
        show, "volume show", "share of bytes and inodes taken, when it will be full, its largest files", ANYONE,
        {"volume": text(*TOPOLOGY.limited), "size": count(), "free": count(), "bytes_used": number(0),
         "inodes_used": number(0), "fullest": number(0),
         "deleted_open": count(), **{each: seconds().or_null() for each in TO_FULL}, "files": listing()},
        VOLUME, read_only=True, examples=("volume show relay-log",),
    ),
    operation(copy, "volume copy", "copy files beside themselves, to look into", OPERATORS, MADE, VOLUME, FILES,
              examples=(f"volume copy {A_LOG}",)),
    operation(unpack, "volume unpack", "unpack files beside themselves, to look into", OPERATORS, MADE, VOLUME, FILES,
              examples=(f"volume unpack {A_LOG}.gz",)),
    operation(split, "volume split", "split files into small pieces beside them, to look into", OPERATORS,
              MADE, VOLUME, FILES, examples=(f"volume split {A_LOG}.gz",)),
    operation(pack, "volume pack", "pack files in their place", OPERATORS, MADE, VOLUME, FILES,
              examples=(f"volume pack {A_LOG}",)),
    operation(
        move, "volume move", "move files into the evidence folder, with a list of checksums", OPERATORS,
        MADE, VOLUME,
        Argument("files", "names or patterns such as 'debug-*'", many=True, optional=True, shown="FILE"),
        Argument("--copies", "also all that copy, unpack and split have made", Kind.FLAG, optional=True),
        Argument("--traces", "also what a raised level has written and a rotation put aside", Kind.FLAG, optional=True),
        examples=("volume move relay-log --copies", f"volume move {A_LOG}"),
    ),
    operation(remove, "volume remove", "remove files for good", OPERATORS, MADE, VOLUME, FILES,
              examples=("volume remove relay-log copy-*",)),
    operation(truncate, "volume truncate", "empty files in their place", OPERATORS, MADE, VOLUME, FILES,
              examples=(f"volume truncate {A_LOG}",)),
)  # fmt: skip
