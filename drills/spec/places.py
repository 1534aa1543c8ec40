"""Where in a drill's file each objective and check stands, for reports that name a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drills.errors import BadInput
from drills.spec.yamlfile import load


@dataclass(frozen=True, slots=True)
class Places:
    """``file`` as it was named; ``lines``: id of a check, or what an objective's id begins with -> line, from 1."""

    file: str
    lines: dict[str, int]

    def place(self, id_: str) -> str:
        """``FILE:LINE`` of an objective or a check; the file alone for one that does not stand in it."""
        while id_ not in self.lines and "." in id_:
            id_ = id_.rpartition(".")[0]
        return f"{self.file}:{self.lines[id_]}" if id_ in self.lines else self.file


def places(file: Path) -> Places:
    """Of a drill's file; without lines where it cannot be read any more."""
    try:
        return Places(str(file), dict(_lines(file)))
    except BadInput:
        return Places(str(file), {})


def _lines(file: Path) -> Iterator[tuple[str, int]]:
    document = load(file)
    for place, line in document.key_lines.items():
        if len(place) > 1 and place[0] == "objectives":
            yield ".".join(map(str, place[1:])), line
    checks = document.data.get("checks") if isinstance(document.data, dict) else None
    for index, name in enumerate(checks if isinstance(checks, list) else ()):
        yield str(name), document.line(("checks", index))
