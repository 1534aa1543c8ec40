from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from targets.brokerage.clock import (
    DAY_FILE,
    TOKYO,
    DayClock,
    business_time,
    clock_config,
    open_day,
    phase_at,
    phase_start,
    phases,
)
from targets.brokerage.config import ClockConfig

from .stack import make_config

DAY = date(2026, 11, 2)


def test_every_minute_of_the_day_is_in_exactly_one_phase() -> None:
    for minute in range(24 * 60):
        moment = datetime(2026, 11, 2, tzinfo=TOKYO) + timedelta(minutes=minute)
        assert sum(phase.holds_at(moment.time()) for phase in phases()) == 1


def test_phases_are_the_ones_drills_name() -> None:
    assert [phase.id for phase in phases()] == ["E1", "N1", "N2", "N3", "D0", "D1", "D2", "D3", "D4", "D5"]


@pytest.mark.parametrize("phase", [phase.id for phase in phases()])
def test_a_phase_begins_in_itself(phase: str) -> None:
    assert phase_at(phase_start(phase, DAY)) == phase


def test_the_night_batch_runs_past_midnight() -> None:
    assert phase_at(datetime(2026, 11, 3, 1, 59, tzinfo=TOKYO)) == "N2"
    assert phase_at(datetime(2026, 11, 3, 2, 0, tzinfo=TOKYO)) == "N3"


def test_business_time_runs_compressed() -> None:
    config = ClockConfig(anchor_ns=1_000, business="2026-11-02T09:05:00+09:00", compression=60)
    assert business_time(config, 1_000).isoformat() == "2026-11-02T09:05:00+09:00"
    assert business_time(config, 1_000 + 1_500_000_000).isoformat() == "2026-11-02T09:06:30+09:00"


def test_a_clock_stands_where_the_drill_wants_it() -> None:
    assert clock_config("D3", None, 60, DAY).business == "2026-11-02T09:05:00+09:00"
    assert clock_config("D3", "13:00", 60, DAY).business == "2026-11-02T13:00:00+09:00"


def test_a_start_outside_the_phase_is_refused() -> None:
    with pytest.raises(ValueError, match="12:00 is in phase D4, not in D3"):
        clock_config("D3", "12:00", 60, DAY)
    with pytest.raises(KeyError):
        clock_config("X9", None, 60, DAY)


def test_the_day_stands_still_until_it_is_opened(tmp_path: Path) -> None:
    config = make_config(tmp_path, {}, {})
    clock, other = DayClock(config), DayClock(config)
    begins = datetime.fromisoformat(config.clock.business)
    assert not clock.opened
    assert clock.now(10**15) == begins
    open_day(tmp_path, 5_000_000_000)
    for each in (clock, other, DayClock(config)):
        assert each.opened
        assert each.now(4_000_000_000) == begins  # opened for an instant to come
        assert each.now(5_000_000_000) == begins
        assert each.now(15_000_000_000) == begins + timedelta(minutes=10)


def test_a_day_can_be_opened_anew(tmp_path: Path) -> None:
    clock = DayClock(make_config(tmp_path, {}, {}))
    open_day(tmp_path, 1_000_000_000)
    before = clock.now(61_000_000_000)
    os.utime(tmp_path / DAY_FILE, ns=(1, 1))
    open_day(tmp_path, 31_000_000_000)
    assert before - clock.now(61_000_000_000) == timedelta(minutes=30)


def test_times_of_the_night_are_on_the_day_on_which_the_clock_begins(tmp_path: Path) -> None:
    clock = DayClock(make_config(tmp_path, {}, {}))  # begins at 09:05
    assert clock.at("18:08").isoformat() == "2026-11-02T18:08:00+09:00"
    assert clock.seconds_until("09:15") == 10.0
    assert clock.seconds_until("09:00") == -5.0
