"""A person's pace in a drill's file: what it may change, and where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.errors import BadInput, Refused
from drills.record.arm import RUNBOOK
from drills.record.history import NS, Person
from drills.spec.drill import Drill, load_drill
from drills.spec.pace import PERSON, ROBOT
from drills.spec.request import RunRequest, plan_of
from drills.spec.wire import from_wire, to_wire

from .test_spec_errors import GOOD, WORDS

PACE = """pace:
  person:
    compression: 6
    triggers: [{timeout: 5000}]
    objectives: {detect: 2m}
    cap: 4m
"""


def written(folder: Path, pace: str = PACE) -> Drill:
    file = folder / "drill.yaml"
    (folder / "runbook.yaml").touch()
    file.write_text(GOOD + pace)
    return load_drill(file, WORDS)


def test_at_a_persons_pace_factor_triggers_limits_and_cap_differ_and_nothing_else(tmp_path: Path) -> None:
    usual = written(tmp_path)
    slower = usual.at_pace(PERSON)
    assert (usual.compression, usual.cap, usual.pace_name) == (None, 20 * NS, ROBOT)
    assert (slower.compression, slower.cap, slower.pace_name) == (6, 240 * NS, PERSON)
    assert [(each.id, each.limit) for each in slower.objectives] == [
        ("detect", 120.0), ("duplicated", 0.0), ("served_ratio", 0.5),
    ]  # fmt: skip
    assert slower.timeline[0].fault.params.keys() == {"link", "stream", "timeout"}
    assert "timeout" not in usual.timeline[0].fault.params
    assert (slower.services, slower.checks, slower.sha256) == (usual.services, usual.checks, usual.sha256)
    assert usual.at_pace(ROBOT) is usual


def test_a_drill_without_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has no pace for a person"):
        written(tmp_path, "").at_pace(PERSON)


@pytest.mark.parametrize(
    ("pace", "line", "says"),
    [
        ("pace: {robot: {cap: 4m}}\n", 1, "pace: unknown key 'robot'; known: person"),
        ("pace:\n  person: {compression: 6}\n", 2, "pace.person: missing key 'cap'"),
        ("pace:\n  person:\n    cap: 4m\n    compression: 0\n", 4, "a whole number"),
        ("pace:\n  person:\n    cap: 4m\n    triggers: [{timeout: 1}, {timeout: 1}]\n", 4, "has no such fault"),
        ("pace:\n  person:\n    cap: 4m\n    triggers: [{colour: red}]\n", 4, "unknown key 'colour'"),
        ("pace:\n  person:\n    cap: 4m\n    triggers: [{timeout: -1}]\n", 4, "timeout"),
        ("pace:\n  person:\n    cap: 4m\n    triggers: {timeout: 1}\n", 4, "a list"),
        ("pace:\n  person:\n    cap: 4m\n    objectives:\n      recover: 9m\n", 5, "unknown objective of the drill"),
        ("pace:\n  person:\n    cap: 4m\n    objectives: {detect: 5m}\n", 3, "pace.person: objectives.detect"),
        ("pace:\n  person:\n    cap: 1h\n", 3, "pace.person: cap: no load lasts longer"),
    ],
)
def test_refused_with_line_and_words(tmp_path: Path, pace: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        written(tmp_path, pace)
    assert says in refused.value.says
    assert refused.value.line == GOOD.count("\n") + line


def test_pace_and_person_reach_the_plan_and_cross_to_the_runs_process(tmp_path: Path) -> None:
    sato = Person("Sato", "shift-lead")
    drill = load_drill("night-batch-lock").at_pace(PERSON)
    asked = RunRequest(drill, RUNBOOK, 7, tmp_path, person=sato)
    found = from_wire(to_wire(asked))
    plan = plan_of(found, None)
    assert (plan.pace, plan.operator, plan.person, plan.compression) == (PERSON, "human", sato, 6)
    assert plan.faults[0].params["outlasts"] == 420
    assert plan_of(RunRequest(load_drill("night-batch-lock"), RUNBOOK, 7, tmp_path), None).compression == 60
