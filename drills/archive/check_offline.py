#!/usr/bin/env python3
"""Checks an export of drills without kunren: python3 check.py. Nothing but Python's own library; writes nothing.

The chain of the register, the checksums and the chain of each run, that each card carries its run's evidence number and
is the one that was entered. Exit 0 where all of it holds, 1 where something was changed or hidden.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LATER = re.compile(r"SHA256SUMS|scorecard\.json|evidence\.sig|pruned\.json|heal-.*\.json")
"""Files that are not among the sums, by design."""


def say(text: str) -> None:
    """One line, nothing in it that a terminal would obey."""
    print("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text))


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def register_of(root: Path, head: str | None, problems: list[str]) -> list[dict[str, Any]]:
    """All entries; a break of the chain, or that it does not lead to ``head``, is a problem."""
    try:
        lines = (root / "register.jsonl").read_bytes().split(b"\n")
    except FileNotFoundError:
        if head is not None:
            problems.append("register.jsonl is missing")
        return []
    whole = lines[-1] == b""
    entries: list[dict[str, Any]] = []
    previous = ""
    for number, line in enumerate(lines[:-1] if whole else lines, 1):
        last = number == len(lines) - whole
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict):
                raise ValueError("no entry")
        except ValueError:  # cut off when the machine stopped: the next line must be chained to it
            say(f"register.jsonl line {number}: cut off")
            entry = {"previous": None if last and whole else previous}
        if entry.get("previous") != previous:
            problems.append(f"register.jsonl line {number} does not follow the line before it")
        entries.append(entry)
        previous = digest(line)
    if previous != head:
        problems.append("register.jsonl does not lead to its head: a line was edited, or lines were cut off")
    return entries


def checked(folder: Path, whole: bool) -> Iterator[str]:
    """What is not as it was sealed; ``whole``: whether all files of the run must be here."""
    try:
        inputs, _, card = (folder / "SHA256SUMS").read_text().partition("# head ")
    except FileNotFoundError:
        yield "it was never sealed"
        return
    head, lines = "", inputs.splitlines()
    for line in lines:
        head = digest((head + line).encode())
        yield from compared(folder, line, whole)
    number, *after = card.splitlines() or [""]
    if number != head:
        yield "the chain does not lead to its head"
    for line in after:
        yield from compared(folder, line, True)
    if card_of(folder).get("evidence") != head:
        yield "the card carries another evidence number"
    listed = {line[66:] for line in lines}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in listed and not LATER.fullmatch(name):
            yield f"{name} was added"


def compared(folder: Path, line: str, needed: bool) -> Iterator[str]:
    """One line of checksums against its file."""
    match = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
    if match is None:
        yield f"no line of checksums: {line[:40]}"
    elif (folder / match[2]).is_file():
        if digest((folder / match[2]).read_bytes()) != match[1]:
            yield f"{match[2]} was changed"
    elif needed:
        yield f"{match[2]} is missing"


def card_of(folder: Path) -> dict[str, Any]:
    """The card; nothing where there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / "scorecard.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def entered(run: str, folder: Path, entries: list[dict[str, Any]]) -> Iterator[str]:
    """What the register says otherwise than the folder."""
    mine = [entry for entry in entries if entry.get("run") == run]
    ended = [entry for entry in mine if entry.get("what") == "ended"]
    if ended and ended[-1].get("evidence") != card_of(folder).get("evidence"):
        yield "another evidence number was entered in the register"
    cards = [entry["card"] for entry in mine if entry.get("card")]
    card = folder / "scorecard.json"
    if cards and card.exists() and digest(card.read_bytes()) != cards[-1]:
        yield "its card is not the one that was entered in the register"


def main(root: Path) -> int:
    """Print what was found; the exit code."""
    problems: list[str] = []
    manifest = json.loads((root / "export.json").read_bytes())
    entries = register_of(root, manifest["register_head"], problems)
    for run in manifest["runs"]:
        folder = root / "runs" / run
        whole = not manifest["cards_only"] and not (folder / "pruned.json").exists()
        problems += [f"{run}: {each}" for each in (*checked(folder, whole), *entered(run, folder, entries))]
    ended = {entry["run"]: entry["verdict"] for entry in entries if entry.get("what") == "ended"}
    begun = [entry["run"] for entry in entries if entry.get("what") == "begun"]
    for run in [run for run in begun if run not in ended]:
        say(f"{run}: begun, no end on record")
    for run in manifest["gone"]:
        say(f"{run}: its folder was gone; the register says {ended.get(run, 'nothing')}")
    say(f"{len(manifest['runs'])} runs here, {len(begun)} in the register, head {manifest['register_head']}")
    for problem in problems:
        say(f"PROBLEM: {problem}")
    say("something was changed" if problems else "nothing was changed since the runs were sealed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
