"""What the transaction log says, as of now: its whole lines, wherever its files lie by now, and its high-water mark.

On the volume, where operators move files to (``evidence/``) and where housekeeping does (``archive/``), packed or not.
Lines of the days before the stack was started are told by their ranges alone, a row a file. A line that is there twice,
as in a copy, is one row, with the first file that has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from targets import http_sync
from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config
from targets.brokerage.relay import lines, wiretrace
from targets.brokerage.relay.component import LOG_VOLUME, RELAY
from targets.brokerage.relay.housekeeping import ARCHIVE
from targets.brokerage.relay.lines import Line
from targets.brokerage.relay.log import high_water
from targets.brokerage.volumes.files import COPY
from targets.brokerage.volumes.keeping import EVIDENCE, reached
from targets.brokerage.volumes.usage import is_limited, usage

RELAY_S = 1.0
BEGAN = "began"
"""Beside the mark: the last number of the days before."""


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError when they cannot be read."""
    folder = Path(config.folder)
    mark = folder / RELAY.volumes[0]
    volume = reached(folder, LOG_VOLUME.name)
    evidence = folder / EVIDENCE / LOG_VOLUME.name
    places = {"": volume, f"{EVIDENCE}/": evidence, f"{ARCHIVE}/": mark / ARCHIVE}
    logs = {f"{place}{file.name}": file for place, each in places.items() for file in lines.logs(each)}
    contents = {name: lines.content(file) for name, file in logs.items()}
    sizes = {name: file.stat().st_size for name, file in logs.items()}
    traces = {f"{place}{file.name}": file for place, each in places.items() for file in wiretrace.files(each)}
    found = rows(contents, began(mark), sizes)
    return [*found, *_traces(traces), *_marks(mark), *_volume(config, volume)]


def began(mark: Path) -> int:
    """The last number of the days before; 0 where there were none."""
    try:
        return int((mark / BEGAN).read_text())
    except FileNotFoundError:
        return 0


def rows(contents: dict[str, bytes], before: int, sizes: Mapping[str, int]) -> Iterator[Row]:
    """A row for each file, and for each line after number ``before``; of equal lines one. ``sizes``: as they lie."""
    now, seen = time.monotonic_ns(), set[Line]()
    for name, content in contents.items():
        found = list(lines.whole(content))
        damaged = content.count(b"\n") + (not content.endswith(b"\n") and bool(content)) - len(found)
        ranges = [list(each) for each in spans(line.seq for line in found)]
        facts = {"ranges": ranges, "damaged": damaged, "bytes": sizes[name]}
        yield {"kind": "log-file", "t_ns": now, "id": name, **facts, "copied": Path(name).name.startswith(COPY)}
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


def _traces(files: Mapping[str, Path]) -> Iterator[Row]:
    for name, file in files.items():
        found = list(wiretrace.entries(file.read_bytes()))
        times = [t_ns for t_ns, _ in found] or [0]
        yield {
            "kind": "log-trace", "t_ns": time.monotonic_ns(), "id": name, "requests": len(found),
            "first_ns": min(times), "last_ns": max(times), "bytes": sum(size for _, size in found),
        }  # fmt: skip


def _volume(config: Config, volume: Path) -> Iterator[Row]:
    """How full it is; how it last grew is told by the relay, which may be down."""
    if not is_limited(volume):
        return
    now, where = usage(volume), config.at(RELAY.http)
    try:
        said = http_sync.ask(where, "GET", "/ops/status", RELAY_S, headers={"X-Ops-Token": config.token})
        pace = json.loads(said.body)["volumes"][LOG_VOLUME.name]["per_s"] or 0
    except (http_sync.NoReply, ValueError, KeyError):
        pace = 0
    yield {
        "kind": "volume", "t_ns": time.monotonic_ns(), "id": LOG_VOLUME.name, "size": now.size, "free": now.free,
        "inodes": now.inodes, "inodes_free": now.inodes_free, "per_s": round(pace),
    }  # fmt: skip


def _marks(mark: Path) -> Iterator[Row]:
    yield {
        "kind": "high-water", "t_ns": time.monotonic_ns(), "id": RELAY.name, "sequence": high_water(mark),
        "began": began(mark),
    }  # fmt: skip
