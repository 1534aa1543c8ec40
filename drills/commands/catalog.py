"""The catalogue as a table: every drill with the verdict of its last run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from drills.api import forecast
from drills.judge.keptcard import kept_card
from drills.judge.scorecard import RULES
from drills.judge.unjudged import judges
from drills.record.history import PERSON_ACTS
from drills.record.runs import list_runs
from drills.spec.drill import Drill, catalogue, load_drill
from drills.spec.planning import usual_arm
from drills.spec.request import RunRequest


class Listed(msgspec.Struct, frozen=True):
    """One line of ``kunren list``; ``last_*`` are None when it was never run, ``last_verdict`` also when not judged.

    ``takes_s``: how long its usual arm takes at most, start and stop included.
    """

    drill: str
    title: dict[str, str]
    sources: list[str]
    fidelity: str
    last_verdict: str | None
    last_arm: str | None
    last_run: str | None
    last_rules: int | None = None
    last_operator: str | None = None
    takes_s: int | None = None

    @property
    def last(self) -> str:
        """The last verdict for people, with its rules' number where this version judges by others.

        A run that could not judge has none.
        """
        if self.last_run is None:
            return "not run yet"
        if self.last_verdict is None:
            return "not judged"
        rules = "" if self.last_rules in (None, RULES) else f", rules {self.last_rules}"
        rules += ", a person" if self.last_operator == PERSON_ACTS else ""
        return f"{self.last_verdict if judges(self.last_verdict) else 'cannot judge'} ({self.last_arm}{rules})"


class _Operator(msgspec.Struct, frozen=True):
    kind: str | None = None


class _Card(msgspec.Struct, frozen=True):
    """As much of a card as the list shows, whatever its rules."""

    variant: str | None = None
    verdict: str | None = None
    arm: str | None = None
    rules: int | None = None
    operator: _Operator | None = None


def listing(runs: Path) -> list[Listed]:
    """All drills, by name."""
    newest_first = list_runs(runs)[::-1]
    return [_listed(name, file, runs, newest_first) for name, file in catalogue(variants=True).items()]


def _listed(name: str, file: Path, runs: Path, newest_first: Sequence[Path]) -> Listed:
    drill = load_drill(file)
    last, card = _last(drill, newest_first)
    return Listed(
        name,
        msgspec.to_builtins(drill.title),
        list(drill.sources),
        drill.fidelity,
        card.verdict,
        card.arm,
        None if last is None else f"{last.parent.name}/{last.name}",
        card.rules,
        None if card.operator is None else card.operator.kind,
        round(forecast(RunRequest(drill, usual_arm(drill), seed=0, runs=runs))),
    )


def _last(drill: Drill, newest_first: Sequence[Path]) -> tuple[Path | None, _Card]:
    """Its newest run with the card; of a folder without a readable one nobody knows which variant it was."""
    for run in newest_first:
        if run.parent.name == drill.name and (card := _card(run)).variant == drill.variant:
            return run, card
    return None, _Card()


def _card(run: Path) -> _Card:
    kept = kept_card(run)
    if kept is None or kept.rules is None:
        return _Card()
    try:
        return msgspec.json.decode(kept.content, type=_Card)
    except msgspec.DecodeError:
        return _Card()
