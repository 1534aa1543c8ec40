"""The index of the cards in a folder of runs: ``.index.sqlite``, a cache that may be deleted at any time.

A card is read once, and again when its file has changed. Where the index cannot be written, is damaged, or is held by
somebody else, the cards are read without it. The tables may be asked by anybody: ``runs`` has a line a card.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from drills.archive.row import NoCard, RunRow, row_of
from drills.judge.keptcard import SCHEMA
from drills.record.names import CARD, FOLDER_NAME, Unusable, os_words
from drills.record.reading import FIXES, OF_THE_FOLDER

INDEX = ".index.sqlite"
VERSION = 2
"""Of the index: one that was written under another number is made anew."""
WAIT_S = 2.0

TABLES = """
create table if not exists runs (
  run text primary key, drill text, variant text, arm text, at text, verdict text, grade text, recover_s real,
  card text not null, detail blob not null
) without rowid;
"""

Stamp = str
"""Of a card's file: when it was changed, and its size."""
ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[RunRow] = msgspec.msgpack.Decoder(RunRow)


@dataclass(frozen=True, slots=True)
class Indexed:
    """All cards of a folder of runs, oldest first.

    ``unread``: run -> why its card is not among them. ``without_card``: run folders in which no card lies.
    """

    rows: tuple[RunRow, ...]
    unread: Mapping[str, str]
    without_card: tuple[str, ...]


def indexed(runs: Path) -> Indexed:
    """The cards below ``runs``, by the index as far as it is up to date. Unusable if the folder cannot be read."""
    cards, without = _cards(runs)
    with _opened(runs) as index:
        known = _known(index, cards)
        missing = cards.keys() - known.keys()
        found, unread = _read(runs, missing)
        _keep(index, cards, found)
    rows = sorted((*known.values(), *found.values()), key=lambda row: (row.at, row.run))
    return Indexed(tuple(rows), unread, tuple(sorted(without)))


def _cards(runs: Path) -> tuple[dict[str, Stamp], list[str]]:
    """Run -> stamp of its card, and the runs that have none. Names are joined as text: there are many of them."""
    found: dict[str, Stamp] = {}
    without: list[str] = []
    for name in [name for name in _entries(str(runs)) if not name.startswith(".")]:
        folder = os.path.join(runs, name)
        for entry in filter(FOLDER_NAME.match, _entries(folder)):
            stamp = _stamp(f"{folder}/{entry}/{CARD}")
            if stamp is None:
                without.append(f"{name}/{entry}")
            else:
                found[f"{name}/{entry}"] = stamp
    return found, without


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if _is_text(entry.name) and entry.is_dir()]
    except OSError as error:
        if error.errno in OF_THE_FOLDER:
            return []
        raise Unusable(f"cannot read {folder}: {os_words(error)}", FIXES.get(error.errno or 0, "")) from error


def _is_text(name: str) -> bool:
    """No run has another name: they are told to programs as text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stamp(card: str) -> Stamp | None:
    try:
        found = os.stat(card)
    except OSError:
        return None
    return f"{found.st_mtime_ns} {found.st_size}"


@contextlib.contextmanager
def _opened(runs: Path) -> Iterator[sqlite3.Connection | None]:
    """The index, made anew where it is damaged or of another version; None where there can be none."""
    index = None
    if runs.is_dir():
        index = _tried(runs / INDEX)
        if index is None:
            with contextlib.suppress(OSError):
                (runs / INDEX).unlink()
            index = _tried(runs / INDEX)
    try:
        yield index
    finally:
        if index is not None:
            index.close()


def _tried(path: Path) -> sqlite3.Connection | None:
    index = None
    try:
        index = sqlite3.connect(path, timeout=WAIT_S)
        index.execute("pragma synchronous = off")
        (version,) = index.execute("pragma user_version").fetchone()
        if version != _version():
            index.execute("drop table if exists runs")
            index.executescript(TABLES)
            index.execute(f"pragma user_version = {_version()}")
        return index
    except sqlite3.OperationalError as error:
        if index is not None:
            index.close()
        if "locked" in str(error):  # somebody else writes it; it is whole
            return sqlite3.connect(":memory:")
        return None
    except sqlite3.DatabaseError:
        if index is not None:
            index.close()
        return None


def _version() -> int:
    """Of the index's own form together with the cards'."""
    return VERSION * 1000 + int(SCHEMA.rpartition("/")[2])


def _known(index: sqlite3.Connection | None, cards: Mapping[str, Stamp]) -> dict[str, RunRow]:
    """The rows that stand for the cards as they are now."""
    if index is None:
        return {}
    try:
        kept = index.execute("select run, card, detail from runs").fetchall()
        return {run: DECODER.decode(detail) for run, stamp, detail in kept if cards.get(run) == stamp}
    except (sqlite3.DatabaseError, msgspec.DecodeError, TypeError):  # TypeError: text where bytes belong
        return {}


def _read(runs: Path, missing: set[str]) -> tuple[dict[str, RunRow], dict[str, str]]:
    found: dict[str, RunRow] = {}
    unread: dict[str, str] = {}
    for run in missing:
        try:
            found[run] = row_of(runs / run)
        except NoCard as error:
            unread[run] = str(error)
        except Unusable as error:
            unread[run] = error.message
        except OSError as error:
            unread[run] = os_words(error)
    return found, unread


def _keep(index: sqlite3.Connection | None, cards: Mapping[str, Stamp], found: Mapping[str, RunRow]) -> None:
    """What was read now, and nothing of what is no more. An index that cannot be written is none."""
    if index is None:
        return
    with contextlib.suppress(sqlite3.DatabaseError), index:
        gone = [(run,) for (run,) in index.execute("select run from runs") if run not in cards]
        if gone:
            index.executemany("delete from runs where run = ?", gone)
        if found:
            lines = [_line(row, cards[run]) for run, row in found.items()]
            index.executemany("insert or replace into runs values (?,?,?,?,?,?,?,?,?,?)", lines)


def _line(row: RunRow, stamp: Stamp) -> tuple[object, ...]:
    late = None if row.recover is None else row.recover[1]
    shown = (row.run, row.drill, row.variant, row.arm, row.at, row.verdict, row.grade, late)
    return (*shown, stamp, ENCODER.encode(row))
