"""Text measured in terminal cells, where a Japanese character takes two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

ELLIPSIS = "…"
CLAUSE = re.compile("(?<=[、。])")
WORD = re.compile(r"(?:[\d.,–]+ (?:s|%|件|回)(?!\w)|[\u3040-\u9fff（「]|[^\s\u3040-\u9fff（「]+)[、。，）」]*\s*|\s+")
"""A number with its unit, a Japanese character, or a word; each with what must not begin a row, and the space after."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the card, which the terminal may show on several rows."""

    text: Text

    def rows(self, width: int) -> int:
        """How many rows of the terminal it takes."""
        return max(1, -(-self.text.cell_len // width))


def clip(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something was cut."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    return (chop_cells(text, width - 1)[0] if width > 1 else "").rstrip() + ELLIPSIS


def pad(text: str, width: int, right: bool = False) -> str:
    """``text`` in exactly ``width`` cells; ``right`` aligns it there."""
    short = clip(text, width)
    space = " " * (width - cell_len(short))
    return space + short if right else short + space


def fit(words: Sequence[str], between: str, width: int, more: Callable[[int], str] | None = None) -> str:
    """As many of ``words`` as fit, whole, and with ``more(n)`` how many were left out; the first is cut if it must."""
    for kept in range(len(words), 0, -1):
        left = len(words) - kept
        shown = between.join([*words[:kept], *([more(left)] if more and left else [])])
        if cell_len(shown) <= width:
            return shown
    rest = f"{between}{more(len(words) - 1)}" if more and len(words) > 1 else ""
    return clip(words[0], max(0, width - cell_len(rest))) + rest if words else ""


def wrap(words: Iterable[str], between: str, width: int) -> list[str]:
    """``words`` on as many lines as they need, none broken inside."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{between}{word}" if lines else word
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(clip(word, width))
    return lines


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


def spread(left: Text, right: str, width: int) -> list[Line]:
    """Left and right on one line where both fit, on two where they do not."""
    room = width - left.cell_len - cell_len(right)
    if room >= 2:
        return [Line(left + Text(" " * room + right))]
    left.truncate(width, overflow="ellipsis")
    return [Line(left), Line(Text(clip(right, width)))]


def print_table(out: Console, table: Table) -> None:
    """Print it without the spaces that fill its last column: in a file they are noise."""
    for row in out.render_lines(table, pad=False):
        line = Text()
        for segment in row:
            line.append(segment.text, segment.style)
        line.rstrip()
        out.print(line, soft_wrap=True)
