"""A calendar lived through, with a clock, runs and receivers of the test's: what is due is carried out, what was missed
is written down and told, and nothing happens twice."""

from __future__ import annotations

import os
import shutil
import time as clocks
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drills import api
from drills.commands.look import Calendar
from drills.errors import Refused
from drills.execution.turn import Machine
from drills.fleet.fleet import Outcome
from drills.record.dates import FILE, Entry, Journal, fates
from drills.schedule.notify import Message
from drills.spec.request import RunRequest
from drills.spec.schedulefile import Schedule
from reports.card import as_card
from tests.reports.cards import failed, invalid, passed

from .schedules import DRILL, entry, tokyo, written

GOLDEN = Path(__file__).parents[1] / "golden"
TELL = "{desk: {url: 'json://127.0.0.1/desk'}, boss: {url: 'json://127.0.0.1/boss', on: [finding, missed], lang: ja}}"


@dataclass
class World:
    """The seams: a clock that a run moves on, runs that end as they are told to, receivers that may be dead."""

    folder: Path
    now: datetime
    ends: list[Any] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    takes: timedelta = timedelta(minutes=1)
    asked: list[tuple[RunRequest, bool]] = field(default_factory=list)
    told: list[tuple[str, Message]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    machine: Machine = field(default_factory=lambda: Machine(f"kunren-test-{os.getpid()}-{clocks.monotonic_ns()}"))
    pages: list[bool] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    read: dict[str, Schedule] = field(default_factory=dict)

    def look(self, when: str | None = None, **changed: str) -> int:
        """``kunren schedule run --once`` at that time, in Tokyo."""
        if when is not None:
            self.now = tokyo(when)
        self.changed |= changed
        asked = {"tell": TELL, **self.changed}
        if str(asked) not in self.read:  # reading takes longer than looking
            self.read[str(asked)] = written(self.folder, **asked)
        schedule = self.read[str(asked)]
        calendar = Calendar(
            schedule,
            self.folder / "runs",
            "en",
            self.said.append,
            lambda: 7,
            sha256=str(sorted(self.changed.items())),
            clock=lambda: self.now,
            carry=self.carry,
            tell=self.tell,
            machine=self.machine,
            turn_s=0.0,
        )
        code = calendar.once()
        if calendar.cut is not None:
            raise calendar.cut
        return code

    def carry(self, request: RunRequest, retry: bool) -> Outcome:
        self.asked.append((request, retry))
        self.now += self.takes
        found = self.ends.pop(0) if self.ends else passed
        if isinstance(found, BaseException):
            raise found
        if isinstance(found, Outcome):
            return found
        return Outcome((as_card({**found(), "arm": str(request.arm)}),), None)

    def tell(self, address: str, message: Message) -> str | None:
        name = address.rpartition("/")[2]
        if name in self.dead:
            return "no answer"
        self.told.append((name, message))
        self.pages += [b"</html>" in file.read_bytes() for file in message.files]
        return None

    @property
    def entries(self) -> list[Entry]:
        return Journal(self.folder / "runs").entries()

    @property
    def states(self) -> list[str]:
        """Of each date: the day by its rule, what became of it, and why."""
        return [
            f"{each.of:%m-%d} {each.state}" + (f" {each.reason.id}" if each.reason else "")
            for each in fates(self.entries)
        ]

    @property
    def titles(self) -> list[str]:
        return [f"{name}: {message.title}" for name, message in self.told]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Looked at for the first time on a Monday at noon."""
    made = World(tmp_path, tokyo("2026-11-30 12:00"))
    assert made.look() == 0
    return made


def test_the_first_look_misses_nothing_and_writes_down_what_is_planned(tmp_path: Path) -> None:
    world = World(tmp_path, tokyo("2026-12-03 20:00"))  # its window is open, and its start has passed
    assert world.look() == 0
    assert world.states == ["12-04 planned"]
    assert world.asked == []
    assert world.look() == 0
    assert len(world.entries) == 2  # the file as it is, the date that comes: a second look adds nothing


def test_what_is_due_is_carried_out_once(world: World) -> None:
    assert world.look("2026-12-01 18:59") == 0
    assert world.asked == []
    assert world.look("2026-12-01 19:02") == 0
    ((request, retry),) = world.asked
    assert (request.drill.name, str(request.arm), request.seed, retry) == (DRILL, "runbook", 7, True)
    assert world.look() == 0
    assert len(world.asked) == 1
    assert world.states == ["12-01 ended", "12-02 planned"]
    assert [each.what for each in world.entries] == ["watched", "planned", "planned", "began", "ended"]
    (ran,) = fates(world.entries)[0].runs
    assert (ran.drill, ran.arm, ran.verdict, ran.as_declared) == (DRILL, "runbook", "pass", True)
    assert world.titles == ["desk: Drill begins: link", "desk: Drill done: link, as expected"]


def test_a_late_look_inside_the_window_still_runs_it(world: World) -> None:
    assert world.look("2026-12-01 22:40") == 0
    assert world.states[0] == "12-01 ended"


def test_a_machine_that_slept_over_its_dates_says_so_once(world: World) -> None:
    assert world.look("2026-12-04 09:00") == 2
    assert world.states == [
        "12-01 missed nobody-looked",
        "12-02 missed nobody-looked",
        "12-03 missed nobody-looked",
        "12-04 planned",
    ]
    assert world.asked == []
    assert sum(name == "boss" for name, _ in world.told) == 3
    assert "訓練未実施: link（2026-12-01（火））" in {message.title for _, message in world.told}
    assert world.look() == 0
    assert len(world.told) == 6


def test_a_machine_that_woke_up_within_the_window_runs_late_and_has_missed_the_days_before(world: World) -> None:
    assert world.look("2026-12-02 23:00") == 2
    assert world.states == ["12-01 missed nobody-looked", "12-03 planned", "12-02 ended"]


def test_late_limits_how_late(world: World) -> None:
    world.look(entries=entry(late="30m"))
    assert world.look("2026-12-01 19:31") == 2
    assert world.states[0] == "12-01 missed nobody-looked"


def test_a_holiday_is_written_down_as_not_due(world: World) -> None:
    world.look(business="{holidays: [2026-12-01]}")
    assert world.look("2026-12-02 12:00") == 0
    assert world.states == ["12-01 skipped own-holiday", "12-02 planned"]
    assert not any(each.missed for each in fates(world.entries))


def test_a_drill_that_does_otherwise_than_declared_is_a_finding(world: World) -> None:
    world.ends = [failed]
    assert world.look("2026-12-01 19:00") == 1
    assert world.titles[1:] == ["desk: Drill found something: link", "boss: 訓練で問題を検出: link"]
    body = world.told[-1][1].body
    assert "、正しい手順書: 不合格" in body
    assert "評価票: exchange-link-down/2026" in body


def test_an_arm_that_is_declared_to_fail_and_fails_is_none(world: World) -> None:
    world.ends = [failed]
    world.changed["entries"] = entry(arms="[no-action]")
    world.look()
    assert world.look("2026-12-01 19:00") == 0
    (ran,) = fates(world.entries)[0].runs
    assert (ran.verdict, ran.declared, ran.as_declared) == ("fail", "fail", True)


def test_a_run_that_cannot_judge_is_no_finding_and_no_success(world: World) -> None:
    world.ends = [invalid]
    assert world.look("2026-12-01 19:00") == 2
    assert world.titles[-1] == "desk: Drill without a full result: link"


def test_no_further_run_begins_that_would_not_end_inside_the_window(world: World) -> None:
    world.changed["entries"] = entry(arms="[runbook, no-fault]", at="23:20")
    world.look()
    world.takes = timedelta(minutes=10)  # longer than expected: the machine slept
    assert world.look("2026-12-01 23:20") == 2
    assert len(world.asked) == 1
    assert world.states[0] == "12-01 ended window-over"
    assert fates(world.entries)[0].missed


def test_a_void_run_is_made_again_only_where_there_is_time(world: World) -> None:
    world.look(entries=entry(at="23:29"))  # it takes more than half a minute, and less than a whole one
    assert world.look("2026-12-01 23:29") == 0
    assert [retry for _, retry in world.asked] == [False]


def test_a_machine_in_use_postpones_and_in_the_end_it_is_missed_because_of_that(world: World) -> None:
    with Machine(world.machine.name).among_others(lambda _: None, lambda: False):
        for when in ("2026-12-01 19:00", "2026-12-01 19:05"):
            assert world.look(when) == 0
    assert world.states[0] == "12-01 postponed busy"
    assert sum(each.what == "postponed" for each in world.entries) == 1
    assert world.look("2026-12-02 12:00") == 2
    assert world.states[0] == "12-01 missed busy"


def test_after_a_postponement_the_next_look_runs_it(world: World) -> None:
    with Machine(world.machine.name).among_others(lambda _: None, lambda: False):
        world.look("2026-12-01 19:00")
    assert world.look("2026-12-01 19:05") == 0
    assert world.states[0] == "12-01 ended"


def test_a_run_that_is_refused_is_missed_with_the_reason(world: World) -> None:
    world.ends = [Refused("no database here")]
    assert world.look("2026-12-01 19:00") == 2
    assert world.states[0] == "12-01 missed refused"
    assert "no database here" in world.told[-1][1].body


def test_what_was_interrupted_is_written_down_and_ends_the_command(world: World) -> None:
    world.ends = [Outcome((), api.Cut(api.How.INTERRUPTED))]
    with pytest.raises(KeyboardInterrupt):
        world.look("2026-12-01 19:00")
    assert world.states[0] == "12-01 missed stopped"


def test_a_look_that_died_is_found_by_the_next(world: World) -> None:
    world.ends = [SystemError("killed")]
    with pytest.raises(SystemError):
        world.look("2026-12-01 19:00")
    assert world.states[0] == "12-01 began"
    assert world.look("2026-12-01 19:05") == 2
    assert world.states[0] == "12-01 ended died"
    assert len(world.asked) == 1  # what it left may still be there: it is not begun once more


def test_a_dead_receiver_fails_no_drill_and_is_said_and_written(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.dead = {"desk"}
    assert world.look("2026-12-01 19:00") == 0
    assert "desk could not be told: no answer" in capsys.readouterr().err
    assert [each.receiver for each in world.entries if each.what == "not-told"] == ["desk", "desk"]
    assert world.states[0] == "12-01 ended"


def test_a_change_of_the_file_makes_no_date_of_the_past_due(world: World) -> None:
    world.look("2026-12-03 12:00", entries=entry(every="FREQ=WEEKLY;BYDAY=FR"))
    world.look("2026-12-10 12:00", entries=entry())
    assert "12-09 missed nobody-looked" not in world.states
    assert "12-10 planned" in world.states


def test_a_change_hides_no_date_that_was_due_already(world: World) -> None:
    assert world.look("2026-12-02 12:00", entries=entry(every="FREQ=WEEKLY;BYDAY=FR")) == 2
    assert world.states[0] == "12-01 missed changed"


def test_a_date_that_was_taken_out_before_it_was_due_is_withdrawn(world: World) -> None:
    assert world.look("2026-12-01 12:00", entries=entry(every="FREQ=WEEKLY;BYDAY=FR")) == 0
    assert world.states == ["12-01 withdrawn changed-before", "12-04 planned"]


def test_a_date_that_was_withdrawn_comes_back_with_the_file(world: World) -> None:
    world.look("2026-12-01 12:00", entries=entry(every="FREQ=WEEKLY;BYDAY=FR"))
    world.look("2026-12-01 13:00", entries=entry())
    assert world.states[0] == "12-01 planned"
    assert world.look("2026-12-01 19:00") == 0
    assert world.states[0] == "12-01 ended"


def test_seeds_are_drawn_by_chance_and_entered_as_such(world: World) -> None:
    world.look()
    world.look("2026-12-01 19:00")
    assert [request.drawn for request, _ in world.asked] == [True]


def test_a_blackout_that_is_added_is_a_reason(world: World) -> None:
    world.look(blackouts="[{why: {en: Freeze, ja: 凍結}, from: 2026-12-01, to: 2026-12-01}]")
    assert world.look("2026-12-01 20:00") == 0
    assert world.states[0] == "12-01 skipped blackout"


def test_two_looks_at_once(world: World) -> None:
    with Journal(world.folder / "runs").alone():
        assert world.look("2026-12-01 19:00") == 0
    assert world.asked == []
    assert world.said == ["another look goes on; the next one does what is left"]


def test_a_torn_line_costs_itself_alone(world: World) -> None:
    file = world.folder / "runs" / FILE
    file.write_bytes(file.read_bytes() + b'{"at":"2026-')
    assert world.look("2026-12-01 19:00") == 0
    assert [each.what for each in world.entries] == ["watched", "planned", "planned", "began", "ended"]


def test_the_clock_set_back_runs_nothing_twice(world: World) -> None:
    world.look("2026-12-01 19:00")
    assert world.look("2026-12-01 18:58") == 0
    assert world.look("2026-12-01 19:05") == 0
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("when", "looks"),
    [
        ("2027-03-14", [("06:55", 0), ("07:35", 1)]),  # 2:30 is 3:30 by then, 7:30 in UTC
        ("2027-11-07", [("05:25", 0), ("05:35", 1), ("06:35", 1)]),  # 1:30 comes at 5:30 and at 6:30 in UTC
    ],
)
def test_both_changes_of_the_clocks(tmp_path: Path, when: str, looks: list[tuple[str, int]]) -> None:
    world = World(tmp_path, datetime.fromisoformat(f"{when}T00:00+00:00"))
    at = "02:30" if when.startswith("2027-03") else "01:30"
    world.changed = {
        "zone": "America/New_York",
        "windows": "[{from: 00:30, to: 06:00}]",
        "entries": entry(at=at, days="any"),
    }
    world.look()
    for clock, runs in looks:
        world.now = datetime.fromisoformat(f"{when}T{clock}+00:00")
        assert world.look() == 0
        assert len(world.asked) == runs


def test_several_dates_go_one_after_the_other(world: World) -> None:
    drills = f"drills: [{DRILL}], every: FREQ=DAILY, since: 2026-12-01, at: 19:00"
    world.look(entries=f"{{a: {{{drills}}}, b: {{{drills}}}}}")
    assert world.look("2026-12-01 19:10") == 0
    assert [each.entry for each in world.entries if each.what == "began"] == ["a", "b"]


def test_the_page_of_the_runs_goes_with_it_where_that_is_wanted(world: World) -> None:
    world.look(tell="{desk: {url: 'json://127.0.0.1/desk', attach: true}}", link="https://drills/{run}?of={drill}")
    shutil.copytree(GOLDEN / "pass", world.folder / "runs" / passed()["run"])
    world.look("2026-12-01 19:00")
    before, after = (message for _, message in world.told)
    assert before.files == ()
    assert [file.name for file in after.files] == ["drill.html"]
    assert world.pages == [True]
    assert not after.files[0].exists()  # nothing of it stays here
    assert "https://drills/exchange-link-down/2026" in after.body
    assert f"?of={DRILL}" in after.body
