"""What happened, in four sentences: what struck and was noticed, who was not served, who was harmed, how it ended.

Each number in them is in ``Told``, so that a test can count it again from the samples and the books.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from drills.domains.registry import DOMAINS
from drills.judge.milestones import Milestones, start
from drills.judge.scorecard import CheckCell, Scorecard
from drills.record.arm import NOTHING_BROKEN
from drills.record.history import History
from drills.record.unsupported import ALERTS
from reports.blocks import objective_name
from reports.card import was_watched
from reports.figures import amount, seconds
from reports.pages.facts import Disruption, Served, Split, disruption, harmful_actions, harms, served, together
from reports.pages.words import word
from reports.texts import Lang
from reports.words import LISTED, metric_name, sentence

AT_ONCE = 0.05
"""Seconds between fault and impact that nobody tells apart."""
SHOWN_FAILED = 2
"""How many failed checks a story tells."""
OF_BOOKS = ("acknowledged_orders_lost", "duplicated", "phantom_orders", "wrong_figures_acted_on")
"""Metrics behind "nobody was harmed"."""


@dataclass(frozen=True, slots=True)
class Told:
    """The numbers of a story."""

    whole: Served
    outage: Disruption | None
    actions: Split
    harms: dict[str, Split]
    lag: float | None  # seconds from the fault to the first impact
    detect: tuple[float, float] | None  # from the impact, else from the fault
    met: int
    of: int


def told(history: History, card: Scorecard, at: Milestones) -> Told:
    """Counted anew from the history, but for what the card judges."""
    judged = [one for one in card.objectives if one.verdict != "n/a"]
    begun = start(at)
    lag = None if at.impact is None or at.inject is None else max(0.0, at.impact.since(at.inject).seconds()[1])
    return Told(
        whole=together(list(served(history).values())),
        outage=disruption(history, at),
        actions=harmful_actions(history, at),
        harms=harms(history, at),
        lag=lag,
        detect=None if at.alert is None or begun is None else at.alert.since(begun).seconds(),
        met=sum(one.verdict == "pass" for one in judged),
        of=len(judged),
    )


def story(card: Scorecard, numbers: Told, lang: Lang) -> list[str]:
    """Four sentences; each may have a subordinate one."""
    return [
        _struck(card, numbers, lang),
        _served(card, numbers, lang),
        _harmed(card, numbers, lang),
        _ended(card, numbers, lang),
    ]


def _struck(card: Scorecard, numbers: Told, lang: Lang) -> str:
    if card.arm in NOTHING_BROKEN:
        return word(lang, f"story.control.{card.arm}", noticed=_pages(card, lang))
    title = card.title.get(lang) or card.title.get("en") or card.drill
    return word(lang, "story.struck", title=title, noticed=_noticed(card, numbers, lang))


def _pages(card: Scorecard, lang: Lang) -> str:
    if ALERTS in (card.unsupported or []) or not was_watched(card):
        return ""
    real = sum(not alert.synthetic for alert in card.alerts)
    return word(lang, "story.pages", n=real) if real else word(lang, "story.pages.none")


def _noticed(card: Scorecard, numbers: Told, lang: Lang) -> str:
    late = numbers.lag is not None and numbers.lag > AT_ONCE
    lag = word(lang, "lag.after", seconds=seconds(numbers.lag)) if late else word(lang, "lag.at-once")
    if ALERTS in (card.unsupported or []) or not was_watched(card):
        return word(lang, "story.alert.unheard", lag=lag)
    if numbers.detect is None:
        return word(lang, "story.alert.none" if numbers.lag is None else "story.alert.never", lag=lag)
    detect = numbers.detect[1]
    how = "calm" if numbers.lag is None else "before" if detect < 0 else "after"
    return word(lang, f"story.alert.{how}", lag=lag, detect=seconds(abs(detect)))


def _served(card: Scorecard, numbers: Told, lang: Lang) -> str:
    if not numbers.whole.sent:
        return word(lang, "story.served.nobody")
    if numbers.outage is None:
        return word(lang, "story.served.calm", bad=_n(numbers.whole.unserved), of=_n(numbers.whole.sent))
    found = numbers.outage.served
    closed = word(lang, "story.served.closed", n=_n(found.closed)) if found.closed else ""
    key = "story.served" if numbers.outage.back else "story.served.never"
    back = card.span("available")
    took = seconds(numbers.outage.seconds if back is None else back[1])
    return word(lang, key, seconds=took, bad=_n(found.unserved), of=_n(found.sent), closed=closed)


def _harmed(card: Scorecard, numbers: Told, lang: Lang) -> str:
    if numbers.actions.whole is None or any(card.number(name) is None for name in OF_BOOKS):
        return word(lang, "story.harm.unseen")
    counted = {name: split.whole for name, split in numbers.harms.items() if split.whole}
    acts = {kind.metric for kind in DOMAINS.harms if kind.action}
    mine = {name: n for name, n in counted.items() if name in acts}
    lost = {name: int(card.number(name) or 0) for name in ("acknowledged_orders_lost", "phantom_orders")}
    also = {name: n for name, n in counted.items() if name not in acts} | {name: n for name, n in lost.items() if n}
    if not mine and not also:
        exposed, found = _n(int(card.number("acknowledged_orders") or 0)), _found(card, lang)
        return word(lang, "story.harm.but" if found else "story.harm.none", exposed=exposed, found=found)
    names = LISTED[lang].join(metric_name(lang, name) for name in card.no_limit)
    besides = word(lang, "story.harm.also", parts=_parts(card, also, lang)) if also and mine else ""
    besides += word(lang, "story.harm.no-limit", names=names) if names else ""
    besides += _found(card, lang)
    if not mine:
        return word(lang, "story.harm.only", parts=_parts(card, also, lang), besides=besides)
    return _to_put_right(card, numbers, mine, besides, lang)


def _to_put_right(card: Scorecard, numbers: Told, mine: dict[str, int], besides: str, lang: Lang) -> str:
    whole, before = numbers.actions.whole or 0, numbers.actions.before_step
    if before is None:
        after = word(lang, "story.harm.idle")
    else:
        left = whole - before
        how = "after.none" if not left else "after.all" if left == whole else "after"
        how += ".1" if whole == 1 else ""
        after = word(lang, f"story.harm.{how}", n=_n(left))
    return word(
        lang,
        "story.harm.right.1" if whole == 1 else "story.harm.right",
        n=_n(whole),
        yen=amount(card.number("affected_yen"), "yen"),
        parts=word(lang, "story.harm.parts", parts=_parts(card, mine, lang)),
        after=after,
        besides=besides,
    )


def _parts(card: Scorecard, counted: dict[str, int], lang: Lang) -> str:
    """``acted on wrong figures 132, orders and postings made twice 3 (accepted beforehand)``."""
    accepted = {one.metric for one in card.accepted}
    return LISTED[lang].join(
        word(lang, "story.part.accepted" if name in accepted else "story.part", name=metric_name(lang, name), n=_n(n))
        for name, n in counted.items()
    )


def _ended(card: Scorecard, numbers: Told, lang: Lang) -> str:
    limits = _limits(card, numbers, lang)
    available, recover = card.span("available"), card.span("recover")
    if card.arm in NOTHING_BROKEN:
        return word(lang, "story.end.quiet", limits=limits)
    if card.prevented:
        return word(lang, "story.end.prevented", limits=limits)
    if numbers.outage is None:
        return _calm_end(recover, limits, lang)
    if available is None:
        return word(lang, "story.end.never", limits=limits)
    back = seconds(max(0.0, available[1]))
    if recover is None:
        return word(lang, "story.end.not-right", available=back, limits=limits)
    how = "wrong" if _failed(card) else "recovered"
    return word(lang, f"story.end.{how}", available=back, recover=seconds(recover[1]), limits=limits)


def _calm_end(recover: tuple[float, float] | None, limits: str, lang: Lang) -> str:
    if recover is None:
        return word(lang, "story.end.unknown", limits=limits)
    if not any(recover):
        return word(lang, "story.end.quiet", limits=limits)
    return word(lang, "story.end.at-once", recover=seconds(recover[1]), limits=limits)


def _limits(card: Scorecard, numbers: Told, lang: Lang) -> str:
    """How many limits were met, and which not."""
    missed = [objective_name(one, lang) for one in card.objectives if one.verdict not in ("pass", "n/a")]
    how = "no" if not numbers.of else "all" if not missed else "some" if numbers.met else "none"
    names = LISTED[lang].join(missed)
    return word(lang, f"limits.{how}", met=numbers.met, of=numbers.of, names=names)


def _failed(card: Scorecard) -> list[CheckCell]:
    """The checks of customers and money that failed."""
    return [check for check in card.checks if check.verdict == "fail" and not check.validity]


def _found(card: Scorecard, lang: Lang) -> str:
    """What they found, the first of them; empty where none failed."""
    failed = [in_short(check, lang) for check in _failed(card)]
    more = [word(lang, "story.more", n=len(failed) - SHOWN_FAILED)] if len(failed) > SHOWN_FAILED else []
    found = LISTED[lang].join([*failed[:SHOWN_FAILED], *more])
    return word(lang, "story.harm.found", found=found) if found else ""


def in_short(check: CheckCell, lang: Lang) -> str:
    """The first thing that it found."""
    return sentence(lang, replace(check, counts=[each for each in check.counts if each.bad][:1]))


def _n(number: int) -> str:
    return f"{number:,}"
