"""A schedule for other programs: a systemd timer, a line of cron, and the dates as an iCalendar file.

Timer and cron do not know the dates: they look every few minutes, and the look does what is due. So holidays, drawn
times and a changed file need no new export.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drills.schedule.clock import EVERY_MINUTES


@dataclass(frozen=True, slots=True)
class Look:
    """How a look is started, by absolute paths: whoever starts it has another working folder and another PATH."""

    schedule: str
    program: Path
    file: Path
    runs: Path
    folder: Path
    every: int = EVERY_MINUTES

    @property
    def argv(self) -> tuple[str, ...]:
        """The command."""
        look = ("schedule", "run", "--once", "--quiet")
        return (str(self.program), *look, "--file", str(self.file), "--runs", str(self.runs))


def systemd(look: Look) -> dict[str, str]:
    """File name -> content of a service and its timer."""
    name = f"kunren-{look.schedule}"
    command = " ".join(map(_unit_word, look.argv))
    service = f"""[Unit]
Description=Drills of the calendar {look.schedule} that are due (kunren)

[Service]
Type=oneshot
WorkingDirectory={_unit_path(look.folder)}
ExecStart={command}
# Where receivers are named by variables (tell: env), they stand in this file; it may be absent.
EnvironmentFile=-{_unit_path(look.folder / "schedule.env")}
# The first signal has a drill undone in order.
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec=180
"""
    timer = f"""[Unit]
Description=Looks every {look.every} minutes whether a drill of the calendar {look.schedule} is due (kunren)

[Timer]
OnCalendar=*:0/{look.every}
AccuracySec=15s
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {f"{name}.service": service, f"{name}.timer": timer}


def cron(look: Look) -> str:
    """A line for crontab(5): cron obeys ``%`` and nothing of a shell's profile."""
    command = f"cd {shlex.quote(str(look.folder))} && {shlex.join(look.argv)}".replace("%", "\\%")
    about = f"# Drills of the calendar {look.schedule} that are due; what it says is mailed to MAILTO.\n"
    return f"{about}*/{look.every} * * * * {command}\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One date as others see it; instants in UTC."""

    uid: str
    title: str
    about: str
    start: datetime
    end: datetime


def ics(schedule: str, zone: str, events: Sequence[Event], made: datetime) -> bytes:
    """An iCalendar file (RFC 5545). A calendar that reads it again knows each date by its UID."""
    import icalendar  # here: it belongs to the extra

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//kunren//schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"kunren {schedule}")
    calendar.add("x-wr-timezone", zone)
    for each in events:
        event = icalendar.Event()
        event.add("uid", each.uid)
        event.add("dtstamp", made)
        event.add("dtstart", each.start)
        event.add("dtend", each.end)
        event.add("summary", each.title)
        event.add("description", each.about)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _unit_word(word: str) -> str:
    """A word of ExecStart: quoted, and with nothing that systemd would expand."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if escaped and not any(each.isspace() or each in "\"'\\;" for each in escaped) else f'"{escaped}"'


def _unit_path(path: Path) -> str:
    """The value of a setting that is one path: it may hold spaces, and no specifier is meant."""
    return str(path).replace("%", "%%")
