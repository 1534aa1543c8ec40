"""Read a run folder back as a ``History``.

A damaged folder is read as far as it goes: what is missing, cut off or garbled is said in ``History.damage``, so that
the judge can refuse to pass what it cannot see. Two things stop the reading: a ``run.json`` that is missing or garbled,
for without it nobody knows what run this was, and a file that this machine cannot read now (``reading``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from drills.record.books import ALWAYS, End, Row, missing_and_repeated
from drills.record.damage import damaged
from drills.record.history import Event, History, Reason, RunRecord
from drills.record.names import BOOKS as BOOKS_FOLDER
from drills.record.names import DRILL, EVENTS, RUN, RUNBOOK, SAMPLES, UNDO, Unusable, os_words
from drills.record.reading import content_of, names_in
from drills.record.samplefile import load_samples

SCHEMA = "kunren.run/2"
MOST = 5
"""Complaints shown for one file; the rest is counted."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a line or file that is not ours makes the decoder raise."""


class _Head(msgspec.Struct):
    """Enough of any ``run.json`` to say who wrote it."""

    schema: str = ""
    kunren: str = "unknown"


def read(folder: Path, known: Mapping[str, type]) -> History:
    """The run in ``folder``; ``known`` are the books that there may be, with the type of their rows.

    Unusable when ``run.json`` is missing or garbled, or a file cannot be read now.
    """
    run = read_run(folder)
    events, event_damage = _events(folder / EVENTS)
    samples, sample_damage = load_samples(folder / SAMPLES)
    books, book_damage = _books(folder / BOOKS_FOLDER, run, known)
    damage = (*_texts(folder, run), *event_damage, *sample_damage, *book_damage, *_undo(folder / UNDO))
    return History(run, events, samples, books, damage)


def read_run(folder: Path) -> RunRecord:
    """``run.json`` alone; Unusable with what exactly is wrong."""
    path = folder / RUN
    try:
        raw = content_of(path)
    except FileNotFoundError:
        raise Unusable(
            f"{path} is missing", "this is no run folder, or its run died before it could say what it was"
        ) from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {os_words(error)}") from error
    try:
        head = msgspec.json.decode(raw, type=_Head)
        if head.schema != SCHEMA:
            raise Unusable(
                f"{path} has schema {head.schema or '(none)'!r}, this version reads {SCHEMA!r}",
                f"use the version that wrote it: kunren {head.kunren}",
            )
        return msgspec.json.decode(raw, type=RunRecord)
    except UNREADABLE as error:
        raise Unusable(f"{path} cannot be read: {plain(error)}") from error


def _texts(folder: Path, run: RunRecord) -> Iterator[Reason]:
    """The texts that ran must be the texts whose hashes were fixed before the run."""
    for name, expected in ((DRILL, run.plan.drill_sha256), (RUNBOOK, run.plan.runbook_sha256)):
        if expected is None:
            continue
        try:
            found = hashlib.sha256(content_of(folder / name)).hexdigest()
        except FileNotFoundError:
            yield damaged("missing", name)
        except OSError as error:
            yield damaged("unreadable", name, error=os_words(error))
        else:
            if found != expected:
                yield damaged("another-text", name)


def _events(path: Path) -> tuple[tuple[Event, ...], list[Reason]]:
    """Events in file order; each line's index must be one more than the one before."""
    decoder = msgspec.json.Decoder(Event)
    events: list[Event] = []
    damage: list[Reason] = []
    due = 0
    for number, line in _lines(path, EVENTS, damage):
        try:
            event = decoder.decode(line)
        except UNREADABLE as error:
            damage.append(damaged("line", EVENTS, line=number, error=plain(error)))
            due += 1
            continue
        if event.index != due:
            damage.append(damaged("index", EVENTS, line=number, index=event.index, due=due))
        due = event.index + 1
        events.append(event)
    return tuple(events), _shorten(damage, EVENTS)


def _books(folder: Path, run: RunRecord, known: Mapping[str, type]) -> tuple[dict[str, tuple[Row, ...]], list[Reason]]:
    present = {name.removesuffix(".jsonl") for name in names_in(folder) if name.endswith(".jsonl")}
    due = [*ALWAYS, *(name for name in run.books if name not in ALWAYS)]
    books: dict[str, tuple[Row, ...]] = {}
    damage = [damaged("missing", f"books/{name}.jsonl") for name in due if name not in present]
    for name in sorted(present):
        if name in known:
            books[name], complaints = _book(folder / f"{name}.jsonl", name, known[name])
            damage += complaints
        else:
            damage.append(damaged("unknown-book", f"books/{name}.jsonl"))
    return books, damage


def _book(path: Path, name: str, of: type) -> tuple[tuple[Row, ...], list[Reason]]:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(of | End)
    where = f"books/{name}.jsonl"
    rows: list[Row] = []
    ends: list[End] = []
    damage: list[Reason] = []
    for number, line in _lines(path, where, damage):
        try:
            row = decoder.decode(line)
        except UNREADABLE as error:
            damage.append(damaged("line", where, line=number, error=plain(error)))
            continue
        if ends:
            damage.append(damaged("after-end", where, line=number))
        if isinstance(row, End):
            ends.append(row)
        else:
            rows.append(row)
    damage += _incomplete(where, rows, ends, unread=len(damage))
    if any(after.t_ns < before.t_ns for before, after in pairwise(rows)):
        damage.append(damaged("order", where))
        rows.sort(key=lambda row: row.t_ns)
    return tuple(rows), _shorten(damage, where)


def _incomplete(where: str, rows: list[Row], ends: list[End], unread: int) -> Iterator[Reason]:
    """What the numbers of the rows and the final count say beyond the lines that could not be read, which are told."""
    if not ends:
        if not unread:
            yield damaged("no-final-count", where)
        return
    missing, again = missing_and_repeated((row.n for row in rows), ends[0].rows)
    if len(missing) > unread:
        yield damaged("rows-missing", where, n=len(missing), of=ends[0].rows, first=missing[0])
    if again:
        yield damaged("rows-again", where, n=len(again), first=again[0])


def _undo(path: Path) -> list[Reason]:
    damage: list[Reason] = []
    for number, line in _lines(path, UNDO, damage):
        try:
            msgspec.json.decode(line, type=dict[str, Any])
        except UNREADABLE as error:
            damage.append(damaged("line", UNDO, line=number, error=plain(error)))
    return _shorten(damage, UNDO)


def _lines(path: Path, where: str, damage: list[Reason]) -> Iterator[tuple[int, bytes]]:
    """Whole lines with their number from 1; a missing file or a last line without its end goes into ``damage``."""
    try:
        lines = content_of(path).split(b"\n")
    except FileNotFoundError:
        damage.append(damaged("missing", where))
        return
    except OSError as error:
        damage.append(damaged("unreadable", where, error=os_words(error)))
        return
    cut = lines.pop()
    yield from enumerate(lines, 1)
    if cut:
        damage.append(damaged("cut-off", where, line=len(lines) + 1))


def _shorten(damage: list[Reason], where: str) -> list[Reason]:
    rest = len(damage) - MOST
    return damage if rest <= 0 else [*damage[:MOST], damaged("more", where, n=rest)]


def plain(error: Exception) -> str:
    """msgspec's words with the field as a person would name it: ``- at `$.yen``` becomes ``at 'yen'``."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    says, _, place = str(error).partition(" - at `$")
    return f"{says.replace('`', chr(39))} at '{place.strip('`.')}'" if place else says.replace("`", "'")
