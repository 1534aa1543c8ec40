"""The history of drills in a terminal: a row a drill, the worst first; where its line broke; what has no card."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Column, Table

from drills.archive.medians import Median
from drills.archive.trends import Segment, Series, Trend, WithoutCard
from reports.calendar_words import on, why
from reports.cells import print_table
from reports.figures import DASH, amount, seconds
from reports.history_words import verdict_words, words
from reports.texts import Lang, known, say
from reports.words import LISTED

HEADS = ("drill", "last", "passed", "recover", "limit", "lost", "harm")
SHOWN_LOST = 10
"""How many runs without a card are named."""


def print_trend(out: Console, trend: Trend, folder: str, lang: Lang = "en") -> None:
    """Print it; ``folder`` is that of the runs."""
    if trend.series:
        drills = len({each.drill for each in trend.series})
        out.print(words(lang, "trend.title", runs=f"{trend.runs:,}", drills=drills), style="bold")
        table = Table(*_columns(lang), box=None, pad_edge=False)
        for series in trend.series:
            table.add_row(*_row(series, lang))
        print_table(out, table)
        for series in trend.series:
            for line in (*breaks(series, lang), *level_changed(series, lang)):
                out.print(f"{called(series, lang)}: {line}", soft_wrap=True)
    else:
        out.print(words(lang, "trend.none", folder=folder), soft_wrap=True)
    for line in _below(trend, lang):
        out.print(line, soft_wrap=True)


def breaks(series: Series, lang: Lang) -> Iterator[str]:
    """The last change, and what was measured before it."""
    if len(series.segments) < 2:
        return
    before, now = series.segments[-2:]
    changed = LISTED[lang].join(words(lang, f"break.{each}") for each in now.because)
    said = words(lang, "trend.since", at=day(now.since), what=changed, before=_recovered(before, lang))
    earlier = len(series.segments) - 2
    more = f" · {words(lang, 'trend.more', n=earlier)}" if earlier else ""
    yield said + more


def level_changed(series: Series, lang: Lang) -> Iterator[str]:
    """The last change of the level of recoveries since then, where there is one."""
    changes = series.segments[-1].changes
    if changes:
        now = changes[-1]
        told = {"at": day(now.at), "before": seconds(now.before), "after": seconds(now.after)}
        yield words(lang, "trend.level", **told)


def called(series: Series, lang: Lang) -> str:
    """The drill, and what sets the series apart from the usual one: a robot, at its pace, on the local target."""
    apart = [
        *([] if series.arm == "runbook" else [series.arm]),
        *([] if series.target == "local" else [series.target]),
        *([] if series.operator == "robot" else [_operator(series.operator, lang)]),
        *([words(lang, "trend.pace")] if series.pace == "person" and series.operator == "robot" else []),
    ]
    return f"{series.drill} ({LISTED[lang].join(apart)})" if apart else series.drill


def shown_median(found: Median, lang: Lang) -> str:
    """A median of seconds, with its interval or why there is none."""
    if not found.n:
        return DASH
    value = words(lang, "trend.never") if found.value is None else seconds(found.value)
    if found.n == 1:
        return words(lang, "trend.median.one", value=value)
    if found.low is None:
        never = words(lang, "trend.never.of", never=found.never, n=found.n)
        few = words(lang, "trend.median.few", value=value, n=found.n)
        return f"{few}; {never}" if found.never else few
    low = f"{found.low:,.1f}"
    if found.high is None:
        return words(lang, "trend.median.open", value=value, low=low, n=found.n)
    return words(lang, "trend.median", value=value, low=low, high=f"{found.high:,.1f}", n=found.n)


def day(at: str) -> str:
    """``2026-11-22`` of the stamp in a run's name, or of a time in ISO 8601."""
    return at[:10] if "-" in at else f"{at[:4]}-{at[4:6]}-{at[6:8]}"


