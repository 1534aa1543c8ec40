"""``schedule.yaml``, read strictly: which drills take place when, and who is told.

::

    schedule: brokerage
    zone: Asia/Tokyo
    business: {calendar: XTKS, holidays: [2026-12-29]}     # of exchange_calendars; without it Monday to Friday
    windows: [{from: 18:30, to: 23:30, days: [mon, tue, wed, thu, fri]}]
    blackouts:
      - {why: {en: Release freeze, ja: リリース凍結}, from: 2026-12-21, to: 2027-01-05}
      - {why: {en: Month end, ja: 月末月初}, month: {last: 2, first: 1}}    # business days
    budget: {day: 20m, month: 4h}
    tell:
      desk: {env: KUNREN_DESK, on: [before, after], lang: ja}             # an address of apprise
    entries:
      night:
        drills: [night-batch-lock]                     # names of the catalogue, or files beside this one
        every: FREQ=WEEKLY;BYDAY=TU,TH                 # iCalendar; an INTERVAL counts from 'since'
        since: 2026-12-01
        at: 19:00
        jitter: 40m                                    # drawn for each day
        otherwise: later                               # where the day is closed: skip, later or earlier

Times of day are those of the zone. Each date is to lie whole in one window, by what its runs take at most.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path

import msgspec

from drills.errors import BadInput, KunrenError, unknown
from drills.record.arm import Arm
from drills.spec import planning
from drills.spec.drill import Drill, load_drill
from drills.spec.forms import decode
from drills.spec.reader import Node, read
from drills.spec.scheduleform import BlackoutForm, EntryForm, ReceiverForm, ScheduleFile, WindowForm
from drills.spec.target import is_file, system, words_of
from targets.target import Capabilities

FILE = "schedule.yaml"
EIGHT_YEARS = timedelta(days=2922)
"""A rule without a date within them has none: 29 February may be that far away."""
PLACES = ("run", "drill")
"""What a link may hold in braces."""


@dataclass(frozen=True, slots=True)
class Part:
    """One drill of an entry, and its arms in order."""

    drill: Drill
    arms: tuple[Arm, ...]


class Entry(EntryForm, frozen=True, kw_only=True):
    """One entry: as it is written, with its drills read; ``target`` is a runtime or the path of a target file."""

    name: str
    parts: tuple[Part, ...]


class Receiver(ReceiverForm, frozen=True, kw_only=True):
    """Who is told, and what that one is called; ``file`` is relative to the schedule's folder."""

    name: str
    folder: Path

    def address(self, environment: dict[str, str]) -> str | None:
        """Of apprise; None where it does not stand where it is said to."""
        if self.file is not None:
            try:
                return (self.folder / self.file).read_text(encoding="utf-8").strip() or None
            except (OSError, ValueError):
                return None
        return self.url or environment.get(self.env or "") or None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule says, its entries' drills read; ``file`` is where it lies, ``sha256`` of its bytes in hex."""

    file: Path
    sha256: str
    form: ScheduleFile
    entries: tuple[Entry, ...]
    receivers: dict[str, Receiver]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.form.name

    def told(self, entry: str | None) -> list[Receiver]:
        """Who is told of an entry: those it names, else all."""
        named = next((each.tell for each in self.entries if each.name == entry), None)
        return [each for each in self.receivers.values() if named is None or each.name in named]


def load_schedule(file: Path) -> Schedule:
    """Read it with the drills that it names; BadInput with file:line."""
    root = read(file)
    form = decode(ScheduleFile, root)
    _check_blackouts(root, form)
    _check_receivers(root, form)
    _check_link(root, form)
    receivers = {
        name: Receiver(**msgspec.structs.asdict(each), name=name, folder=file.parent)
        for name, each in form.tell.items()
    }
    entries = tuple(_entry(root.child("entries").child(name), name, form) for name in form.entries)
    digest = hashlib.sha256(root.doc.source).hexdigest()
    return Schedule(file=file, sha256=digest, form=form, entries=entries, receivers=receivers)


