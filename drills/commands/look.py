"""One look at a calendar: what is due is carried out, what was missed is written down, and receivers hear of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from drills import api
from drills.commands.entries import carried_out, requests, takes
from drills.commands.execution import error_of
from drills.commands.report import deliver_page, shown_run
from drills.commands.telling import Tell, Words, tell_all
from drills.errors import KunrenError
from drills.execution.turn import MACHINE, Machine, NotOurTurn
from drills.exits import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN, complain
from drills.fleet.fleet import Outcome
from drills.judge.unjudged import judges
from drills.record import dates as record
from drills.record.dates import Journal, Ran, Reason, because
from drills.record.folder import evidence_number
from drills.record.names import CARD
from drills.schedule import look as looking
from drills.schedule.clock import DAY, minutes_of
from drills.schedule.dates import Date, dates
from drills.schedule.notify import send
from drills.spec.drill import name_of
from drills.spec.planning import expectation
from drills.spec.request import RunRequest
from drills.spec.schedulefile import Entry, Schedule
from drills.verification import verify_arm
from reports import notices
from reports.calendar_words import on, say, why
from reports.texts import Lang
from targets.cache import NoCache, scratch

AHEAD = 40 * DAY
"""So far ahead the journal knows the next date of each entry."""
TURN_S = 30.0
"""Seconds that a look waits for whoever drills; the next look tries again."""

Clock = Callable[[], datetime]
Carry = Callable[[RunRequest, bool], Outcome]
"""Carries out one run, once more where it could not judge and that is asked for."""
Draw = Callable[[], int]
"""The seed of a date."""
Says = Callable[[str], None]
"""Prints one line for people."""


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Calendar:
    """A schedule among its runs. The rest are its seams: the time, how a run is carried out, how somebody is told."""

    schedule: Schedule
    runs: Path
    lang: Lang
    says: Says
    draw: Draw
    sha256: str
    clock: Clock = utc_now
    carry: Carry = carried_out
    tell: Tell = send
    machine: Machine = MACHINE
    turn_s: float = TURN_S
    cut: BaseException | None = None
    _codes: list[int] = field(default_factory=list)

    @property
    def journal(self) -> Journal:
        """Of its runs."""
        return Journal(self.runs)

    def planned(self, ahead: timedelta, entries: Sequence[record.Entry]) -> list[Date]:
        """Dates from the first that may still be open on."""
        today = self._today()
        first = min(looking.since(self.schedule.name, entries, today), today)
        return dates(self.schedule, first, today + ahead, lambda entry: takes(entry, self.runs))

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not self._codes

    def once(self) -> int:
        """Carry out what is due by now, one after the other; the exit code. ``cut`` is what cut it short."""
        with self.journal.alone() as ours:
            if not ours:
                self.says(say(self.lang, "once.elsewhere"))
                return EXIT_PASS
            self._watch()
            tried: set[tuple[str, object]] = set()
            while self.cut is None:
                found = self._look()
                due = next((each for each in found.due if (each.entry, each.of) not in tried), None)
                if due is None:
                    break
                tried.add((due.entry, due.of))
                self._take_turn(due)
        return EXIT_FAIL if EXIT_FAIL in self._codes else max(self._codes, default=EXIT_PASS)

    def _watch(self) -> None:
        """Write down that the file is looked at from now on as it is."""
        known = looking.watched_since(self.schedule.name, self.journal.entries())
        if known is None or known[1] != self.sha256:
            self._write(record.WATCHED, sha256=self.sha256)

    def _look(self) -> looking.Look:
        """What is due; what was missed or passed is written down and told, and so is what comes next."""
        entries = self.journal.entries()
        found = looking.look(self.schedule.name, self.planned(AHEAD, entries), entries, self.clock())
        for each in found.missed:
            self._miss(each)
        for each in found.passed:
            self._write(each.what, entry=each.entry, of=each.of, reason=each.reason, start=each.start)
        for coming in found.planned:
            self._write_date(record.PLANNED, coming)
        return found

    def _miss(self, each: looking.Passed) -> None:
        self._write(each.what, entry=each.entry, of=each.of, reason=each.reason, start=each.start)
        self._codes.append(EXIT_UNKNOWN)
        words = why(self.lang, each.reason)
        complain(say(self.lang, "once.missed", entry=each.entry, of=on(self.lang, each.of), why=words))
        entry = self._entry(each.entry)
        about = notices.Told(self.schedule.name, each.entry, each.of, "local" if entry is None else entry.target)
        self._tell_all([notices.MISSED], each.entry, lambda lang: notices.missed(about, each.reason, lang))

    def _take_turn(self, due: Date) -> None:
        try:
            with self.machine.for_itself(self.turn_s):
                self._drill(due)
        except NotOurTurn as busy:
            latest = due.latest.astimezone(self.schedule.form.zone)
            words = {"entry": due.entry, "of": on(self.lang, due.of), "latest": f"{latest:%H:%M}"}
            complain(say(self.lang, "once.postponed", holders=busy.holders, **words))
            self._codes.append(EXIT_PASS)
            mine = (self.schedule.name, due.entry, due.of)
            before = [each for each in self.journal.entries() if (each.schedule, each.entry, each.of) == mine]
            if not before or before[-1].what != record.POSTPONED:
                self._write_date(record.POSTPONED, due, reason=because("busy", holders=busy.holders))

    def _drill(self, due: Date) -> None:
        entry = self._entry(due.entry)
        assert entry is not None  # the date is of this schedule
        about = self._about(entry, due)
        drills = ", ".join(f"{drill} {arm}" for drill, arm in about.runs)
        self.says(say(self.lang, "once.begins", entry=entry.name, drills=drills, minutes=about.minutes))
        self._write_date(record.BEGAN, due)
        self._tell_all([notices.BEFORE], entry.name, lambda lang: notices.before(about, lang))
        ran, incomplete = self._run_all(entry, due)
        self._write_date(record.ENDED if ran else record.MISSED, due, runs=ran, reason=incomplete)
        self._codes.append(_code(ran, incomplete))
        if incomplete is not None:
            words = {"entry": entry.name, "of": on(self.lang, due.of), "why": why(self.lang, incomplete)}
            complain(say(self.lang, "once.incomplete" if ran else "once.missed", **words))
        found = [notices.FINDING] if notices.found_something(ran) else []
        lacks = [notices.MISSED] if incomplete is not None else []
        with ExitStack() as kept:
            self._tell_all(
                [notices.AFTER, *found, *lacks],
                entry.name,
                lambda lang: notices.after(about, ran, incomplete, lang),
                self._page(entry, ran, kept),
            )

    def _page(self, entry: Entry, ran: Sequence[Ran], kept: ExitStack) -> list[Path]:
        """The page of the runs as a file, where somebody who is told wants it; the cards where none can be made.

        It is there as long as ``kept`` is open.
        """
        folders = [self.runs / each.run for each in ran]
        if not folders or not any(each.attach for each in self.schedule.told(entry.name)):
            return []
        try:
            file = kept.enter_context(scratch("page-")) / "drill.html"
            deliver_page([shown_run(folder) for folder in folders], str(file), None, self.lang)
        except (KunrenError, NoCache) as error:
            complain(str(error))
            return [folder / CARD for folder in folders]
        return [file]

    def _run_all(self, entry: Entry, due: Date) -> tuple[list[Ran], Reason | None]:
        """What came of its runs, and why not all of them took place."""
        ends, ran = due.latest + due.takes, list[Ran]()
        for request in requests(entry, self.draw(), self.runs):
            at_most = timedelta(seconds=api.forecast(request))
            if self.clock() + at_most > ends:
                return ran, because("window-over")
            try:
                outcome = self.carry(request, self.clock() + 2 * at_most <= ends)
            except KunrenError as error:
                return ran, because("refused", message=str(error))
            if outcome.cards:
                ran.append(self._ran(request, outcome))
                self.says(f"  {ran[-1].drill} {ran[-1].arm}: {ran[-1].verdict} ({notices.mark(self.lang, ran[-1])})")
            if outcome.cut is not None:
                return ran, self._was_cut(outcome.cut)
        return ran, None

    def _was_cut(self, cut: api.Cut) -> Reason:
        if cut.how is api.How.REFUSED:
            return because("refused", message=cut.message)
        self.cut = error_of(cut)
        return because("stopped", how=str(cut.how))

    def _ran(self, request: RunRequest, outcome: Outcome) -> Ran:
        card = outcome.cards[-1]
        row = verify_arm(request.drill, card, evidence_number(self.runs / card.run))
        wanted = expectation(request.drill, request.arm)
        declared = "" if wanted is None else wanted.verdict
        return Ran(name_of(request.drill), card.arm, card.verdict, row.as_declared, card.run, row.red, declared)

    def _about(self, entry: Entry, due: Date) -> notices.Told:
        runs = tuple((name_of(each.drill), str(each.arm)) for each in requests(entry, 0, self.runs))
        return notices.Told(
            self.schedule.name,
            entry.name,
            due.of,
            entry.target,
            minutes_of(due.takes),
            runs,
            {name_of(part.drill): part.drill.title for part in entry.parts},
            self.schedule.form.link,
        )

    def _tell_all(self, occasions: Sequence[str], entry: str, message: Words, files: Sequence[Path] = ()) -> None:
        """Whoever wants to hear of one of the occasions; who could not be told is said and written down."""
        wanted = [each for each in self.schedule.told(entry) if set(each.on) & set(occasions)]
        for receiver, problem in tell_all(wanted, message, self.tell, files):
            if problem is not None:
                complain(say(self.lang, "once.not-told", receiver=receiver.name, problem=problem))
                reason = because("not-told", problem=problem)
                self._write(record.NOT_TOLD, entry=entry, receiver=receiver.name, reason=reason)

    def _entry(self, name: str) -> Entry | None:
        return next((each for each in self.schedule.entries if each.name == name), None)

    def _write_date(self, what: str, due: Date, *, runs: Sequence[Ran] = (), reason: Reason | None = None) -> None:
        entry = self._entry(due.entry)
        self.journal.append(
            record.Entry(
                at=self.clock(),
                what=what,
                schedule=self.schedule.name,
                entry=due.entry,
                of=due.of,
                start=due.start,
                latest=due.latest,
                takes_s=round(due.takes.total_seconds()),
                drills=[] if entry is None else [part.drill.called for part in entry.parts],
                reason=reason,
                runs=list(runs),
            )
        )

    def _write(self, what: str, **fields: Any) -> None:
        self.journal.append(record.Entry(at=self.clock(), what=what, schedule=self.schedule.name, **fields))

    def _today(self) -> date:
        return self.clock().astimezone(self.schedule.form.zone).date()


def _code(ran: Sequence[Ran], incomplete: Reason | None) -> int:
    if notices.found_something(ran):
        return EXIT_FAIL
    judged = all(each.as_declared or judges(each.verdict) for each in ran)
    return EXIT_PASS if incomplete is None and judged else EXIT_UNKNOWN
