"""The tables of a page: alerts, steps, damage, books, limits, and where the time went: words and numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import UNSET

from drills.domains.registry import DOMAINS
from drills.judge.milestones import Milestones
from drills.judge.scorecard import AlertCell, ObjectiveCell, Scorecard
from drills.record.history import History
from drills.record.unsupported import BOOKS
from reports.blocks import objective_name
from reports.card import judges
from reports.figures import DASH, amount, measured, seconds
from reports.pages.facts import Spent, Split, spent, unserved
from reports.pages.runbook import StepText
from reports.pages.story import Told
from reports.pages.words import known_word, word
from reports.texts import Lang, known
from reports.words import metric_name

REACTION_S, STEP_S = 300, 60
"""What the projection takes for a person: until the right runbook is open, and for each of its steps."""
ROW = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """An objective as a row; ``tone`` is ``pass``, ``fail`` or ``unknown``."""

    name: str
    limit: str
    measured: str
    headroom: str
    result: str
    why: str
    tone: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the time to recovery, ``share`` in per cent."""

    kind: str
    name: str
    seconds: str
    share: float


def alert_rows(card: Scorecard, lang: Lang) -> list[ROW]:
    """Number, time, rule, kind, what it led to."""
    return [
        (str(n), seconds(alert.t), alert.rule, _alert_kind(alert, lang), _led(alert, lang))
        for n, alert in enumerate(card.alerts, 1)
    ]


def _alert_kind(alert: AlertCell, lang: Lang) -> str:
    whose = "synthetic" if alert.synthetic else "for-fault" if alert.for_this_fault else "other"
    labels = [("severity", alert.severity), ("layer", alert.layer)]
    told = [known_word(lang, f"{name}.{value}", value) for name, value in labels if value]
    return " · ".join([*told, word(lang, f"alert.{whose}")])


def _led(alert: AlertCell, lang: Lang) -> str:
    if not alert.opened:
        return word(lang, "alert.nothing")
    ended = known(lang, f"ended.{alert.ended}", alert.ended) if alert.ended else known(lang, "ended.none", "")
    return word(lang, "alert.led", runbooks=" → ".join(alert.opened), ended=ended)


def step_rows(card: Scorecard, texts: Mapping[str, StepText], lang: Lang) -> list[ROW]:
    """Number, what, role, when, how long, outcome."""
    return [
        (
            str(n),
            texts[step.id].words(lang) if step.id in texts else step.id,
            texts[step.id].role if step.id in texts else DASH,
            seconds(step.start),
            word(lang, "step.open") if step.end is None else seconds(step.end - step.start),
            known(lang, f"outcome.{step.outcome}", step.outcome or DASH),
        )
        for n, step in enumerate(card.runbook.steps if card.runbook else [], 1)
    ]


def damage_rows(card: Scorecard, history: History, at: Milestones, told: Told, lang: Lang) -> list[ROW]:
    """What, in all, before and after the alert, before and after the first action, its limit."""
    if card.verdict == "invalid":
        return []
    rows = [(word(lang, "damage.unserved"), *_split(unserved(history, at)), _limited(card, "served_ratio", lang))]
    for name, split in told.harms.items():
        if split.whole or (name in DOMAINS.metrics and DOMAINS.metrics[name].always):
            rows.append((metric_name(lang, name), *_split(split), _limited(card, name, lang)))
    return rows


def _split(split: Split) -> ROW:
    whole, alert, step = split.whole, split.before_alert, split.before_step
    later = [None if whole is None or before is None else whole - before for before in (alert, step)]
    return tuple(DASH if n is None else f"{n:,}" for n in (whole, alert, later[0], step, later[1]))


def _limited(card: Scorecard, name: str, lang: Lang) -> str:
    """By what the harm is limited; accepted, with the reason; or nothing."""
    accepted = next((one for one in card.accepted if one.metric == name), None)
    if accepted is not None:
        return word(lang, "damage.accepted", reason=accepted.reason.get(lang) or accepted.reason.get("en", ""))
    if name in card.no_limit:
        return word(lang, "damage.no-limit")
    by = DOMAINS.metrics[name].harm if name in DOMAINS.metrics else None
    asked = {one.metric for one in card.objectives}
    if name in asked or (by is not None and by.limited_by & asked):
        return word(lang, "damage.limited")
    checks = {check.id for check in card.checks}
    return word(lang, "damage.counted") if by is not None and by.limited_by & checks else DASH