def within(window: WindowForm, at: time) -> bool:
    """Whether the time of day lies in the window, whatever the day."""
    if window.opens < window.closes:
        return window.opens <= at < window.closes
    return at >= window.opens or at < window.closes


def _check_blackouts(root: Node, form: ScheduleFile) -> None:
    for index, each in enumerate(form.blackouts):
        node = root.child("blackouts").child(index)
        ways = sum((each.first is not None or each.last is not None, each.every is not None, each.month is not None))
        if ways != 1 or (each.first is None) != (each.last is None):
            raise node.bad(f"{node.name}: say when in one way: from and to, every, or month")
        if each.first is not None and each.last is not None and each.last < each.first:
            raise node.child("to").bad(f"{node.name}.to: lies before from")
        if each.every is not None and "INTERVAL" in each.every.text:
            raise node.child("every").bad(f"{node.name}.every: an INTERVAL would count from nowhere; name the days")
        if each.month is not None and each.month.first is None and each.month.last is None:
            raise node.child("month").expected("how many of the first, or of the last business days")


def _check_receivers(root: Node, form: ScheduleFile) -> None:
    for name, each in form.tell.items():
        if sum(way is not None for way in (each.url, each.env, each.file)) != 1:
            node = root.child("tell").child(name)
            raise node.bad(f"{node.name}: say where the address is in one way: url, env or file")


def _check_link(root: Node, form: ScheduleFile) -> None:
    for place in re.findall(r"\{(.*?)\}", form.link or ""):
        if place not in PLACES:
            raise root.child("link").bad(f"link: {unknown('name in braces', place, PLACES)}")


def _entry(node: Node, name: str, form: ScheduleFile) -> Entry:
    each = form.entries[name]
    if each.until is not None and each.until < each.since:
        raise node.child("until").bad(f"{node.name}.until: lies before since")
    if not each.every.days(each.since, each.since, each.until or each.since + EIGHT_YEARS):
        raise node.child("every").bad(f"{node.name}.every: has no date from since on")
    if not any(within(window, each.at) for window in form.windows):
        raise node.child("at").bad(f"{node.name}.at: lies in no window")
    if each.tell is not None:
        for receiver in node.child("tell").items():
            receiver.one_of(tuple(form.tell), "receiver")
    target = _target(node, each)
    parts = _parts(node, each, target)
    return Entry(**{**msgspec.structs.asdict(each), "target": target}, name=name, parts=parts)


def _target(node: Node, form: EntryForm) -> str:
    """As a command line has it: a file is relative to the schedule's folder here, to the working folder there."""
    name = str(node.doc.file.parent / form.target) if is_file(form.target) else form.target
    try:
        system(name)
    except BadInput:
        raise
    except KunrenError as error:
        raise node.child("target").bad(f"{node.name}.target: {error}") from None
    return name


def _parts(node: Node, form: EntryForm, target: str) -> tuple[Part, ...]:
    words, capabilities = words_of(target), system(target).capabilities()
    found = []
    for place in node.child("drills").items():
        where = place.text()
        try:
            drill = load_drill(str(node.doc.file.parent / where) if is_file(where) else where, words)
            planning.refuse_missing(drill, capabilities, target)
        except BadInput:
            raise
        except KunrenError as error:
            raise place.bad(f"{place.name}: {error}") from None
        found.append(Part(drill, _arms(node, drill, form, target, capabilities)))
    return tuple(found)


def _arms(node: Node, drill: Drill, form: EntryForm, target: str, capabilities: Capabilities) -> tuple[Arm, ...]:
    if not form.arms:
        return (planning.usual_arm(drill),)
    found = []
    for place in node.child("arms").items():
        try:
            arm = planning.arm_of(drill, place.text())
            planning.runbook_of(drill, arm)
            planning.refuse_arm(drill, arm, capabilities, target)
        except BadInput:
            raise
        except KunrenError as error:
            raise place.bad(f"{place.name}: drill {drill.called}: {error}") from None
        found.append(arm)
    return tuple(found)


__all__ = ["FILE", "BlackoutForm", "Entry", "Part", "Receiver", "Schedule", "WindowForm", "load_schedule", "within"]
