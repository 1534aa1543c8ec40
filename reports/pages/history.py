"""The history of drills as one HTML file: what is open and whose it is, then the drills, the worst first.

The file holds its history itself: a point for each run, up to ``MOST_POINTS`` a line; beyond that points are medians of
runs that follow each other. Nothing here says that a recovery has improved: lines that cannot be compared are broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from drills.archive.row import RunRow
from drills.archive.trends import Series, Trend
from drills.findings.state import ACCEPTED, CLOSED, Standing
from reports.figures import DASH, amount, seconds
from reports.findings import what
from reports.history_words import verdict_words, words
from reports.pages.coverage import covered
from reports.pages.sparks import spark
from reports.pages.words import word
from reports.texts import Lang, known, say
from reports.trends import breaks, calendar, called, day, level_changed, lost_card, notes, shown_median

SHOWN_LOST = 20
"""How many runs without a card are named."""


@dataclass(frozen=True, slots=True)
class Line:
    """A drill's line of the history; ``picture`` has a point for each run."""

    title: str
    name: str
    tone: str
    verdict: str
    last: str
    passed: str
    recover: str
    limit: str
    lost: str
    harm: str
    broken: list[str]
    picture: Markup | None


def document(trend: Trend, rows: Sequence[RunRow], findings: Sequence[Standing] | None) -> dict[Lang, dict[str, Any]]:
    """What the template shows, by language. ``findings`` None: there is no file of them."""
    by_series = _grouped(rows)
    return {lang: _in(lang, trend, by_series, findings) for lang in ("en", "ja")}


def _grouped(rows: Sequence[RunRow]) -> dict[tuple[str, ...], list[RunRow]]:
    found: dict[tuple[str, ...], list[RunRow]] = {}
    for row in rows:
        found.setdefault((row.called, row.arm, row.target, row.operator, row.pace), []).append(row)
    return found


def _in(
    lang: Lang, trend: Trend, rows: dict[tuple[str, ...], list[RunRow]], findings: Sequence[Standing] | None
) -> dict[str, Any]:
    lines = [
        _line(series, rows[series.drill, series.arm, series.target, series.operator, series.pace], f"{lang}s{n}", lang)
        for n, series in enumerate(trend.series, 1)
    ]
    open_ = [one for one in findings or () if one.state not in (ACCEPTED, CLOSED)]
    kept = [one for one in findings or () if one.state == ACCEPTED]
    return {
        "lang": lang,
        "w": partial(word, lang),
        "tiles": list(_tiles(trend, findings, open_, lang)),
        "findings": [_finding(one, lang) for one in open_],
        "accepted": [_accepted(one, lang) for one in kept],
        "has_findings": findings is not None,
        "lines": lines,
        "lost": [lost_card(each, lang) for each in trend.without_card[::-1][:SHOWN_LOST]],
        "lost_more": max(0, len(trend.without_card) - SHOWN_LOST),
        "calendar": calendar(trend, lang, SHOWN_LOST),
        "covered": covered(rows, trend, lang),
        "notes": list(notes(trend, lang)),
        "footer": word(lang, "page.footer", version=version("kunren")),
    }


def _tiles(
    trend: Trend, findings: Sequence[Standing] | None, open_: Sequence[Standing], lang: Lang
) -> list[tuple[str, str, str, bool]]:
    """Name, value, what stands below, and whether it is bad."""
    passed = sum(series.last_verdict == "pass" for series in trend.series)
    late = sum(one.late for one in open_)
    unknown = findings is None
    return [
        (word(lang, "history.passed"), word(lang, "five.limits.of", met=passed, of=len(trend.series)),
         word(lang, "history.passed.sub"), passed < len(trend.series)),
        (word(lang, "history.open"), DASH if unknown else str(len(open_)), word(lang, "history.open.sub"), bool(open_)),
        (word(lang, "history.late"), DASH if unknown else str(late), word(lang, "history.late.sub"), late > 0),
        (word(lang, "history.runs"), f"{trend.runs:,}", word(lang, "history.runs.sub"), False),
        (word(lang, "history.lost"), f"{len(trend.without_card):,}", word(lang, "history.lost.sub"),
         bool(trend.without_card)),
    ]  # fmt: skip


def _finding(one: Standing, lang: Lang) -> dict[str, str]:
    finding = one.finding
    seen = words(
        lang,
        "findings.times.again" if finding.recurrences else "findings.times",
        n=finding.times,
        date=finding.last_seen.date,
        again=len(finding.recurrences),
    )
    return {
        "state": words(lang, f"state.{one.state}"),
        "tone": "fail" if one.late else "unknown",
        "severity": words(lang, f"severity.{finding.severity}"),
        "what": what(finding, lang) + (f" ({finding.detail})" if finding.detail else ""),
        "owner": finding.owner or DASH,
        "due": str(finding.due or DASH),
        "seen": f"{finding.id} · {seen}",
    }


def _accepted(one: Standing, lang: Lang) -> str:
    risk = one.finding.accepted
    if risk is None:
        return ""
    told = {"approver": risk.approver, "since": risk.since, "until": risk.until, "reason": risk.reason}
    return f"{what(one.finding, lang)}: {words(lang, 'findings.accepted.by', **told)}"


def _line(series: Series, rows: Sequence[RunRow], name: str, lang: Lang) -> Line:
    now = series.segments[-1]
    grade = known(lang, f"grade.{series.last_grade}", series.last_grade or "")
    judged = series.last_verdict in ("pass", "fail")
    harm = now.harmful_actions.value
    recover = shown_median(now.recover_s, lang)
    limit = amount(series.recover_limit_s, "s")
    said = word(lang, "history.alt", recover=recover, limit=limit, n=series.runs)
    return Line(
        title=series.title.get(lang) or series.title.get("en") or series.drill,
        name=called(series, lang),
        tone=series.last_verdict if judged else "unknown",
        verdict=verdict_words(lang, series.last_verdict) + (f" — {grade}" if grade else ""),
        last=day(series.last_at),
        passed=f"{now.passed}/{now.runs}",
        recover=recover,
        limit=limit,
        lost=DASH if now.service_s.value is None else seconds(now.service_s.value),
        harm=DASH if harm is None else amount(harm, "count"),
        broken=[*breaks(series, lang), *level_changed(series, lang)],
        picture=spark(series, rows, name, word(lang, "history.line"), said),
    )


def heads(lang: Lang) -> dict[str, str]:
    """Heads of the two tables."""
    found = {name: words(lang, f"findings.{name}") for name in ("state", "severity", "what", "owner", "due", "seen")}
    found |= {name: words(lang, f"trend.{name}") for name in ("last", "passed", "recover", "limit")}
    return found | {name: say(lang, f"row.{name}") for name in ("drill", "lost", "harm")}