def _columns(lang: Lang) -> list[Column]:
    return [Column(_head(head, lang), no_wrap=head == "drill") for head in HEADS]


def _head(head: str, lang: Lang) -> str:
    return say(lang, f"row.{head}") if head in ("drill", "lost", "harm") else words(lang, f"trend.{head}")


def _row(series: Series, lang: Lang) -> tuple[str, ...]:
    now = series.segments[-1]
    harm = now.harmful_actions
    return (
        called(series, lang),
        _last(series, lang),
        f"{now.passed}/{now.runs}",
        _recovered(now, lang),
        amount(series.recover_limit_s, "s"),
        DASH if now.service_s.value is None else seconds(now.service_s.value),
        DASH if harm.value is None else amount(harm.value, "count"),
    )


def _recovered(part: Segment, lang: Lang) -> str:
    return shown_median(part.recover_s, lang)


def _last(series: Series, lang: Lang) -> str:
    grade = known(lang, f"grade.{series.last_grade}", series.last_grade or "")
    verdict = verdict_words(lang, series.last_verdict)
    said = words(lang, "trend.graded", verdict=verdict, grade=grade) if grade else verdict
    return f"{said} {day(series.last_at)}"


def _operator(kind: str, lang: Lang) -> str:
    return words(lang, "trend.human") if kind == "human" else words(lang, "trend.nobody")


def _below(trend: Trend, lang: Lang) -> Iterator[str]:
    dates = calendar(trend, lang, SHOWN_LOST)
    yield from dates[:1]
    yield from (f"  {each}" for each in dates[1:])
    yield from _lost(trend.without_card, lang)
    yield from notes(trend, lang)


def calendar(trend: Trend, lang: Lang, most: int) -> list[str]:
    """How many dates of the calendar were done, and ``most`` of those that were not, the latest first; or nothing."""
    found = trend.calendar
    if found is None:
        return []
    lines = [words(lang, "trend.calendar", done=found.done, due=found.due)]
    for each in found.missed[::-1][:most]:
        reason = words(lang, "trend.calendar.no-reason") if each.reason is None else why(lang, each.reason)
        lines.append(words(lang, "trend.calendar.item", entry=each.entry, of=on(lang, each.of), why=reason))
    if len(found.missed) > most:
        lines.append(words(lang, "trend.lost-card.more", n=len(found.missed) - most))
    return lines


def notes(trend: Trend, lang: Lang) -> Iterator[str]:
    """What else one has to know to read it."""
    if trend.unread:
        run, why = next(iter(trend.unread.items()))
        yield words(lang, "trend.unread", n=len(trend.unread), run=run, why=why)
    if trend.unregistered and trend.register_holds is not None:
        yield words(lang, "trend.unregistered", n=f"{trend.unregistered:,}")
    if trend.others:
        items = [words(lang, "trend.others.item", arm=arm, n=f"{n:,}") for arm, n in trend.others.items()]
        yield words(lang, "trend.others", what=LISTED[lang].join(items))
    holds = {True: "holds", False: "broken", None: "none"}[trend.register_holds]
    yield words(lang, f"trend.register.{holds}")
    if trend.series:
        yield words(lang, "trend.note")


def lost_card(run: WithoutCard, lang: Lang) -> str:
    """A run that was begun and has no card."""
    what = words(lang, "trend.lost-card.open")
    if run.verdict is not None:
        what = words(lang, "trend.lost-card.thrown", verdict=verdict_words(lang, run.verdict))
    return words(lang, "trend.lost-card.item", run=run.run, who=run.who, what=what)


def _lost(runs: list[WithoutCard], lang: Lang) -> Iterator[str]:
    if not runs:
        return
    yield words(lang, "trend.lost-card", n=len(runs))
    yield from (f"  {lost_card(each, lang)}" for each in runs[::-1][:SHOWN_LOST])
    if len(runs) > SHOWN_LOST:
        yield "  " + words(lang, "trend.lost-card.more", n=len(runs) - SHOWN_LOST)
