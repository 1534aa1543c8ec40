"""The run folder: written once while the run goes on, sealed at its end, read back ever after.

``RunFolder.create`` makes it; ``events`` and ``undo`` grow; books, samples and texts are written once; ``seal`` closes
it over with SHA256SUMS. After that only the card (``write_card``) and ``heal-*.json`` may be added.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from drills.errors import unknown
from drills.record.appending import sync_folder
from drills.record.books import UNNUMBERED, End, Row
from drills.record.encoding import ENCODER, encode_indented
from drills.record.evidence import add_card, evidence_number, replace, verify_evidence, verify_inputs, write_chain
from drills.record.history import RunRecord
from drills.record.journal import EventLog, Journal
from drills.record.names import BOOKS as BOOKS_FOLDER
from drills.record.names import (
    CARD,
    DRILL,
    EVENTS,
    LOGS,
    RUN,
    RUNBOOK,
    RUNBOOKS,
    SAMPLES,
    SUMS,
    UNDO,
    StoreError,
    Unusable,
    mend_of,
    os_words,
    reference,
)
from drills.record.readback import plain, read, read_run
from drills.record.reading import content_of, present
from drills.record.runs import find_run, list_runs
from drills.record.samplefile import Stored, store_samples
from targets.visible import is_text

__all__ = [
    "EventLog",
    "Journal",
    "RunFolder",
    "StoreError",
    "Stored",
    "Unusable",
    "card_bytes",
    "evidence_number",
    "find_run",
    "list_runs",
    "read",
    "read_run",
    "sealed",
    "session_folder",
    "verify_evidence",
    "verify_inputs",
    "write_card",
]

TRIES = 1000
"""Milliseconds to look ahead for a folder name that another run has not taken."""


class RunFolder:
    """One run's folder while it is being written. ``name`` is ``DRILL/FOLDER``, as the run is called on its card.

    ``books``: those that it may hold -> type of their rows.
    """

    def __init__(self, path: Path, books: Mapping[str, type]) -> None:
        self.path = path
        self.books = books
        self.name = reference(path)
        self.logs = path / LOGS
        self.events = EventLog(path / EVENTS)
        self.rollback = Journal(path / UNDO)

    @classmethod
    def create(
        cls, root: Path, drill: str, arm: str, seed: int, started: datetime, books: Mapping[str, type]
    ) -> RunFolder:
        """Make ``ROOT/DRILL/STAMP-ARM-SEED/`` with its empty journals; ``started`` is aware. Unusable with the fix."""
        try:
            path = _make(root / drill, f"-{arm.replace(':', '.')}-{seed}", started)
            for name in (SAMPLES, BOOKS_FOLDER, LOGS):
                (path / name).mkdir()
            folder = cls(path, books)
            sync_folder(path.parent)
        except OSError as error:
            raise Unusable(f"cannot make a run folder in {root / drill}: {os_words(error)}", mend_of(error)) from error
        return folder

    def discard(self) -> None:
        """Remove it: nothing was started, so there is no run to tell of."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def sealed(self) -> bool:
        """Whether nothing but the card may still be added."""
        return sealed(self.path)

    def copy_inputs(self, drill: bytes, runbook: bytes | None, beside: Mapping[str, bytes] | None = None) -> None:
        """Keep the very bytes that run: ``drill.yaml`` and, where there is one, ``runbook.yaml``.

        ``beside``: id -> the other runbooks that the operator has, in ``runbooks/``.
        """
        self._write_once(DRILL, drill)
        if runbook is not None:
            self._write_once(RUNBOOK, runbook)
        for name, content in (beside or {}).items():
            self._write_once(f"{RUNBOOKS}/{name}.yaml", content)

    def write_run(self, record: RunRecord) -> None:
        """Write ``run.json``; may be called again with more known, until the folder is sealed."""
        self._unsealed(RUN)
        replace(self.path / RUN, card_bytes(record))

    def write_book(self, name: str, rows: Iterable[Mapping[str, Any]], written: int | None = None) -> int:
        """Validate the rows, sort them by ``t_ns`` (stable) and write them with their final count; how many.

        Rows that their keeper has numbered keep these numbers, others are numbered as given. ``written``: how many the
        keeper says it has written, where it can say. StoreError naming book, row (from 1, as given) and field for a row
        that is not in the schema; then nothing is written.
        """
        valid = _numbered(valid_rows(name, rows, self.books))
        total = max(len(valid), *(row.n + 1 for row in valid), 0) if written is None else written
        lines = [*sorted(valid, key=lambda row: row.t_ns), End(rows=total)]
        self._write_once(f"{BOOKS_FOLDER}/{name}.jsonl", ENCODER.encode_lines(lines))
        return len(valid)

    def write_samples(self, records: Path, names: tuple[str, ...]) -> Stored:
        """Take over the load's record file as sorted columns; ``names`` are the rated services in code order."""
        self._unsealed(SAMPLES)
        return store_samples(records, self.path / SAMPLES, names)

    def seal(self) -> str:
        """End the writing: SHA256SUMS over all that is there; its head, the evidence number."""
        self._unsealed(SUMS)
        self.close()
        return write_chain(self.path)

    def close(self) -> None:
        """Close the journals without sealing; closing twice is no error."""
        self.events.close()
        self.rollback.close()

    def _write_once(self, name: str, content: bytes) -> None:
        self._unsealed(name)
        try:
            (self.path / name).parent.mkdir(exist_ok=True)
            with (self.path / name).open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise StoreError(f"{self.path / name} was written before; a run folder is written once") from None
        except OSError as error:
            raise StoreError(f"cannot write {self.path / name}: {os_words(error)}", mend_of(error)) from error

    def _unsealed(self, name: str) -> None:
        if self.sealed:
            raise StoreError(f"cannot write {name}: {self.path} is sealed")


