"""Findings in a terminal: a row each, what is late first; one of them whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Column, Table

from drills.findings.retests import NEEDED, passes_in_a_row, since_last_seen
from drills.findings.state import ACCEPTED, CLOSED, Standing
from drills.findings.sync import Synced
from drills.spec.findingsfile import Finding
from reports.cells import print_table
from reports.figures import DASH
from reports.history_words import words
from reports.texts import Lang
from reports.words import LISTED

HEADS = ("id", "state", "severity", "what", "owner", "due", "seen")


def print_findings(out: Console, found: Sequence[Standing], lang: Lang = "en", *, every: bool = False) -> None:
    """Print them; those that are closed or accepted only where ``every`` one is asked for."""
    shown = [one for one in found if every or one.state not in (ACCEPTED, CLOSED)]
    if shown:
        print_rows(out, shown, lang)
    else:
        out.print(words(lang, "findings.none"))
    states = [one.state for one in found]
    out.print(
        words(
            lang,
            "findings.summary",
            open=len(found) - states.count(ACCEPTED) - states.count(CLOSED),
            late=sum(one.late for one in found),
            accepted=states.count(ACCEPTED),
            closed=states.count(CLOSED),
        )
    )


def print_rows(out: Console, found: Sequence[Standing], lang: Lang = "en") -> None:
    """A row each, in their order."""
    table = Table(*(_column(head, lang) for head in HEADS), box=None, pad_edge=False)
    for one in found:
        table.add_row(*_row(one, lang))
    print_table(out, table)


def print_finding(out: Console, one: Standing, lang: Lang = "en") -> None:
    """All that is known of one."""
    out.print(f"{one.finding.id}  {what(one.finding, lang)}", style="bold", soft_wrap=True)
    for head, text in _facts(one, lang):
        out.print(f"  {head}: {text}", soft_wrap=True)


def print_synced(out: Console, found: Synced, lang: Lang = "en") -> None:
    """What a synchronisation came to, a line each."""
    by_id = {finding.id: finding for finding in found.findings}
    groups = (
        ("findings.new", found.new),
        ("findings.reopened", found.reopened),
        ("findings.seen-again", [each for each in found.seen_again if each not in found.reopened]),
        ("findings.closed-now", found.closed),
    )
    told = False
    for key, ids in groups:
        for id_ in ids:
            out.print(_said(lang, key, f"{id_} {what(by_id[id_], lang)}"), soft_wrap=True)
            told = True
    if not told:
        out.print(words(lang, "findings.unchanged"))


def _said(lang: Lang, key: str, text: str) -> str:
    return words(lang, key, what=text)


def what(finding: Finding, lang: Lang) -> str:
    """What failed where: the drill, in which arm, by whom, and which limit or check it was."""
    apart = [
        *([] if finding.arm in ("runbook", "any") else [finding.arm]),
        *([] if finding.target in ("local", "any") else [finding.target]),
        *([words(lang, "findings.by-hand")] if finding.operator == "human" else []),
    ]
    about = words(lang, "findings.loosened", about=finding.about) if finding.kind == "limit" else finding.about
    return f"{finding.drill}{f' ({LISTED[lang].join(apart)})' if apart else ''}: {about}"


def result(name: str, lang: Lang) -> str:
    """What came of a retest, in words."""
    return words(lang, f"result.{name}")


def _column(head: str, lang: Lang) -> Column:
    return Column(words(lang, f"findings.{head}"), no_wrap=head in ("id", "due"))


def _row(one: Standing, lang: Lang) -> tuple[str, ...]:
    finding = one.finding
    key = "findings.times.again" if finding.recurrences else "findings.times"
    times = {"n": finding.times, "date": finding.last_seen.date, "again": len(finding.recurrences)}
    detail = f" ({finding.detail})" if finding.detail else ""
    return (
        finding.id,
        words(lang, f"state.{one.state}"),
        words(lang, f"severity.{finding.severity}"),
        f"{what(finding, lang)}{detail}",
        finding.owner or DASH,
        str(finding.due or DASH),
        words(lang, key, **times),
    )


def _facts(one: Standing, lang: Lang) -> Iterator[tuple[str, str]]:
    finding = one.finding

    def head(name: str) -> str:
        return words(lang, f"findings.{name}")

    yield head("state"), words(lang, f"state.{one.state}")
    yield head("severity"), words(lang, f"severity.{finding.severity}")
    for name, text in (("detail", finding.detail), ("owner", finding.owner), ("due", finding.due)):
        if text is not None:
            yield head(name), str(text)
    for name, text in (("ticket", finding.ticket), ("cause", finding.cause), ("note", finding.note)):
        if text is not None:
            yield head(name), text
    yield head("first"), f"{finding.first_seen.date} {finding.first_seen.run}"
    yield head("last"), f"{finding.last_seen.date} {finding.last_seen.run}"
    for seen in finding.recurrences:
        yield head("recurred"), f"{seen.date} {seen.run}"
    yield from _ends(one, lang)


def _ends(one: Standing, lang: Lang) -> Iterator[tuple[str, str]]:
    finding = one.finding
    if (risk := finding.accepted) is not None:
        yield (
            words(lang, "findings.accepted"),
            words(
                lang,
                "findings.accepted.by",
                approver=risk.approver,
                since=risk.since,
                until=risk.until,
                reason=risk.reason,
            ),
        )
    for each in finding.retests:
        attempt = words(lang, "findings.attempt", date=each.date, run=each.run, result=result(each.result, lang))
        yield words(lang, "findings.retests"), attempt
    if finding.closed is not None:
        by = words(lang, "findings.closed.by", date=finding.closed.date, runs=LISTED[lang].join(finding.closed.by))
        yield words(lang, "findings.closed"), by
    elif finding.kind != "limit":
        so_far = len(passes_in_a_row(since_last_seen(finding, finding.retests)))
        needed = words(lang, "findings.needed", n=so_far, needed=NEEDED, id=finding.id)
        yield words(lang, "findings.retests"), needed
