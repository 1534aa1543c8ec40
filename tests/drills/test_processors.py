"""Who used the processors: what is measured, what goes on record, and what is judged of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drills.cards import score
from drills.execution.processors import Meter, Processors, Use, machine
from drills.record.history import NS, Kind, Objective, Status
from targets.containers.controlgroups import counters, used

from .synthetic import Draft, correct, replanned
from .words import limits_of

CHECK = "processors-available"
STAT = """cpu  30 0 30 40 0 0 0 0 0 0
cpu0 10 1 9 70 5 2 2 1 4 0
cpu1 50 0 20 20 0 0 0 10 0 0
intr 1 2 3
"""


# -- measured ---------------------------------------------------------------------------------------------------------


def test_busy_is_all_but_idle_and_waiting_for_a_disk_and_what_a_host_gave_to_others_counts_guests_once() -> None:
    tick = NS // os.sysconf("SC_CLK_TCK")
    assert machine(STAT, {0}) == (25 * tick, 75 * tick)
    assert machine(STAT, {0, 1}) == (105 * tick, 95 * tick)


def test_a_processor_without_a_line_is_an_error() -> None:
    with pytest.raises(ValueError, match="no line of processor 7"):
        machine(STAT, {0, 7})


def test_what_a_child_burns_is_the_runs_own_also_when_it_has_ended() -> None:
    meter = Meter(lambda: 0)
    before = meter()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    after = meter()
    assert before is not None
    assert after is not None
    assert after.since(before).ours >= NS // 4


BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_what_the_target_uses_elsewhere_is_the_runs_own() -> None:
    own, more = Meter(lambda: 0)(), Meter(lambda: 500 * NS)()
    assert own is not None
    assert more is not None
    assert more.ours - own.ours >= 500 * NS


def test_a_target_that_cannot_tell_is_not_measured() -> None:
    assert Meter(lambda: None)() is None


@pytest.mark.parametrize(
    ("use", "contended"),
    [
        (Use(ours=40, others=60, idle=0), True),
        (Use(ours=60, others=36, idle=4), True),
        (Use(ours=67, others=33, idle=0), False),  # ours alone would have kept most of it busy
        (Use(ours=20, others=70, idle=10), False),  # something was left
        (Use(ours=0, others=0, idle=0), False),
    ],
)
def test_contended_is_where_others_had_much_and_nothing_was_left(use: Use, contended: bool) -> None:
    assert use.contended is contended


def test_a_process_that_took_its_time_with_it_makes_nothing_negative() -> None:
    assert Use(5, 5, 5).since(Use(7, 9, 1)) == Use(0, 0, 4)


@pytest.mark.parametrize(
    ("line", "file", "content"),
    [
        ("0::/system.slice/docker-abc.scope", "system.slice/docker-abc.scope/cpu.stat", "usage_usec 7\nuser_usec 3\n"),
        ("9:name=systemd:/x\n3:cpu,cpuacct:/docker/abc", "cpuacct/docker/abc/cpuacct.usage", "7000\n"),
    ],
)
def test_containers_are_counted_by_their_control_groups_of_either_version(
    tmp_path: Path, line: str, file: str, content: str
) -> None:
    (tmp_path / "proc/12").mkdir(parents=True)
    (tmp_path / "proc/12/cgroup").write_text(line + "\n")
    where = tmp_path / "groups" / file
    where.parent.mkdir(parents=True)
    where.write_text(content)
    found = counters([12], tmp_path / "proc", tmp_path / "groups")
    assert found == [where]
    assert used(found) == 7000
    where.unlink()  # while it is being started anew
    assert used(found) == 0


@pytest.mark.parametrize("line", ["0::/", "3:cpu,cpuacct:/", "0::/elsewhere"])
def test_the_root_group_or_one_not_shown_here_tells_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "12").mkdir()
    (tmp_path / "12/cgroup").write_text(line + "\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 7\n")
    assert counters([12], tmp_path, tmp_path) is None
    assert counters([13], tmp_path, tmp_path) is None


# -- put on record ----------------------------------------------------------------------------------------------------


class Noted(list[tuple[str, Mapping[str, Any] | None]]):
    """What was noted, without the times."""

    def __call__(self, actor: str, kind: Kind, what: str, data: Mapping[str, Any] | None) -> None:
        assert (actor, kind) == ("runner", Kind.INFO)
        self.append((what, {name: each for name, each in (data or {}).items() if not name.endswith("ns")}))


def looks(*uses: Use | None) -> Noted:
    noted, left = Noted(), list(uses)
    monitor = Processors(noted, lambda: left.pop(0))
    while len(left) > 1:
        monitor.look()
    monitor.end()
    return noted


def test_each_contended_window_is_an_event_and_the_figures_come_at_the_end() -> None:
    assert looks(Use(0, 0, 0), Use(50, 10, 40), Use(70, 90, 40), Use(100, 100, 100)) == [
        ("contended", {"ours": 0.2, "others": 0.8, "idle": 0.0}),
        ("processors", {"windows": 3, "ours": 0.333, "others": 0.333, "idle": 0.333}),
    ]


def test_where_it_cannot_be_measured_nothing_is_on_record() -> None:
    assert looks(None, Use(1, 1, 1)) == []
    assert looks(Use(0, 0, 0), None, Use(1, 1, 1)) == []


def test_after_the_end_there_is_no_more_look() -> None:
    noted, now = Noted(), time.monotonic_ns
    monitor = Processors(noted, lambda: Use(now(), 0, 0))
    monitor.end()
    monitor.look()
    monitor.end()
    assert [what for what, _ in noted] == ["processors"]


# -- judged -----------------------------------------------------------------------------------------------------------


def contended(draft: Draft, windows: int, total: int | None = None) -> Draft:
    for n in range(windows):
        draft.note(8 + n, "runner", Kind.INFO, "contended", ns=NS, ours=0.3, others=0.7, idle=0.0)
    draft.note(19, "runner", Kind.INFO, "processors", windows=20, contended_ns=total or windows * NS, others=0.6)
    return draft


def lost_order(draft: Draft) -> Draft:
    draft.oms = [row for row in draft.oms if row.t_ns < draft.oms[len(draft.oms) // 2].t_ns]
    return draft


def cells(draft: Draft) -> tuple[str, list[str]]:
    card = score(draft.history(), "0" * 64)
    return card.verdict, [check.verdict for check in card.checks if check.id == CHECK]


def test_a_run_that_would_fail_on_contended_processors_cannot_judge_and_names_the_cause() -> None:
    assert cells(lost_order(correct(3)))[0] == Status.FAIL
    assert cells(contended(lost_order(correct(3)), 2)) == (Status.FAIL, [])
    card = score(contended(lost_order(correct(3)), 3).history(), "0" * 64)
    assert card.verdict == Status.INVALID
    assert card.cannot_judge is not None
    assert card.cannot_judge.causes == [CHECK]
    assert card.cannot_judge.fix == CHECK


def test_nor_does_one_that_misses_an_objective() -> None:
    strict = [Objective("recover", 1.0, "s")]
    assert cells(replanned(correct(3), objectives=strict))[0] == Status.FAIL
    assert cells(contended(replanned(correct(3), objectives=strict), 9)) == (Status.INVALID, [Status.INVALID])


def test_a_pass_stays_one_and_the_card_says_so_among_its_limits() -> None:
    assert cells(contended(correct(3), 9)) == (Status.PASS, [Status.PASS])
    said = limits_of(score(contended(correct(3), 9).history(), "0" * 64))
    assert [each for each in said if each.startswith(CHECK)] == [
        f"{CHECK}: other programs kept all processors busy for 9.0 s of 26.0 s (limit 2.0 s):"
        " what came late may be this machine's doing"
    ]


def test_windows_whose_figures_are_gone_count_as_well_as_figures_whose_windows_are() -> None:
    alone = contended(lost_order(correct(3)), 3)
    alone.events = [event for event in alone.events if event[3] != "processors"]
    assert cells(alone)[0] == Status.INVALID
    assert cells(contended(lost_order(correct(3)), 0, 3 * NS))[0] == Status.INVALID


def test_on_a_machine_of_its_own_nothing_is_said() -> None:
    assert cells(contended(correct(3), 0)) == (Status.PASS, [])
