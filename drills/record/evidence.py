"""SHA256SUMS: whether the run folder is still what it was when the run ended.

::

    <sha256>  books/exchange.jsonl      sorted; `sha256sum -c SHA256SUMS` checks these lines
    <sha256>  run.json
    # head <sha256>                     head = fold of sha256(previous head + line); the evidence number
    <sha256>  scorecard.json            after the chain: the card is computed from it and carries the head

It is tamper-evident only for who kept the head elsewhere (on a card, in a CI log): who can rewrite the folder can
rewrite the chain as well. ``heal-*.json`` and ``evidence.sig`` are written later, by design, and stay outside.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from drills.record.names import CARD, PRUNED, SIGNATURE, SUMS, StoreError, os_words
from drills.record.reading import content_of, is_file, present, reading

LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\Z", re.ASCII)
HEAD = re.compile(r"# head ([0-9a-f]{64})\Z", re.ASCII)
CHUNK = 1 << 20


def write_chain(folder: Path) -> str:
    """Write SHA256SUMS over the inputs in ``folder``; the head. StoreError for a name the format cannot carry."""
    lines = [f"{_hash(folder / name)}  {name}" for name in _inputs(folder)]
    head = fold(lines)
    replace(folder / SUMS, "".join(f"{line}\n" for line in [*lines, f"# head {head}"]).encode())
    return head


def add_card(folder: Path) -> None:
    """Set the line of ``scorecard.json`` after the chain; a file that already says so is left alone."""
    try:
        before = (folder / SUMS).read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {folder / SUMS}: {os_words(error)}") from error
    mine = f"{_hash(folder / CARD)}  {CARD}".encode()
    kept = [line for line in before.split(b"\n") if line and not line.endswith(f"  {CARD}".encode())]
    after = b"".join(line + b"\n" for line in [*kept, mine])
    if after != before:
        replace(folder / SUMS, after)


def evidence_number(folder: Path) -> str | None:
    """The head as written in SHA256SUMS; None when the run was not sealed. Unusable when it cannot be read now."""
    try:
        lines = content_of(folder / SUMS).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return next((found[1] for line in lines if (found := HEAD.match(line))), None)


def fold(lines: Iterable[str]) -> str:
    """Head of the chain: each line is hashed together with the head before it."""
    head = ""
    for line in lines:
        head = hashlib.sha256((head + line).encode()).hexdigest()
    return head


def verify_evidence(folder: Path) -> list[str]:
    """What is not as it was sealed, a sentence each; empty when all is well. Never raises for a damaged folder.

    Unusable for one that this machine cannot read now: that is no sign of a change.
    """
    return _verify(folder, with_card=True)


def verify_kept(folder: Path, may_lack: Callable[[str], bool]) -> list[str]:
    """The same of a run whose evidence was removed on purpose: a file that it ``may_lack`` need not be there."""
    return _verify(folder, with_card=True, may_lack=may_lack)


def verify_inputs(folder: Path) -> list[str]:
    """The same without the card, which is made from the inputs and may be made anew."""
    return _verify(folder, with_card=False)


def _verify(folder: Path, *, with_card: bool, may_lack: Callable[[str], bool] | None = None) -> list[str]:
    try:
        text = content_of(folder / SUMS).decode("utf-8")
    except FileNotFoundError:
        return [f"{SUMS} is missing: the run was never sealed, or the file was removed"]
    except OSError as error:
        return [f"{SUMS} cannot be read: {os_words(error)}"]
    except UnicodeDecodeError:
        return [f"{SUMS} is not text"]
    lines = text.split("\n")
    whole = lines[-1] == ""
    cut = [] if whole else [f"{SUMS} is cut off at its end"]
    lines = lines[:-1] if whole else lines
    at = next((number for number, line in enumerate(lines) if line.startswith("# ")), None)
    if at is None:
        return [*cut, f"{SUMS} has no head line: it was cut off or edited", *_files(folder, lines, may_lack)]
    card = _card(folder, lines[at:]) if with_card else ()
    return [*cut, *_chain(lines[:at], lines[at]), *_files(folder, lines[:at], may_lack), *card]


def replace(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, and force it to disk."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # where nothing can be written there is nothing to remove either
            temporary.unlink()
        raise StoreError(f"cannot write {path}: {os_words(error)}") from error


def _inputs(folder: Path) -> list[str]:
    names = sorted(_present(folder))
    for name in names:
        if "\n" in name or "\\" in name:
            raise StoreError(f"the file name {name!r} cannot stand in {SUMS}")
        if not is_file(folder / name):
            raise StoreError(f"{folder / name} is not a file: it cannot be sealed")
    return names


def _present(folder: Path) -> Iterator[str]:
    for path in _all(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (SUMS, CARD, SIGNATURE) and not fnmatchcase(name, "heal-*.json"):
            yield name


def _all(folder: Path) -> Iterator[Path]:
    """Whatever is no folder, links to folders among it; a folder that cannot be listed raises, and is not left out."""
    with reading(folder), os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _all(Path(entry.path))
        else:
            yield Path(entry.path)


def _hash(path: Path) -> str:
    """Of a file that is being sealed. StoreError."""
    try:
        return _digest(path)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {os_words(error)}") from error


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _chain(lines: list[str], head: str) -> Iterator[str]:
    written = HEAD.match(head)
    if written is None:
        yield f"{SUMS}: the head line was edited"
    elif fold(lines) != written[1]:
        yield f"{SUMS}: the chain does not lead to its head: a line was edited, moved, added or removed"


def _files(folder: Path, lines: list[str], may_lack: Callable[[str], bool] | None) -> Iterator[str]:
    listed = set() if may_lack is None else {PRUNED}
    for number, line in enumerate(lines, 1):
        found = LINE.match(line)
        if found is None:
            yield f"{SUMS} line {number} is not a checksum line"
            continue
        listed.add(found[2])
        if may_lack is None or not may_lack(found[2]) or is_file(folder / found[2]):
            yield from _compare(folder, found[2], found[1])
    for name in sorted(set(_present(folder)) - listed):
        yield f"{name} is not in {SUMS}: it was added after the run was sealed"


def _compare(folder: Path, name: str, expected: str) -> Iterator[str]:
    path = folder / name
    if not is_file(path):
        yield f"{name} is missing"
        return
    with reading(path):
        found = _digest(path)
    if found != expected:
        yield f"{name} was changed"


def _card(folder: Path, tail: list[str]) -> Iterator[str]:
    """What follows the chain; ``tail`` starts with the head line."""
    lines = [LINE.match(line) for line in tail[1:]]
    if not lines:
        if present(folder / CARD):
            yield f"{CARD} has no line in {SUMS}"
        return
    if len(lines) > 1 or lines[0] is None or lines[0][2] != CARD:
        yield f"{SUMS}: what follows the head is not the one line of {CARD}"
        return
    yield from _compare(folder, CARD, lines[0][1])
    yield from _same_run(folder, tail[0])


def _same_run(folder: Path, head: str) -> Iterator[str]:
    """The card must carry this very chain's head: a card of another run fits with its own line, but not with this."""
    try:
        card = json.loads(content_of(folder / CARD))
        carried = card.get("evidence")
    except (OSError, ValueError, AttributeError):
        yield f"{CARD} cannot be read"
        return
    if carried != head.removeprefix("# head "):
        yield f"{CARD} carries another evidence number than {SUMS}"
