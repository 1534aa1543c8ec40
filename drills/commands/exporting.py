"""What ``kunren schedule export`` hands out."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from drills.commands.entries import takes
from drills.commands.look import utc_now
from drills.errors import MissingMeans, Refused
from drills.schedule.clock import DAY, minutes_of
from drills.schedule.dates import Date, dates
from drills.schedule.export import Event, Look, cron, ics, systemd
from drills.spec.schedulefile import Schedule
from reports.calendar_words import say, target
from reports.texts import Lang
from targets.visible import visible_line

FORMATS = ("systemd", "cron", "ics")


def exported(form: str, schedule: Schedule, runs: Path, days: int, every: int, lang: Lang) -> dict[str, bytes]:
    """File name -> content."""
    if form == "ics":
        return {f"{schedule.name}.ics": _ics(schedule, runs, days, lang)}
    look = Look(schedule.name, _program(), schedule.file.resolve(), runs.resolve(), Path.cwd(), every)
    for path in (look.program, look.file, look.runs, look.folder):
        if visible_line(str(path)) != str(path):
            raise Refused(f"the path {path} has characters that no such file can hold", "move it to another folder")
    if form == "cron":
        return {f"{schedule.name}.cron": cron(look).encode()}
    return {name: f"# {name}\n{content}".encode() for name, content in systemd(look).items()}


def _program() -> Path:
    """``kunren`` as it was called, or the one beside this Python."""
    called = Path(sys.argv[0])
    return called.resolve() if called.name == "kunren" and called.exists() else Path(sys.executable).with_name("kunren")


def _ics(schedule: Schedule, runs: Path, days: int, lang: Lang) -> bytes:
    if importlib.util.find_spec("icalendar") is None:
        raise MissingMeans(["icalendar is not installed"], "pip install 'kunren[calendar]'")
    now = utc_now().replace(microsecond=0)
    first = now.astimezone(schedule.form.zone).date()
    found = dates(schedule, first, first + (days - 1) * DAY, lambda entry: takes(entry, runs))
    events = [_event(schedule, each, lang) for each in found if each.why_not is None]
    return ics(schedule.name, str(schedule.form.zone), events, now)


def _event(schedule: Schedule, each: Date, lang: Lang) -> Event:
    entry = next(one for one in schedule.entries if one.name == each.entry)
    drills = ", ".join(f"{part.drill.title.say(lang)} ({part.drill.called})" for part in entry.parts)
    about = say(lang, "ics.about", drills=drills, target=target(lang, entry.target), minutes=minutes_of(each.takes))
    uid = f"{each.entry}-{each.of}@{schedule.name}.kunren"
    return Event(uid, f"kunren: {each.entry}", about, each.start, each.start + each.takes)
