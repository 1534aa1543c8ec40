"""Business time: an injectable clock, compressed, and the phases of the day (``phases.yaml``).

``business = start + (monotonic - anchor) * compression``. Nothing here reads the wall clock, so every process of a
stack agrees on the business time to the nanosecond, and a night can pass in a minute. In a stack the clock stands at
its start until the day is opened (``open_day``), for all processes at once, and for those that are started later too.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock_time
from functools import cache
from pathlib import Path

import msgspec
import yaml

from targets.brokerage.config import ClockConfig, Config

TOKYO = timezone(timedelta(hours=9), "JST")
"""Japan has no daylight saving time, so a fixed offset is the zone."""

EXAMPLE_DAY = date(2026, 11, 2)
"""A trading day, for whoever does not care which."""

DAY_FILE = "clock.json"
"""In a stack's folder once its day is open."""

PHASES_FILE = Path(__file__).with_name("phases.yaml")


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the business day; ``times`` are its intervals, the end excluded, perhaps past midnight."""

    id: str
    title: dict[str, str]
    times: tuple[tuple[clock_time, clock_time], ...]

    def holds_at(self, moment: clock_time) -> bool:
        """Whether the phase is on at this time of day."""
        return any(_within(begin, end, moment) for begin, end in self.times)


@cache
def phases() -> tuple[Phase, ...]:
    """All phases, in the order of the file; together they cover the day without overlap."""
    rows = yaml.safe_load(PHASES_FILE.read_text(encoding="utf-8"))
    return tuple(Phase(row["id"], row["title"], tuple(_interval(pair) for pair in row["times"])) for row in rows)


def phase_at(moment: datetime) -> str:
    """Id of the phase at a business time."""
    return next(phase.id for phase in phases() if phase.holds_at(moment.timetz().replace(tzinfo=None)))


def phase_start(phase: str, day: date) -> datetime:
    """When the phase first begins on the business day ``day``; KeyError for an unknown id."""
    times = {each.id: each.times for each in phases()}[phase]
    return datetime.combine(day, times[0][0], TOKYO)


def clock_config(phase: str, start: str | None, compression: int, day: date = EXAMPLE_DAY) -> ClockConfig:
    """A clock that now stands at ``start`` (``HH:MM[:SS]``; default: when the phase begins) on ``day``.

    KeyError for an unknown phase; ValueError when ``start`` is no time of day or not within the phase.
    """
    begins = phase_start(phase, day)
    if start is not None:
        begins = datetime.combine(day, clock_time.fromisoformat(start), TOKYO)
        if phase_at(begins) != phase:
            raise ValueError(f"{start} is in phase {phase_at(begins)}, not in {phase}")
    return ClockConfig(time.monotonic_ns(), begins.isoformat(), compression, phase)


def business_time(config: ClockConfig, mono_ns: int | None = None) -> datetime:
    """The business time at ``mono_ns`` (default: now), in the zone that ``config.business`` names."""
    now = time.monotonic_ns() if mono_ns is None else mono_ns
    passed_us = (now - config.anchor_ns) * config.compression // 1_000
    return datetime.fromisoformat(config.business) + timedelta(microseconds=passed_us)


def open_day(folder: Path, t0_ns: int) -> None:
    """Let the clock of the stack in ``folder`` run from ``t0_ns`` (CLOCK_MONOTONIC) on."""
    aside = folder / f".{DAY_FILE}"
    aside.write_text(json.dumps({"anchor_ns": t0_ns}), encoding="ascii")
    aside.replace(folder / DAY_FILE)


class DayClock:
    """The business time of one stack. Cheap to ask: the file is read again only when it has changed."""

    def __init__(self, config: Config) -> None:
        self._config = config.clock
        self._file = Path(config.folder) / DAY_FILE
        self._anchor_ns: int | None = None
        self._read_at: int | None = None

    @property
    def opened(self) -> bool:
        """Whether the clock runs."""
        return self._anchor() is not None

    def now(self, mono_ns: int | None = None) -> datetime:
        """The business time at ``mono_ns`` (default: now); before the day opens, when it begins."""
        anchor = self._anchor()
        at = time.monotonic_ns() if mono_ns is None else mono_ns
        if anchor is None or at < anchor:
            return datetime.fromisoformat(self._config.business)
        return business_time(msgspec.structs.replace(self._config, anchor_ns=anchor), at)

    def at(self, time_of_day: str) -> datetime:
        """``HH:MM`` on the day on which the clock begins."""
        begins = datetime.fromisoformat(self._config.business)
        return datetime.combine(begins.date(), clock_time.fromisoformat(time_of_day), begins.tzinfo)

    def seconds_until(self, time_of_day: str) -> float:
        """Seconds of the real clock until ``HH:MM`` of the business day; negative when it has passed."""
        return (self.at(time_of_day) - self.now()).total_seconds() / self._config.compression

    def _anchor(self) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            changed = self._file.stat().st_mtime_ns
            if changed != self._read_at:
                self._anchor_ns = int(json.loads(self._file.read_bytes())["anchor_ns"])
                self._read_at = changed
        return self._anchor_ns


def _within(begin: clock_time, end: clock_time, moment: clock_time) -> bool:
    return begin <= moment < end if begin < end else moment >= begin or moment < end


def _interval(pair: list[str]) -> tuple[clock_time, clock_time]:
    begin, end = pair
    return clock_time.fromisoformat(begin), clock_time.fromisoformat(end)
