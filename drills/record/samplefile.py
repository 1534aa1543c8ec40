"""Request samples on disk: the load's record file, and the columns it becomes in the run folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from drills.record.columns import pieces
from drills.record.damage import damaged
from drills.record.history import OUTCOMES, Reason, Samples
from drills.record.names import COLUMNS, NAMES, StoreError, os_words
from drills.record.reading import content_of, present, reading

RECORD = np.dtype(
    [
        ("intended", "<i8"),
        ("sent", "<i8"),
        ("done", "<i8"),
        ("key", "<i8"),
        ("outcome", "u1"),
        ("name", "u1"),
        ("pad", "V6"),
    ]
)
"""One request as the load writes it: 40 bytes, ``<qqqqBB6x``."""

TYPES: Mapping[str, npt.DTypeLike] = {name: RECORD[name] for name in COLUMNS}

HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)"
    rb"\{'descr': '(?P<kind>[<>|=][A-Za-z]\d{1,3})', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[\d, ]{0,80})\), \} *\n",
    re.DOTALL,
)
"""The beginning of a column's file, format 1.0 of NumPy."""
LEAD = 10
MOST_HEADER = 1024


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``names.json``: code -> word; ``torn`` counts records that the load began and did not finish."""

    name: list[str]
    outcome: list[str]
    torn: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """How many ``records`` were taken over, and whether a last one was ``torn`` (0 or 1)."""

    records: int
    torn: int


def store_samples(records: Path, folder: Path, names: tuple[str, ...]) -> Stored:
    """Turn the load's record file into columns in ``folder``, sorted by intended instant. StoreError if unreadable."""
    try:
        raw = records.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read the load's samples {records}: {os_words(error)}") from error
    whole, rest = divmod(len(raw), RECORD.itemsize)
    table = np.frombuffer(raw, RECORD, count=whole)
    table = table[np.argsort(table["intended"], kind="stable")]
    torn = int(rest > 0)
    try:
        for column in COLUMNS:
            with (folder / f"{column}.npy").open("xb") as file:
                np.save(file, np.ascontiguousarray(table[column]), allow_pickle=False)
        words = Names(list(names), [str(outcome) for outcome in OUTCOMES], torn)
        with (folder / NAMES).open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(words), indent=2) + b"\n")
    except OSError as error:
        raise StoreError(f"cannot write the samples to {folder}: {os_words(error)}") from error
    return Stored(whole, torn)


def load_samples(folder: Path) -> tuple[Samples, list[Reason]]:
    """The samples in ``folder`` and what is wrong with them; what cannot be trusted is left out.

    Unusable where this machine cannot read them now.
    """
    if not any(present(folder / f"{column}.npy") for column in COLUMNS):
        return Samples.empty(), [damaged("no-samples")]
    names, damage = _names(folder / NAMES)
    columns: dict[str, npt.NDArray[Any]] = {}
    for column in COLUMNS:
        loaded = _column(folder, column)
        if isinstance(loaded, Reason):
            damage.append(loaded)
        else:
            columns[column] = loaded
    if names is None or len(columns) < len(COLUMNS):
        return Samples.empty(() if names is None else tuple(names.name)), damage
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        shown = [f"{column} {len(values)}" for column, values in columns.items()]
        return Samples.empty(tuple(names.name)), [*damage, damaged("lengths", columns=shown)]
    return _trusted(columns, names, damage)


def _trusted(columns: dict[str, npt.NDArray[Any]], names: Names, damage: list[Reason]) -> tuple[Samples, list[Reason]]:
    bad = sum(int(np.count_nonzero(~_known(columns, names, part))) for part in pieces(*_codes(columns)))
    if bad:
        damage.append(damaged("codes", NAMES, bad=bad, of=len(columns["name"])))
        good = _known(columns, names, slice(None))
        columns = {column: values[good] for column, values in columns.items()}
    if not _in_order(columns["intended"]):
        damage.append(damaged("order", "samples/intended.npy"))
        order = np.argsort(columns["intended"], kind="stable")
        columns = {column: values[order] for column, values in columns.items()}
    return Samples(names=tuple(names.name), **columns), damage


def _codes(columns: dict[str, npt.NDArray[Any]]) -> tuple[int, npt.NDArray[Any], npt.NDArray[Any]]:
    return len(columns["name"]), columns["name"], columns["outcome"]


def _known(columns: dict[str, npt.NDArray[Any]], names: Names, part: slice) -> npt.NDArray[Any]:
    return np.asarray((columns["name"][part] < len(names.name)) & (columns["outcome"][part] < len(OUTCOMES)))


def _in_order(intended: npt.NDArray[Any]) -> bool:
    return not any(
        np.any(intended[part.start + 1 : part.stop + 1] < intended[part][: len(intended) - part.start - 1])
        for part in pieces(len(intended), intended)
    )


def _names(path: Path) -> tuple[Names | None, list[Reason]]:
    try:
        names = msgspec.json.decode(content_of(path), type=Names)
    except FileNotFoundError:
        return None, [damaged("missing", f"samples/{NAMES}")]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return None, [damaged("unreadable", f"samples/{NAMES}", error=str(error))]
    return names, list(_complaints(names))


def _complaints(names: Names) -> Iterator[Reason]:
    if names.torn:
        yield damaged("torn-sample")
    if names.outcome != [str(outcome) for outcome in OUTCOMES]:
        yield damaged("other-outcomes", f"samples/{NAMES}", outcomes=names.outcome)


def _column(folder: Path, column: str) -> npt.NDArray[Any] | Reason:
    """The values, mapped and not read, or what is wrong."""
    path = folder / f"{column}.npy"
    name = f"samples/{path.name}"
    try:
        with reading(path), path.open("rb") as file:
            return _mapped(file, np.dtype(TYPES[column]), name)
    except FileNotFoundError:
        return damaged("missing", name)
    except OSError as error:
        return damaged("unreadable", name, error=os_words(error))


def _mapped(file: BinaryIO, kind: np.dtype[Any], name: str) -> npt.NDArray[Any] | Reason:
    """One column as ``np.save`` writes it, no byte less or more.

    Read by ourselves: NumPy's words for a garbled header differ between versions of Python, and they would end up on
    the card; and it takes no notice of bytes too many.
    """
    found = HEADER.match(file.read(MOST_HEADER))
    if found is None or int.from_bytes(found["length"], "little") != found.end() - LEAD:
        return damaged("column-header", name)
    shape = [part for part in found["shape"].split(b",") if part.strip()]
    if found["kind"].decode() != kind.str or len(shape) != 1:
        return damaged("column-type", name, found=_word(found["kind"]), dimensions=len(shape), due=str(kind))
    size, rows = os.fstat(file.fileno()).st_size, int(shape[0])
    due = found.end() + rows * kind.itemsize
    if size != due:
        return damaged("column-short" if size < due else "column-long", name, bytes=size, due=due)
    if rows == 0:
        return np.empty(0, kind)  # nothing cannot be mapped
    return np.memmap(file, kind, mode="r", offset=found.end(), shape=(rows,)).view(np.ndarray)


def _word(kind: bytes) -> str:
    try:
        return str(np.dtype(kind.decode()))
    except (TypeError, ValueError):
        return repr(kind.decode())
