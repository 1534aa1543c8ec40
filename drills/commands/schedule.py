"""The verbs of the calendar: which drills take place when and why not, what is due now, what became of the dates."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from drills.commands.common import DEFAULT_RUNS, Lang, Runs, as_json, console, language, say, write
from drills.commands.entries import takes
from drills.commands.execution import drawn_seed, leave
from drills.commands.exporting import FORMATS, exported
from drills.commands.look import Calendar, utc_now
from drills.commands.telling import tell_all
from drills.errors import Refused
from drills.exits import EXIT_FAIL, complain
from drills.record.dates import Journal, fates
from drills.schedule.clock import DAY, EVERY_MINUTES
from drills.schedule.dates import dates
from drills.schedule.notify import send
from drills.spec.calendarkinds import day_of
from drills.spec.schedulefile import FILE, Receiver, Schedule, load_schedule
from reports import calendar as shown
from reports import notices
from reports.calendar_words import at, on
from reports.calendar_words import say as words
from reports.texts import Lang as Language

LONGEST = 1000
"""Days that are shown at most."""

File = Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="The schedule.")]
Days = Annotated[int, typer.Option("--days", min=1, max=LONGEST, help="How many days.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
USUAL = Path(FILE)


def register(app: typer.Typer) -> None:
    """Add the verbs of this family."""
    verbs = typer.Typer(
        help="The calendar of drills: which take place when, what is due, what was missed.", no_args_is_help=True
    )
    verbs.command("next", epilog="Example: kunren schedule next --days 30 --lang ja")(show_next)
    verbs.command("past", epilog="Example: kunren schedule past --days 90 --json")(show_past)
    verbs.command(
        "run", epilog="Example: kunren schedule run --once (every few minutes: kunren schedule export --cron)"
    )(run_due)
    verbs.command(
        "export",
        epilog="Examples: kunren schedule export --systemd --to /etc/systemd/system · kunren schedule export --cron ·"
        " kunren schedule export --ics --days 90 --to drills.ics",
    )(export)
    verbs.command("tell", epilog="Example: kunren schedule tell")(tell)
    app.add_typer(verbs, name="schedule")


def show_next(
    file: File = USUAL,
    days: Days = 30,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, such as 2027-04-26; default: today.")
    ] = None,
    json: JsonFlag = False,
    lang: Lang = "en",
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Say what will run when, and what will not run and why."""
    said, schedule = language(lang), load_schedule(file)
    first = _day(since) if since is not None else _today(schedule)
    last = first + (days - 1) * DAY
    found = dates(schedule, first, last, lambda entry: takes(entry, runs))
    if json:
        write(as_json(shown.document(schedule.name, schedule.form.zone, first, last, found)), "-")
        return
    shown.print_next(console(to_stderr=False), schedule.name, schedule.form.zone, first, last, found, said)


def show_past(
    file: File = USUAL, days: Days = 30, json: JsonFlag = False, lang: Lang = "en", runs: Runs = DEFAULT_RUNS
) -> None:
    """Say what became of the dates: done, missed, not due, and why. Exit 1 when one was missed."""
    said, schedule = language(lang), load_schedule(file)
    since = _today(schedule) - days * DAY
    found = [each for each in fates(Journal(runs).entries()) if each.schedule == schedule.name and each.of >= since]
    if json:
        write(as_json({"schema": "kunren.dates/1", "schedule": schedule.name, "dates": found}), "-")
    else:
        shown.print_past(console(to_stderr=False), schedule.form.zone, found, said)
    raise typer.Exit(EXIT_FAIL if any(each.missed for each in found) else 0)


def run_due(
    file: File = USUAL,
    once: Annotated[bool, typer.Option("--once", help="One look; kunren has no daemon.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Not a word where nothing is due.")] = False,
    lang: Lang = "en",
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Carry out what is due by now and leave; for cron, timers and schedulers. Nothing due: exit 0, within seconds.

    Exit 0: nothing due, or all as declared · 1: a drill found something · 2: a date was missed, or cannot be judged.
    """
    if not once:
        raise Refused("say --once: kunren has no daemon", "kunren schedule export --systemd or --cron looks regularly")
    said, schedule = language(lang), load_schedule(file)
    looks = Calendar(schedule, runs, said, say, lambda: drawn_seed(None), schedule.sha256)
    code = looks.once()
    if not (quiet and looks.idle):
        _say_next(looks, said)
    if looks.cut is not None:
        leave(looks.cut)
    raise typer.Exit(code)


def _say_next(looks: Calendar, lang: Language) -> None:
    """What comes next."""
    zone, now = looks.schedule.form.zone, looks.clock()
    coming = [each for each in looks.planned(30 * DAY, ()) if each.why_not is None and each.start > now]
    if not coming:
        say(words(lang, "once.nothing-planned", days=30))
        return
    first = coming[0]
    key = "once.nothing" if looks.idle else "once.next"
    say(words(lang, key, next=f"{on(lang, first.day)} {at(first.start, zone)} {first.entry}"))


def export(
    file: File = USUAL,
    systemd: Annotated[bool, typer.Option("--systemd", help="A service and its timer.")] = False,
    cron: Annotated[bool, typer.Option("--cron", help="A line of crontab.")] = False,
    ics: Annotated[bool, typer.Option("--ics", help="The dates, for calendars that people look at.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", help="A file; of --systemd a folder. Default: standard output.")
    ] = None,
    days: Days = 90,
    every: Annotated[int, typer.Option("--every", min=1, max=30, help="Minutes between two looks.")] = EVERY_MINUTES,
    lang: Lang = "en",
    runs: Runs = DEFAULT_RUNS,
) -> None:
    """Hand the calendar to what starts it, or to what people look at."""
    asked = [name for name, wanted in zip(FORMATS, (systemd, cron, ics), strict=True) if wanted]
    if len(asked) != 1:
        raise Refused("say one of --systemd, --cron and --ics")
    schedule = load_schedule(file)
    for name, content in exported(asked[0], schedule, runs, days, every, language(lang)).items():
        if to is None:
            write(content, "-")
        else:
            write(content, str(to / name if asked[0] == "systemd" else to))


def tell(file: File = USUAL) -> None:
    """Send a test message to each receiver. Exit 1 when one could not be reached."""
    schedule = load_schedule(file)
    if not schedule.receivers:
        raise Refused(f"{file} names nobody who is told", "tell: {desk: {env: KUNREN_DESK}}")
    told = [_tested(schedule, each) for each in schedule.receivers.values()]
    raise typer.Exit(0 if all(told) else EXIT_FAIL)


def _tested(schedule: Schedule, receiver: Receiver) -> bool:
    """Whether a test message arrived; says so."""
    ((_, problem),) = tell_all([receiver], lambda lang: notices.test(schedule.name, receiver.on, lang), send)
    if problem is None:
        say(words("en", "once.told", receiver=receiver.name))
    else:
        complain(words("en", "once.not-told", receiver=receiver.name, problem=problem))
    return problem is None


def _today(schedule: Schedule) -> date:
    return utc_now().astimezone(schedule.form.zone).date()


def _day(text: str) -> date:
    found = day_of(text)
    if found is None:
        raise Refused(f"--from {text!r} is no date", "such as 2027-04-26")
    return found
