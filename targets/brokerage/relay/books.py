"""What the transaction log says, as of now: its whole lines, wherever its files lie by now, and its high-water mark.

On the volume, and in the evidence folder to which operators move files; packed files are unpacked. Lines of the days
before the stack was started are told by their ranges alone, a row a file. A line that is there twice, as in a copy, is
one row, with the first file that has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config
from targets.brokerage.relay import lines, wiretrace
from targets.brokerage.relay.component import LOG_VOLUME, RELAY
from targets.brokerage.relay.lines import Line
from targets.brokerage.relay.log import high_water
from targets.brokerage.volumes.files import COPY
from targets.brokerage.volumes.keeping import EVIDENCE, reached
from targets.brokerage.volumes.usage import is_limited, usage

LAST_S = 5.0
LINE_BYTES = 200
"""Of a line of the log, about: for how fast the volume fills."""
BEGAN = "began"
"""Beside the mark: the last number of the days before."""


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError when they cannot be read."""
    folder = Path(config.folder)
    mark = folder / RELAY.volumes[0]
    volume = reached(folder, LOG_VOLUME.name)
    places = {"": volume, f"{EVIDENCE}/": folder / EVIDENCE / LOG_VOLUME.name}
    logs = {f"{place}{file.name}": file for place, each in places.items() for file in lines.logs(each)}
    contents = {name: lines.content(file) for name, file in logs.items()}
    sizes = {name: file.stat().st_size for name, file in logs.items()}
    traces = {f"{place}{file.name}": trace_of(file) for place, each in places.items() for file in wiretrace.files(each)}
    found = list(rows(contents, began(mark), sizes))
    return [*found, *_traces(traces), *_volume(volume, growth(found, traces.values())), *_marks(mark)]


def began(mark: Path) -> int:
    """The last number of the days before; 0 where there were none."""
    try:
        return int((mark / BEGAN).read_text())
    except FileNotFoundError:
        return 0


def trace_of(file: Path) -> list[tuple[int, int]]:
    """(t_ns, bytes) of each request that it holds whole. OSError."""
    return list(wiretrace.entries(file.read_bytes()))


def growth(log: Iterable[Row], traces: Iterable[list[tuple[int, int]]]) -> float:
    """Bytes a second that the last requests added: those of ``LAST_S`` before the last one."""
    added = [(int(row["t_ns"]), LINE_BYTES) for row in log if row["kind"] == "log-line"]
    added += [each for trace in traces for each in trace]
    if not added:
        return 0.0
    since = max(t_ns for t_ns, _ in added) - int(LAST_S * 1e9)
    return sum(size for t_ns, size in added if t_ns > since) / LAST_S


def rows(contents: dict[str, bytes], before: int, sizes: Mapping[str, int]) -> Iterator[Row]:
    """A row for each file, and for each line after number ``before``; of equal lines one. ``sizes``: on the volume."""
    now, seen = time.monotonic_ns(), set[Line]()
    for name, content in contents.items():
        found = list(lines.whole(content))
        damaged = content.count(b"\n") + (not content.endswith(b"\n") and bool(content)) - len(found)
        ranges = [list(each) for each in spans(line.seq for line in found)]
        copied = Path(name).name.startswith(COPY)
        facts = {"ranges": ranges, "damaged": damaged, "bytes": sizes[name], "copied": copied}
        yield {"kind": "log-file", "t_ns": now, "id": name, **facts}
        for line in found:
            if line.seq > before and line not in seen:
                seen.add(line)
                yield _row(line, name)


def spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as ranges, first and last of each."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _row(line: Line, file: str) -> Row:
    return {
        "kind": "log-line", "t_ns": line.t_ns, "id": f"{file}:{line.seq}", "account": line.account, "key": line.key,
        "sequence": line.seq, "what": line.what, "file": file,
    }  # fmt: skip


def _traces(traces: dict[str, list[tuple[int, int]]]) -> Iterator[Row]:
    for name, found in traces.items():
        times = [t_ns for t_ns, _ in found] or [0]
        facts = {"requests": len(found), "first_ns": min(times), "last_ns": max(times)}
        yield {
            "kind": "log-trace", "t_ns": time.monotonic_ns(), "id": name, **facts, "bytes": sum(b for _, b in found),
        }  # fmt: skip


def _volume(folder: Path, added: float) -> Iterator[Row]:
    """None where it is an ordinary folder: that disk is everybody's."""
    if is_limited(folder):
        now = usage(folder)
        facts = {"size": now.size, "free": now.free, "inodes": now.inodes, "inodes_free": now.inodes_free}
        yield {"kind": "log-volume", "t_ns": time.monotonic_ns(), "id": LOG_VOLUME.name, **facts, "growth": added}


def _marks(mark: Path) -> Iterator[Row]:
    yield {
        "kind": "high-water", "t_ns": time.monotonic_ns(), "id": RELAY.name, "sequence": high_water(mark),
        "began": began(mark),
    }  # fmt: skip
