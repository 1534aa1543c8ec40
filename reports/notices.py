"""Messages to receivers of the calendar: before a drill, after it, when it found something, when one was missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from drills.judge.unjudged import judges
from drills.record.dates import Ran, Reason
from drills.spec.reader import Words
from drills.spec.scheduleform import OCCASIONS
from reports.calendar_words import on, say, target, why
from reports.history_words import verdict_words
from reports.texts import Lang
from reports.words import LISTED, arm_name, metric_name

BEFORE, AFTER, FINDING, MISSED = OCCASIONS


@dataclass(frozen=True, slots=True)
class Told:
    """What a message is about: one date of an entry. ``link`` has the places {run} and {drill}.

    ``runs``: drill and arm of each run; ``titles``: drill -> what it is called.
    """

    schedule: str
    entry: str
    of: date
    target: str
    minutes: int = 0
    runs: tuple[tuple[str, str], ...] = ()
    titles: Mapping[str, Words] = field(default_factory=dict)
    link: str | None = None

    def title(self, drill: str, lang: Lang) -> str:
        """Of a drill; its name where nobody knows more."""
        return self.titles[drill].say(lang) if drill in self.titles else drill


def before(about: Told, lang: Lang) -> tuple[str, str]:
    """Title and body, as of all below."""
    title = say(lang, "told.before.title", entry=about.entry)
    lead = say(lang, "told.before", minutes=about.minutes, target=target(lang, about.target))
    runs = [
        say(lang, "told.drill", title=about.title(drill, lang), drill=drill, arm=arm_name(lang, arm))
        for drill, arm in about.runs
    ]
    return title, "\n".join([lead, *runs, "", _foot(about, lang)])


def after(about: Told, runs: Sequence[Ran], incomplete: Reason | None, lang: Lang) -> tuple[str, str]:
    """What came of it; ``incomplete``: why not all runs took place."""
    lines = [line for each in runs for line in _run(about, each, lang)]
    if incomplete is not None:
        lines.append(say(lang, "told.incomplete", why=why(lang, incomplete)))
    title = say(lang, f"told.{_kind(runs, incomplete)}.title", entry=about.entry, of=on(lang, about.of))
    return title, "\n".join([*lines, "", _foot(about, lang)])


def missed(about: Told, reason_: Reason, lang: Lang) -> tuple[str, str]:
    """That it did not take place."""
    title = say(lang, "told.missed.title", entry=about.entry, of=on(lang, about.of))
    return title, f"{say(lang, 'told.missed', of=on(lang, about.of), why=why(lang, reason_))}\n\n{_foot(about, lang)}"


def test(schedule: str, occasions: Sequence[str], lang: Lang) -> tuple[str, str]:
    """Whether messages arrive."""
    named = LISTED[lang].join(say(lang, f"occasion.{each}") for each in occasions)
    return say(lang, "told.test.title"), say(lang, "told.test", schedule=schedule, occasions=named)


def mark(lang: Lang, ran: Ran) -> str:
    """Whether the run did as its drill declares."""
    if ran.as_declared:
        return say(lang, "ran.as-declared")
    return say(lang, "ran.not-as-declared" if judges(ran.verdict) else "ran.cannot-judge")


def found_something(runs: Sequence[Ran]) -> bool:
    """Whether a run that could judge did otherwise than declared."""
    return any(not each.as_declared and judges(each.verdict) for each in runs)


def _kind(runs: Sequence[Ran], incomplete: Reason | None) -> str:
    if found_something(runs):
        return FINDING
    if not runs:
        return MISSED
    return AFTER if incomplete is None and all(each.as_declared for each in runs) else "unjudged"


def _run(about: Told, ran: Ran, lang: Lang) -> list[str]:
    verdict = verdict_words(lang, ran.verdict)
    lines = [
        say(
            lang,
            "told.run",
            title=about.title(ran.drill, lang),
            drill=ran.drill,
            arm=arm_name(lang, ran.arm),
            verdict=verdict,
        )
    ]
    if not ran.as_declared:
        lines.append("  " + _otherwise(lang, ran))
    where = about.link.replace("{run}", ran.run).replace("{drill}", ran.drill) if about.link else ran.run
    return [*lines, "  " + say(lang, "told.where", run=where)]


def _otherwise(lang: Lang, ran: Ran) -> str:
    """What is wrong about it: what was not met, why it could not judge, or what should have been."""
    if ran.verdict == "pass":
        return say(lang, "told.grade" if ran.declared == "pass" else "told.vacuous")
    red = LISTED[lang].join(metric_name(lang, each) for each in ran.red) or ran.verdict
    if ran.verdict != "fail":
        return say(lang, "told.cause", red=red)
    return say(lang, "told.reason" if ran.declared == "fail" else "told.red", red=red)


def _foot(about: Told, lang: Lang) -> str:
    return say(lang, "told.foot", schedule=about.schedule, target=target(lang, about.target))
