"""Drills as tests: an item an arm, which passes when the arm behaves as its drill declares.

So a ``no-action`` that passes is red: the drill is vacuous. A run that could not judge is made once more, as ``verify``
does; both are in the report. Options and hooks: ``kunren_pytest``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drills import api
from drills.commands.execution import chosen, complaints, error_of, parse_time, possible
from drills.errors import KunrenError
from drills.record.arm import NO_ACTION, Arm
from drills.record.folder import evidence_number
from drills.spec import planning
from drills.spec.drill import Drill
from drills.spec.request import RunRequest, again
from drills.verification import Row, verify_arm
from reports.replay import command, replay
from reports.terminal import print_card

Runner = Callable[[RunRequest, Sequence[api.Observer]], api.RunResult]

WIDTH = 100
FIELDS = ("drill", "arm", "seed", "verdict", "grade", "run", "evidence")
"""Of a row, what a test report has as properties."""


RUNNER = pytest.StashKey[Runner]()
"""In ``config.stash``: what carries out a run in place of ``drills.api.run``."""


class NotAsDeclared(Exception):
    """The arm showed something else than its drill declares; the message is for people."""


class DrillFile(pytest.File):
    """A file of a drill."""

    def collect(self) -> Iterator[DrillItem]:
        """An item for each of its arms; CollectError where file or target cannot be taken."""
        try:
            (drill,) = _chosen(self.config, self.path)
            arms = planning.arms_of(drill)
        except KunrenError as error:
            raise self.CollectError(str(error)) from None
        for arm in arms:
            yield DrillItem.from_parent(self, name=str(arm), drill=drill, arm=arm)


class DrillItem(pytest.Item):
    """An arm of a drill. Markers: ``drill``, its sources, its phase, its fidelity."""

    def __init__(self, *, drill: Drill, arm: Arm, **more: Any) -> None:
        super().__init__(**more)
        self.drill, self.arm = drill, arm
        for marker in ("drill", *drill.sources, drill.phase, drill.fidelity):
            if marker:
                self.config.addinivalue_line("markers", f"{marker}: of a drill (kunren)")
                self.add_marker(marker)

    def runtest(self) -> None:
        """Run the arm, and hold what it showed against what is declared."""
        request = possible(_request(self.config, self.drill, self.arm))
        result = self._run(request)
        if result.card.verdict == "invalid" and result.cut is None:
            result = self._run(again(request, result.card))
        row = verify_arm(self.drill, result.card, evidence_number(result.folder))
        self.user_properties += [(name, str(value)) for name in FIELDS if (value := getattr(row, name)) is not None]
        if not row.as_declared:
            raise NotAsDeclared("\n".join(_failure(row, result)))

    def _run(self, request: RunRequest) -> api.RunResult:
        result = _run(self.config, request)
        self.add_report_section("call", "scorecard", _shown(result))
        return result

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What people need: no traceback of ours for a drill that did not behave, or could not be run."""
        if isinstance(excinfo.value, NotAsDeclared | KunrenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The line of the drill's arms, which a report names as the test's place."""
        return self.path, self.drill.lines.get("arms", 1) - 1, f"{self.drill.called} {self.arm}"


def run_drill(config: pytest.Config, name: str | Path, arm: str | None, **more: Any) -> api.RunResult:
    """One run of the fixture ``drill``; ``more``: fields of ``RunRequest``. Refused where it cannot be run."""
    (drill,) = _chosen(config, name)
    asked = planning.usual_arm(drill) if arm is None else planning.arm_of(drill, arm)
    return _run(config, possible(replace(_request(config, drill, asked), **more)))


def _chosen(config: pytest.Config, name: str | Path) -> list[Drill]:
    option = config.option
    return chosen([str(name)], every=False, target=option.kunren_target, proxy=option.kunren_proxy)


def _request(config: pytest.Config, drill: Drill, arm: Arm) -> RunRequest:
    option = config.option
    reaction, runs = parse_time(option.kunren_reaction), Path(option.kunren_runs)
    return RunRequest(
        drill, arm, option.kunren_seed, runs, reaction, option.kunren_proxy, target=option.kunren_target,
        drawn=option.kunren_seed_drawn,
    )  # fmt: skip


def _run(config: pytest.Config, request: RunRequest) -> api.RunResult:
    """Its result; what cut it short is raised, but for a run that failed half-way, whose card says so."""
    try:
        result = config.stash.get(RUNNER, api.run)(request, (complaints,))
    except api.Stopped as stopped:
        raise error_of(stopped.cut) from None
    if result.cut is not None and result.cut.how is not api.How.FAILED:
        raise error_of(result.cut)
    return result


def _shown(result: api.RunResult) -> str:
    into = io.StringIO()
    print_card(Console(file=into, width=WIDTH, highlight=False), result.card, result.history, result.folder)
    return into.getvalue()


def _failure(row: Row, result: api.RunResult) -> Iterator[str]:
    """Why it is red: what was declared, what came, where it lies, how to have it again."""
    if not row.judged:
        times = ", twice" if row.verdict == "invalid" else ""
        yield f"{row.called} {row.arm} could not judge{times}: nothing is shown of the drill; {row.says}"
    elif row.arm == str(NO_ACTION) and row.verdict == "pass":
        yield f"{row.called} {row.arm} passed: vacuous, without a runbook the fault does no harm that the drill sees"
    else:
        yield f"{row.called} {row.arm}: {row.verdict}{f' ({row.grade})' if row.grade else ''}; {row.says}"
    if row.red:
        yield f"red: {', '.join(row.red)}"
    yield f"seed {row.seed}; run {result.folder}" + (f"; evidence {row.evidence}" if row.evidence else "")
    yield f"again: {command(replay(result.card))}"
