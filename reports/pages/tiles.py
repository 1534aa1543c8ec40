"""The five numbers of a run, each with what it has to be read with."""

from __future__ import annotations

from dataclasses import dataclass

from drills.domains.registry import DOMAINS
from drills.judge.harm import HarmKind
from drills.judge.scorecard import ObjectiveCell, Scorecard
from drills.record.unsupported import ALERTS, BOOKS
from reports.blocks import limit_of
from reports.card import judges
from reports.figures import DASH, measured, seconds, span
from reports.pages.story import Told
from reports.pages.words import word
from reports.texts import Lang

RESULTS = {"pass": "met", "fail": "missed"}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its name, what stands below it, and whether it is ``bad`` (a limit was missed, harm was done)."""

    name: str
    value: str
    below: list[str]
    bad: bool


def tiles(card: Scorecard, told: Told, lang: Lang) -> list[Tile]:
    """Harm, noticing, recovery, service, limits; dashes in a run that cannot judge."""
    return [
        _harm(card, told, lang),
        _noticed(card, lang),
        _back(card, lang),
        _served(card, told, lang),
        _limits(card, told, lang),
    ]


def _harm(card: Scorecard, told: Told, lang: Lang) -> Tile:
    name, whole = word(lang, "five.harm"), told.actions.whole
    if whole is None or BOOKS in (card.unsupported or []) or not judges(card):
        return Tile(name, DASH, [word(lang, "unknown")], bad=False)
    before = told.actions.before_step
    below = word(lang, "five.harm.idle") if before is None else word(lang, "five.harm.sub", n=f"{whole - before:,}")
    accepted = {one.metric for one in card.accepted}
    ill = sum(told.harms[kind.metric].whole or 0 for kind in DOMAINS.harms if _counts(kind, told) - accepted)
    return Tile(name, f"{whole:,}", [below], bad=ill > 0)


def _counts(kind: HarmKind, told: Told) -> set[str]:
    """The metric of a kind of harm that makes a transaction to be put right; nothing for others."""
    return {kind.metric} if kind.action and kind.metric in told.harms else set()


def _noticed(card: Scorecard, lang: Lang) -> Tile:
    name = word(lang, "five.noticed")
    if ALERTS in (card.unsupported or []):
        return Tile(name, DASH, [word(lang, "alerts.unsupported")], bad=False)
    found, since = card.span("detect"), card.span("detect_from_inject")
    limit = _limit(card, "detect", lang, "five.noticed.limit") or [word(lang, "five.noticed.none")]
    bad = _missed(card, "detect")
    if found is None:
        never = judges(card) and card.instants.t_inject is not None
        return Tile(name, word(lang, "five.noticed.never") if never else DASH, limit, bad)
    value = span(found, lang) if found[1] < 0 else measured(found, "s", lang)
    return Tile(name, value, _since_fault(since, lang) + limit, bad)


def _since_fault(since: tuple[float, float] | None, lang: Lang) -> list[str]:
    if since is None:
        return []
    early = since[0] < 0
    return [span(since, lang, "fault") if early else word(lang, "five.noticed.inject", seconds=measured(since, "s"))]


def _back(card: Scorecard, lang: Lang) -> Tile:
    name = word(lang, "five.back")
    if not judges(card) or card.instants.t_inject is None:
        return Tile(name, DASH, [], bad=False)
    ends = [_end(card.span(metric), lang) for metric in ("available", "recover")]
    value = ends[0] if card.prevented else " → ".join(ends)
    limit = _limit(card, "recover", lang, "five.back.sub") or [word(lang, "five.back.none")]
    return Tile(name, value, limit, _missed(card, "recover"))


def _end(found: tuple[float, float] | None, lang: Lang) -> str:
    if found is None:
        return word(lang, "five.back.never")
    return word(lang, "five.back.unneeded") if found == (0, 0) else seconds(max(0.0, found[1]))


def _served(card: Scorecard, told: Told, lang: Lang) -> Tile:
    name = word(lang, "five.served")
    if card.verdict == "invalid" or not told.whole.sent:
        return Tile(name, DASH, [], bad=False)
    if told.outage is None:
        found, below = told.whole, word(lang, "five.served.calm")
    else:
        found = told.outage.served
        key = "five.served.sub" if found.closed else "five.served.open"
        below = word(lang, key, closed=f"{found.closed:,}")
    value = word(lang, "five.served.of", bad=f"{found.unserved:,}", of=f"{found.sent:,}")
    return Tile(name, value, [below], _missed(card, "served_ratio"))


def _limits(card: Scorecard, told: Told, lang: Lang) -> Tile:
    name = word(lang, "five.limits")
    if not judges(card):
        return Tile(name, DASH, [], bad=False)
    value = word(lang, "five.limits.of", met=told.met, of=told.of)
    below = word(lang, "five.limits.sub", n=len(card.no_limit))
    return Tile(name, value, [below], told.met < told.of or bool(card.no_limit))


def _limit(card: Scorecard, metric: str, lang: Lang, key: str) -> list[str]:
    one = _objective(card, metric)
    if one is None or one.verdict == "n/a":
        return []
    return [word(lang, key, limit=limit_of(one), verdict=word(lang, RESULTS.get(one.verdict, "unclear")))]


def _missed(card: Scorecard, metric: str) -> bool:
    one = _objective(card, metric)
    return one is not None and one.verdict == "fail"


def _objective(card: Scorecard, metric: str) -> ObjectiveCell | None:
    return next((one for one in card.objectives if one.id == metric), None)
