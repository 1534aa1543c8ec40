"""Request samples on disk: the load's record file, and the columns it becomes in the run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from drills.history import OUTCOMES, Samples
from drills.runfolder.names import COLUMNS, NAMES, StoreError, os_words

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


def load_samples(folder: Path) -> tuple[Samples, list[str]]:
    """The samples in ``folder`` and what is wrong with them, in words; what cannot be trusted is left out."""
    if not any((folder / f"{column}.npy").exists() for column in COLUMNS):
        return Samples.empty(), ["samples are missing: no load was stored"]
    names, damage = _names(folder / NAMES)
    columns: dict[str, npt.NDArray[Any]] = {}
    for column in COLUMNS:
        loaded = _column(folder / f"{column}.npy", TYPES[column])
        if isinstance(loaded, str):
            damage.append(f"samples/{column}.npy {loaded}")
        else:
            columns[column] = loaded
    if names is None or len(columns) < len(COLUMNS):
        return Samples.empty(() if names is None else tuple(names.name)), damage
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        shown = ", ".join(f"{column} {len(values)}" for column, values in columns.items())
        return Samples.empty(tuple(names.name)), [*damage, f"samples have columns of different length: {shown}"]
    return _trusted(columns, names, damage)


def _trusted(columns: dict[str, npt.NDArray[Any]], names: Names, damage: list[str]) -> tuple[Samples, list[str]]:
    good = (columns["name"] < len(names.name)) & (columns["outcome"] < len(OUTCOMES))
    bad = int(np.count_nonzero(~good))
    if bad:
        damage.append(f"samples: {bad} of {len(good)} records carry a code that {NAMES} does not know")
        columns = {column: values[good] for column, values in columns.items()}
    if np.any(np.diff(columns["intended"]) < 0):
        damage.append("samples/intended.npy is not in order: its rows were moved or changed")
        order = np.argsort(columns["intended"], kind="stable")
        columns = {column: values[order] for column, values in columns.items()}
    return Samples(names=tuple(names.name), **columns), damage


def _names(path: Path) -> tuple[Names | None, list[str]]:
    try:
        names = msgspec.json.decode(path.read_bytes(), type=Names)
    except FileNotFoundError:
        return None, [f"samples/{NAMES} is missing"]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return None, [f"samples/{NAMES} cannot be read: {error}"]
    return names, list(_complaints(names))


def _complaints(names: Names) -> Iterator[str]:
    if names.torn:
        yield "samples: the load's last record was cut off while it was written"
    if names.outcome != [str(outcome) for outcome in OUTCOMES]:
        yield f"samples/{NAMES} has other outcomes than this version: {', '.join(names.outcome)}"


def _column(path: Path, kind: npt.DTypeLike) -> npt.NDArray[Any] | str:
    """The values, or what is wrong."""
    try:
        with path.open("rb") as file:
            values: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        return "is missing"
    except Exception as error:  # noqa: BLE001  # a garbled header makes NumPy raise nearly anything, MemoryError too
        return f"cannot be read: {' '.join(str(error).split())[:120]}"
    if values.dtype != kind or values.ndim != 1:
        return f"holds {values.dtype} in {values.ndim} dimensions where {np.dtype(kind)} in one is due"
    return values
