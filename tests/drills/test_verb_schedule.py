"""``kunren schedule`` from outside: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import icalendar
import pytest

from drills.record.dates import FILE, Journal

from .schedules import entry, text
from .test_cli import Call, call, refused  # noqa: F401  # fixtures


@pytest.fixture
def file(call: Call) -> Path:  # noqa: F811
    """In the empty folder in which the call is made."""
    made = Path("schedule.yaml")
    made.write_text(text(business="{holidays: [2027-01-05]}"), encoding="utf-8")
    return made


def test_next_says_when_and_why_not(call: Call, file: Path) -> None:  # noqa: F811
    said = call("schedule", "next", "--days", "3", "--from", "2027-01-04", "--lang", "ja")
    assert said.code == 0
    assert said.out.splitlines()[1:4] == [
        "2027-01-04（月）  19:00  link  最大 1 分",
        "2027-01-05（火）  –      link             実施せず: 自社の休業日",
        "2027-01-06（水）  19:00  link  最大 1 分",
    ]
    assert not Path("runs").exists()


def test_next_as_json(call: Call, file: Path) -> None:  # noqa: F811
    found = json.loads(call("schedule", "next", "--days", "2", "--from", "2027-01-04", "--json").out)
    assert found["schema"] == "kunren.calendar/1"
    assert [each["why_not"] and each["why_not"]["id"] for each in found["dates"]] == [None, "own-holiday"]


def test_a_look_with_nothing_due_says_what_comes_and_keeps_quiet_where_asked(call: Call, file: Path) -> None:  # noqa: F811
    said = call("schedule", "run", "--once")
    assert said.code == 0
    assert said.out.startswith("nothing is due; next: ")
    assert call("schedule", "run", "--once", "--quiet").out == ""
    assert [each.what for each in Journal(Path("runs")).entries()] == ["watched", "planned"]
    past = call("schedule", "past")
    assert (past.code, past.out.splitlines()[-1]) == (0, "due: 0; done: 0; missed: 0")


def test_a_missed_date_is_shown_and_ends_with_1(call: Call, file: Path) -> None:  # noqa: F811
    call("schedule", "run", "--once")
    journal = Path("runs") / FILE
    planned = json.loads(journal.read_text().splitlines()[1])
    line = {**planned, "what": "missed", "reason": {"id": "nobody-looked"}}
    journal.write_text(journal.read_text() + json.dumps(line) + "\n")
    said = call("schedule", "past")
    assert said.code == 1
    assert "missed  nobody looked in time" in said.out
    assert json.loads(call("schedule", "past", "--json").out)["dates"][0]["state"] == "missed"


def test_units_and_dates_are_handed_out(call: Call, file: Path) -> None:  # noqa: F811
    assert call("schedule", "export", "--systemd", "--to", ".").code == 0
    assert Path("kunren-desk.service").read_text().startswith("# kunren-desk.service\n[Unit]")
    assert "OnCalendar=*:0/10" in call("schedule", "export", "--systemd", "--every", "10").out
    assert "schedule run --once --quiet --file" in call("schedule", "export", "--cron").out
    assert call("schedule", "export", "--ics", "--days", "7", "--to", "dates.ics", "--lang", "ja").code == 0
    events = icalendar.Calendar.from_ical(Path("dates.ics").read_bytes()).walk("VEVENT")
    assert 1 <= len(events) <= 5
    assert "取引所" in str(events[0]["description"])


def test_receivers_that_cannot_be_reached_are_said(call: Call, file: Path) -> None:  # noqa: F811
    file.write_text(text(tell="{desk: {env: KUNREN_NO_SUCH}, boss: {file: no-such}}"))
    said = call("schedule", "tell")
    assert said.code == 1
    assert "desk could not be told: the variable KUNREN_NO_SUCH is not set" in said.err
    assert "boss could not be told: no address stands in no-such" in said.err


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("next", "--file", "none.yaml"), "none.yaml:1: no such file"),
        (("next", "--from", "tomorrow"), "--from 'tomorrow' is no date"),
        (("next", "--days", "0"), "Invalid value for '--days'"),
        (("next", "--lang", "de"), "unknown language 'de'"),
        (("run",), "say --once"),
        (("export",), "say one of --systemd, --cron and --ics"),
        (("export", "--cron", "--ics"), "say one of --systemd, --cron and --ics"),
        (("tell",), "names nobody who is told"),
    ],
)
def test_what_is_refused(
    file: Path,
    refused: Callable[..., str],  # noqa: F811
    argv: tuple[str, ...],
    says: str,
) -> None:
    assert says in refused("schedule", *argv)


def test_a_schedule_that_is_wrong_is_refused_with_its_line(file: Path, refused: Callable[..., str]) -> None:  # noqa: F811
    file.write_text(text(entries=entry(at="07:00")))
    for verb in (["next"], ["run", "--once"], ["past"], ["export", "--cron"], ["tell"]):
        assert "schedule.yaml:4: entries.link.at: lies in no window" in refused("schedule", *verb)
