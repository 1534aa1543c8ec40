"""Text measured in terminal cells, where a Japanese character takes two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.table import Table
from rich.text import Text

ELLIPSIS = "…"


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
