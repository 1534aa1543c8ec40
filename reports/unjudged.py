"""What reports say of a run that cannot judge: the cause, what to do, and how much cannot be answered because of it."""

from __future__ import annotations

from drills.judge.scorecard import CheckCell, Scorecard
from reports.ends import ended
from reports.fixes import fix_text
from reports.texts import Lang, say
from reports.words import sentence

ENDED_BY = "end.with-words"
"""Its words are what ended a run early: they are the cause, that it ended is not."""


def cause(card: Scorecard, lang: Lang) -> str:
    """The first thing that kept the run from being judged."""
    causes = card.cannot_judge.causes if card.cannot_judge else []
    check = first_cause(card)
    if not causes:
        return say(lang, "why.nothing")
    if check is None:
        within = card.cannot_judge is not None and card.cannot_judge.fix == "objective.within"
        return say(lang, "why.within" if within else "why.unmeasured", name=causes[0])
    why = next((reason for reason in check.reasons if reason.id == ENDED_BY), None)
    return sentence(lang, check) if why is None else ended(lang, str(why.values["words"]))


def first_cause(card: Scorecard) -> CheckCell | None:
    """The check behind it; None where it is an objective, or nothing was asked."""
    causes = card.cannot_judge.causes if card.cannot_judge else []
    return next((check for check in card.checks if check.id in causes[:1]), None)


def fix(card: Scorecard, lang: Lang) -> str:
    """What to do about it."""
    return fix_text(lang, card.cannot_judge.fix if card.cannot_judge else "", card.verdict)


def further_causes(card: Scorecard) -> list[CheckCell]:
    """Checks that failed for a reason of their own, beside the first cause."""
    causes = card.cannot_judge.causes[1:] if card.cannot_judge else []
    return [check for check in card.checks if check.id in causes]


def follows(card: Scorecard, lang: Lang) -> str:
    """How many more cannot be answered because of that, in words; empty where none."""
    if card.cannot_judge is None:
        return ""
    counts = {"checks": card.cannot_judge.checks, "objectives": card.cannot_judge.objectives}
    words = {name: _counted(lang, name, n) for name, n in counts.items() if n}
    if len(words) == len(counts):
        return say(lang, "cannot-judge.follows", **words)
    return "".join(say(lang, "cannot-judge.follows.one", some=some) for some in words.values())


def _counted(lang: Lang, name: str, n: int) -> str:
    return say(lang, f"cannot-judge.{name}.1" if n == 1 else f"cannot-judge.{name}", n=n)