def book_rows(history: History, lang: Lang) -> list[ROW]:
    """Each book that the run should have: its name, who keeps it, how many rows."""
    run = history.run
    return [
        (
            book,
            word(lang, "books.own" if book in run.own_books else "books.witness"),
            f"{len(history.books[book]):,}" if book in history.books else word(lang, "books.missing"),
        )
        for book in (run.books or sorted(history.books))
    ]


def has_books(card: Scorecard) -> bool:
    """Whether the target offers any."""
    return BOOKS not in (card.unsupported or [])


def limit_rows(card: Scorecard, lang: Lang) -> list[Limit]:
    """Every objective."""
    return [_limit(one, lang) for one in card.objectives]


def _limit(one: ObjectiveCell, lang: Lang) -> Limit:
    key = "objective.at-least" if one.at_least else "objective.at-most"
    because = (one.because or {}).get(lang) or (one.because or {}).get("en", "")
    tone = one.verdict if one.verdict in ("pass", "fail") else "unknown"
    result = {"pass": "met", "fail": "missed"}.get(one.verdict)
    return Limit(
        objective_name(one, lang),
        word(lang, key, limit=amount(one.limit, one.unit)),
        measured(one.measured, one.unit, lang),
        _headroom(one, lang),
        word(lang, result) if result else word(lang, "check.n/a" if one.verdict == "n/a" else "unclear"),
        _why(one, because, lang),
        tone,
    )


def _why(one: ObjectiveCell, because: str, lang: Lang) -> str:
    who = "" if one.approved_by is UNSET else word(lang, "objective.approved", who=one.approved_by)
    return " · ".join(filter(None, (who, because))) or word(lang, "objective.no-reason")


def _headroom(one: ObjectiveCell, lang: Lang) -> str:
    """What is left at worst; where the limit was missed, by how much at least."""
    if one.headroom is None:
        return DASH
    least, most = one.headroom
    if least >= 0:
        return measured((least, least), one.unit, lang)
    key = "objective.short" if one.at_least else "objective.over"
    gap = -most if most < 0 else -least
    return word(lang, key, amount=measured((gap, gap), one.unit, lang))


def parts(found: Spent, card: Scorecard, lang: Lang) -> list[Part]:
    """The parts of the time to recovery, in the order in which they are told."""
    whole = found.whole or 1
    kinds = ("noticing", "people", "machine", "waiting")
    names = {kind: word(lang, f"spent.{kind}", who=_who(card, lang)) for kind in kinds}
    return [Part(kind, names[kind], seconds(each), round(100 * each / whole, 2)) for kind, each in _told(found, kinds)]


def _told(found: Spent, kinds: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    return ((kind, getattr(found, kind)) for kind in kinds)


def _who(card: Scorecard, lang: Lang) -> str:
    reaction = "" if card.operator.reaction_s is None else amount(card.operator.reaction_s, "s")
    return known_word(lang, f"spent.who.{card.operator.kind}", card.operator.kind).format(
        reaction=reaction, name=card.operator.name
    )


def estimate(found: Spent, card: Scorecard, lang: Lang) -> str:
    """What the same recovery may take in production: its monitoring windows, and a person on call."""
    steps = len({step.id for step in card.runbook.steps}) if card.runbook else 0
    if card.instants.t_alert is None or not steps or not found.over:
        return word(lang, "spent.estimate.unknown")
    factor = card.clock.compression
    human = card.operator.kind == "human"
    noticing, people = found.noticing * factor, found.people if human else REACTION_S + STEP_S * steps
    rest = found.machine + found.waiting
    said = word(
        lang,
        "spent.estimate.text",
        whole=minutes(noticing + people + rest, lang),
        noticing=minutes(noticing, lang),
        people=minutes(people, lang),
        rest=minutes(rest, lang),
        factor=factor,
        steps=steps,
    )
    return f"{said} {word(lang, 'spent.estimate.person')}" if human else said


def minutes(found: float, lang: Lang) -> str:
    """A time that nobody has measured, in minutes and full seconds."""
    whole = round(found)
    if whole < 60:
        return f"{whole} s"
    n, s = divmod(whole, 60)
    return word(lang, "unit.min-s", n=n, s=s) if s else word(lang, "unit.min", n=n)


def time_spent(card: Scorecard, history: History, at: Milestones) -> Spent | None:
    """Where the time went, of a run that judges."""
    return spent(history, at) if judges(card) else None