def session_folder(runs: Path, name: str, started: datetime) -> Path:
    """Make ``RUNS/NAME/STAMP/`` with ``logs/`` for what is no run; ``started`` is aware. Unusable with the fix."""
    try:
        path = _make(runs / name, "", started)
        (path / LOGS).mkdir()
    except OSError as error:
        raise Unusable(f"cannot make a folder in {runs / name}: {os_words(error)}", mend_of(error)) from error
    return path


def sealed(folder: Path) -> bool:
    """Whether the run came to its end: from then on nothing of it may change."""
    return present(folder / SUMS)


def write_card(folder: Path, card: object) -> bytes:
    """Write ``scorecard.json`` and, in a sealed folder, its line in SHA256SUMS; the bytes.

    What already stands there is not written again, so judging an archive that is read-only changes nothing and works.
    """
    content = card_bytes(card)
    if _content(folder / CARD) != content:
        replace(folder / CARD, content)
    if sealed(folder):
        add_card(folder)
    return content


def card_bytes(document: object) -> bytes:
    """A card (or a summary of cards) as deterministic JSON."""
    return encode_indented(document)


def _numbered(rows: list[Row]) -> list[Row]:
    if any(row.n != UNNUMBERED for row in rows):
        return rows
    return [msgspec.structs.replace(row, n=n) for n, row in enumerate(rows)]


def valid_rows(name: str, rows: Iterable[Mapping[str, Any]], books: Mapping[str, type]) -> list[Row]:
    """Rows of the book ``name`` as typed records, in the order given; StoreError for the first that is not one."""
    if name not in books:
        raise StoreError(unknown("book", name, books))
    valid: list[Row] = []
    for number, row in enumerate(rows, 1):
        try:
            valid.append(msgspec.convert(row, books[name]))
        except msgspec.ValidationError as error:
            raise StoreError(f"book {name}, row {number}: {plain(error)}") from error
    return valid


def _content(path: Path) -> bytes | None:
    try:
        return content_of(path)
    except OSError:
        return None


def _make(parent: Path, suffix: str, started: datetime) -> Path:
    if not is_text(parent.resolve()):  # targets are told where to write their logs, as text
        raise Unusable(f"the path of {parent} is not UTF-8", "give another folder with --runs DIR")
    parent.mkdir(parents=True, exist_ok=True)
    for later in range(TRIES):
        moment = started.astimezone(UTC) + timedelta(milliseconds=later)  # two may start in the same millisecond
        path = parent / f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z{suffix}"
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "every name is taken", str(parent))
