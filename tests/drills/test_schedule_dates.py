"""When the entries of a schedule take place, and why not: days, windows, blackouts, moves, budgets, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.schedule.business import BusinessDays, sessions
from drills.schedule.clock import instant
from drills.schedule.dates import dates
from drills.spec.scheduleform import BusinessForm

from .schedules import DRILL, TOKYO, entry, golden_week, of, said, written

NEW_YORK = ZoneInfo("America/New_York")


def test_a_week_with_holidays(tmp_path: Path) -> None:
    found = of(written(tmp_path, business="{calendar: XTKS, holidays: [2027-05-07]}"), "2027-04-28", "2027-05-10")
    assert said(found) == [
        "04-28 link 19:00",
        "04-29 link no holiday",
        "04-30 link 19:00",
        "05-01 link no weekend",
        "05-02 link no weekend",
        "05-03 link no holiday",
        "05-04 link no holiday",
        "05-05 link no holiday",
        "05-06 link 19:00",
        "05-07 link no own-holiday",
        "05-08 link no weekend",
        "05-09 link no weekend",
        "05-10 link 19:00",
    ]


def test_tokyos_own_calendar() -> None:
    days = BusinessDays(BusinessForm(calendar="XTKS"))
    closed = [n for n in range(26, 31) if not days.on(date(2027, 4, n))]
    assert closed == [29]
    assert [n for n in range(1, 9) if days.on(date(2027, 5, n))] == [6, 7]
    assert date(2027, 12, 31) not in sessions("XTKS", 2027)


def test_a_year_that_its_calendar_does_not_know_is_no_year_of_drills(tmp_path: Path) -> None:
    schedule = written(tmp_path, business="{calendar: XTKS}")
    days = BusinessDays(schedule.form.business, lambda name, year: golden_week(name, year) if year < 2027 else None)
    found = dates(schedule, date(2026, 12, 31), date(2027, 1, 1), lambda entry: timedelta(minutes=3), days)
    assert said(found) == ["12-31 link 19:00", "01-01 link no calendar-unknown"]
    assert sessions("XSHG", 2099) is None


def test_on_closed_days_and_on_any(tmp_path: Path) -> None:
    closed = written(tmp_path, business="{calendar: XTKS}", entries=entry(days="closed"))
    assert said(of(closed, "2027-04-28", "2027-05-02")) == [
        "04-28 link no business-day",
        "04-29 link 19:00",
        "04-30 link no business-day",
        "05-01 link 19:00",
        "05-02 link 19:00",
    ]
    assert len(of(written(tmp_path, entries=entry(days="any")), "2027-05-01", "2027-05-07")) == 7


@pytest.mark.parametrize(
    ("otherwise", "expected"),
    [("later", ["05-06 link 19:00"]), ("earlier", ["04-30 link 19:00"]), ("skip", ["05-04 link no holiday"])],
)
def test_a_date_on_a_closed_day_is_moved_where_the_entry_wants_it(
    tmp_path: Path, otherwise: str, expected: list[str]
) -> None:
    weekly = entry(every="FREQ=WEEKLY;BYDAY=TU", otherwise=otherwise)
    found = of(written(tmp_path, business="{calendar: XTKS}", entries=weekly), "2027-04-30", "2027-05-10")
    assert said(found) == expected
    if otherwise != "skip":
        assert [(remark.id, remark.values["of"]) for remark in found[0].remarks] == [("moved", "2027-05-04")]
        assert found[0].remarks[0].why is not None
        assert found[0].remarks[0].why.id == "holiday"


def test_dates_that_are_moved_to_one_day_take_place_once(tmp_path: Path) -> None:
    daily = written(tmp_path, business="{calendar: XTKS}", entries=entry(otherwise="later"))
    assert said(of(daily, "2027-05-01", "2027-05-06")) == [
        *(f"05-0{n} link no coincides" for n in range(1, 6)),
        "05-06 link 19:00",
    ]


def test_what_is_moved_far_before_the_span_still_counts(tmp_path: Path) -> None:
    freeze = "[{why: {en: Freeze, ja: 凍結}, from: 2027-04-26, to: 2027-05-02}]"
    moved = written(tmp_path, blackouts=freeze, entries=entry(every="FREQ=WEEKLY;BYDAY=MO", otherwise="later"))
    found = of(moved, "2027-05-03", "2027-05-03")
    assert said(found) == ["05-03 link 19:00"]
    assert found[0].of == date(2027, 5, 3)  # and 26 April has moved onto a day that has a date already


def test_blackouts_in_each_of_the_three_ways(tmp_path: Path) -> None:
    ways = "".join(
        f"\n  - {{why: {{en: {name}, ja: 凍結}}, {way}}}"
        for name, way in (
            ("freeze", "from: 2027-04-13, to: 2027-04-14"),
            ("midmonth", "every: FREQ=MONTHLY;BYMONTHDAY=16"),
            ("ends", "month: {last: 2, first: 1}"),
        )
    )
    found = of(written(tmp_path, business="{calendar: XTKS}", blackouts=ways), "2027-04-01", "2027-05-07")
    black = [(f"{each.day:%m-%d}", each.why_not.words["en"]) for each in found if each.why_not and each.why_not.words]
    assert black == [
        ("04-01", "ends"),
        ("04-13", "freeze"),
        ("04-14", "freeze"),
        ("04-16", "midmonth"),
        ("04-28", "ends"),
        ("04-30", "ends"),
        ("05-06", "ends"),
    ]


def test_all_runs_end_inside_the_window(tmp_path: Path) -> None:
    schedule = written(tmp_path, entries=entry(at="23:00"))
    (fits,) = of(schedule, "2026-12-01", "2026-12-01", 30)
    assert fits.latest == fits.start
    (short,) = of(schedule, "2026-12-01", "2026-12-01", 31)
    assert short.why_not is not None
    assert short.why_not.id == "window-short"
    assert short.why_not.values == {"left": 30, "takes": 31}


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(tmp_path: Path) -> None:
    nights = "[{from: 22:00, to: 02:00, days: [fri]}]"
    found = of(written(tmp_path, windows=nights, entries=entry(at="01:00", days="any")), "2026-12-04", "2026-12-06")
    assert said(found) == ["12-04 link no window", "12-05 link 01:00", "12-06 link no window"]
    assert f"{found[1].latest.astimezone(TOKYO):%d %H:%M}" == "05 01:57"


def test_a_run_ends_before_a_blackout_of_the_next_day(tmp_path: Path) -> None:
    freeze = "[{why: {en: Freeze, ja: 凍結}, from: 2026-12-02, to: 2026-12-02}]"
    open_all_night = written(
        tmp_path, windows="[{from: 18:00, to: 06:00}]", blackouts=freeze, entries=entry(at="23:50", jitter="2h")
    )
    (only,) = of(open_all_night, "2026-12-01", "2026-12-01", 5)
    assert only.latest.astimezone(TOKYO).strftime("%H:%M") == "23:55"
    assert only.start <= only.latest


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 28), st.integers(1, 12), st.integers(1, 280))
def test_the_jitter_is_drawn_by_the_day_and_stays_inside_the_window(day: int, month: int, minutes: int) -> None:
    schedule = JITTERED["schedule"]
    when = f"2027-{month:02d}-{day:02d}"
    once, twice = of(schedule, when, when, minutes), of(schedule, when, when, minutes)  # type: ignore[arg-type]
    assert once == twice
    (only,) = once
    if only.why_not is None:
        opens = datetime(2027, month, day, 18, 30, tzinfo=TOKYO)
        assert opens + timedelta(minutes=30) <= only.start <= opens + timedelta(minutes=90)
        assert only.start <= only.latest
        assert only.start + only.takes <= opens + timedelta(hours=5)


JITTERED: dict[str, object] = {}


@pytest.fixture(autouse=True, scope="module")
def _jittered(tmp_path_factory: pytest.TempPathFactory) -> None:
    JITTERED["schedule"] = written(tmp_path_factory.mktemp("jittered"), entries=entry(jitter="1h", days="any"))


def test_the_jitter_leaves_time_for_somebody_to_look(tmp_path: Path) -> None:
    schedule = written(tmp_path, windows="[{from: 18:30, to: 20:00}]", entries=entry(jitter="2h", days="any"))
    for each in of(schedule, "2026-12-01", "2026-12-30", 30):
        assert each.latest - each.start >= timedelta(minutes=5)


def test_the_jitter_differs_from_day_to_day(tmp_path: Path) -> None:
    schedule = written(tmp_path, entries=entry(jitter="2h", days="any"))
    starts = {each.start.astimezone(TOKYO).time() for each in of(schedule, "2026-12-01", "2026-12-30")}
    assert len(starts) > 15


def test_one_after_the_other_and_no_more_than_the_budget_allows(tmp_path: Path) -> None:
    drills = f"drills: [{DRILL}], every: FREQ=DAILY, since: 2026-12-01"
    two = f"{{a: {{{drills}, at: 19:00}}, b: {{{drills}, at: 19:05}}, c: {{{drills}, at: 19:07}}}}"
    schedule = written(tmp_path, entries=two, budget="{day: 30m, week: 80m}")
    found = of(schedule, "2026-12-01", "2026-12-04", {"a": 20, "b": 10, "c": 1})
    assert said(found)[:3] == ["12-01 a 19:00", "12-01 b 19:20", "12-01 c no budget"]
    assert said(found)[6:9] == ["12-03 a 19:00", "12-03 b no budget", "12-03 c no budget"]
    by_name = {(each.day.day, each.entry): each for each in found}
    assert by_name[1, "b"].remarks[0].values == {"entry": "a"}
    reason = by_name[3, "b"].why_not
    assert reason is not None
    assert reason.values == {"period": "week", "spent": 80, "takes": 10, "limit": 80}
    assert by_name[4, "a"].why_not is not None


def test_a_budget_counts_what_lies_before_the_days_asked_for(tmp_path: Path) -> None:
    schedule = written(tmp_path, budget="{month: 10m}")
    assert said(of(schedule, "2026-12-04", "2026-12-04", 3)) == ["12-04 link no budget"]
    assert said(of(schedule, "2027-01-01", "2027-01-01", 3)) == ["01-01 link 19:00"]


def test_what_the_machine_has_no_time_for_any_more(tmp_path: Path) -> None:
    drills = f"drills: [{DRILL}], every: FREQ=DAILY, since: 2026-12-01, at: 23:00"
    schedule = written(tmp_path, entries=f"{{a: {{{drills}}}, b: {{{drills}}}}}")
    assert said(of(schedule, "2026-12-01", "2026-12-01", 20)) == ["12-01 a 23:00", "12-01 b no taken"]


def test_since_until_and_an_interval(tmp_path: Path) -> None:
    every = entry(every="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", since="2026-12-08", until="2027-01-10")
    found = of(written(tmp_path, entries=every), "2026-11-01", "2027-03-01")
    assert [f"{each.day:%m-%d}" for each in found] == ["12-08", "12-22", "01-05"]


def test_when_the_clocks_are_put_on_a_time_that_does_not_exist_is_an_hour_later(tmp_path: Path) -> None:
    schedule = written(
        tmp_path,
        zone="America/New_York",
        windows="[{from: 01:00, to: 05:00}]",
        entries=entry(at="02:30", days="any"),
    )
    found = of(schedule, "2027-03-13", "2027-03-15")
    assert said(found, NEW_YORK) == ["03-13 link 02:30", "03-14 link 03:30", "03-15 link 02:30"]
    assert [remark.id for remark in found[1].remarks] == ["left-out"]
    assert [(b.start - a.start) / timedelta(hours=1) for a, b in pairwise(found)] == [24, 23]
    assert [(each.latest - each.start) / timedelta(minutes=1) for each in found] == [147, 87, 147]


def test_when_the_clocks_are_put_back_a_time_that_comes_twice_is_taken_once(tmp_path: Path) -> None:
    schedule = written(
        tmp_path,
        zone="America/New_York",
        windows="[{from: 00:30, to: 01:45}]",
        entries=entry(at="01:30", days="any"),
    )
    found = of(schedule, "2027-11-06", "2027-11-08", 5)
    assert said(found, NEW_YORK) == ["11-06 link 01:30", "11-07 link 01:30", "11-08 link 01:30"]
    assert found[1].start == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)  # still summer time
    assert [remark.id for remark in found[1].remarks] == ["twice"]
    assert [(each.latest - each.start) / timedelta(minutes=1) for each in found] == [10, 70, 10]  # an hour more


def test_a_day_has_23_and_25_hours_there() -> None:
    midnights = [instant(date(2027, 3, 14) + timedelta(days=n), time(), NEW_YORK) for n in (0, 1)]
    assert midnights[1] - midnights[0] == timedelta(hours=23)
    midnights = [instant(date(2027, 11, 7) + timedelta(days=n), time(), NEW_YORK) for n in (0, 1)]
    assert midnights[1] - midnights[0] == timedelta(hours=25)
