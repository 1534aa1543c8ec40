"""Text measured in terminal cells, where a Japanese character takes two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

CLAUSE = re.compile("(?<=[、。])")
WORD = re.compile(r"(?:[\d.,–]+ (?:s|%|件|回)(?!\w)|[\u3040-\u9fff（「]|[^\s\u3040-\u9fff（「]+)[、。，）」]*\s*|\s+")
"""A number with its unit, a Japanese character, or a word; each with what must not begin a row, and the space after."""


def pad(text: str, width: int, right: bool = False) -> str:
    """``text`` in at least ``width`` cells; ``right`` aligns it there."""
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def fit(words: Sequence[str], between: str, width: int, more: Callable[[int], str] | None = None) -> str:
    """As many of ``words`` as fit, whole, and with ``more(n)`` how many were left out; the first in any case."""
    for kept in range(len(words), 0, -1):
        left = len(words) - kept
        shown = between.join([*words[:kept], *([more(left)] if more and left else [])])
        if cell_len(shown) <= width:
            return shown
    rest = f"{between}{more(len(words) - 1)}" if more and len(words) > 1 else ""
    return words[0] + rest if words else ""


def fold(words: str, width: int) -> list[str]:
    """On as many rows as it takes, nothing cut: English at spaces, Japanese after a comma or else anywhere.

    A number keeps its unit, and no row begins with a comma or a closing bracket.
    """
    rows = [""]
    for piece in _pieces(words, width):
        if rows[-1] and cell_len((rows[-1] + piece).rstrip()) > width:
            rows.append("")
        rows[-1] += piece
    return [row.rstrip() for row in rows]


def _pieces(words: str, width: int) -> Iterator[str]:
    """What stays whole on a row, with the space after it."""
    clauses = CLAUSE.split(words)
    for clause in clauses:
        whole = len(clauses) > 1 and cell_len(clause) <= width
        for piece in [clause] if whole else WORD.findall(clause):
            yield from chop_cells(piece, width) if cell_len(piece.rstrip()) > width else [piece]


def spread(left: Text, right: str, width: int) -> list[Text]:
    """Left and right on one line where both fit, on two where they do not."""
    room = width - left.cell_len - cell_len(right)
    if room >= 2:
        return [left + Text(" " * room + right)]
    return [left, Text(right)]


def print_table(out: Console, table: Table) -> None:
    """Print it without the spaces that fill its last column: in a file they are noise."""
    for row in out.render_lines(table, pad=False):
        line = Text()
        for segment in row:
            line.append(segment.text, segment.style)
        line.rstrip()
        out.print(line, soft_wrap=True)
