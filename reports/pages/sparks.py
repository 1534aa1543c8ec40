"""A drill's recoveries, run by run, as a small drawing: points, medians, the limit, and where the line breaks."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from markupsafe import Markup

from drills.archive.row import RunRow
from drills.archive.trends import Series
from reports.pages.drawing import Drawing

WIDTH, HEIGHT, EDGE = 300, 56, 6
MOST_POINTS = 60
"""A drawing has no more; beyond, a point is the median of runs that follow each other."""


def spark(series: Series, rows: Sequence[RunRow], name: str, title: str, told: str) -> Markup | None:
    """None where no run has anything of a recovery. Runs that never recovered stand at the top edge."""
    judged = [row for row in rows if row.judged]
    known = [row.recover[1] for row in judged if row.recover is not None]
    if not judged or not (known or any(row.verdict == "fail" for row in judged)):
        return None
    top = 1.15 * max([*known, series.recover_limit_s or 0, 0.001])
    drawing = Drawing(WIDTH, name, title, told)
    drawing.height = HEIGHT
    place = {row.run: EDGE + n * (WIDTH - 2 * EDGE) / max(1, len(rows) - 1) for n, row in enumerate(rows)}
    if series.recover_limit_s is not None:
        drawing.line("limit", 0, _y(series.recover_limit_s, top), WIDTH, _y(series.recover_limit_s, top))
    for segment in series.segments:
        mine = [row for row in rows if segment.since <= row.at <= segment.until]
        left, right = place[mine[0].run], place[mine[-1].run]
        if segment.because:
            drawing.line("mark", left - 2, 0, left - 2, HEIGHT)
        if segment.recover_s.value is not None:
            drawing.line("median", left, _y(segment.recover_s.value, top), right, _y(segment.recover_s.value, top))
    for part in _parts(judged):
        ends = [top if row.recover is None else row.recover[1] for row in part]
        kind = "dot-fail" if any(row.verdict == "fail" for row in part) else "dot"
        drawing.dot(kind, place[part[len(part) // 2].run], _y(median(ends), top), 2.6)
    return drawing.done()


def _parts(rows: Sequence[RunRow]) -> list[Sequence[RunRow]]:
    step = -(-len(rows) // MOST_POINTS)
    return [rows[n : n + step] for n in range(0, len(rows), step)]


def _y(value: float, top: float) -> float:
    return HEIGHT - 4 - (HEIGHT - 8) * min(value, top) / top
