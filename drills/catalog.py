"""The catalogue as a table: every drill with the verdict of its last run."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from drills.runfolder.runs import list_runs
from drills.spec import catalogue, load_drill


class Listed(msgspec.Struct, frozen=True):
    """One line of ``kunren list``; ``last_*`` are None when it was never run, ``last_verdict`` also when not judged."""

    drill: str
    title: dict[str, str]
    sources: list[str]
    fidelity: str
    last_verdict: str | None
    last_arm: str | None
    last_run: str | None


def listing(runs: Path) -> list[Listed]:
    """All drills, by name."""
    return [_listed(name, file, runs) for name, file in catalogue(variants=True).items()]


def _listed(name: str, file: Path, runs: Path) -> Listed:
    drill = load_drill(file)
    last = next((run for run in reversed(list_runs(runs)) if run.parent.name == drill.name), None)
    card = _card(last)
    return Listed(
        name,
        msgspec.to_builtins(drill.title),
        list(drill.sources),
        drill.fidelity,
        card.get("verdict"),
        card.get("arm"),
        None if last is None else f"{last.parent.name}/{last.name}",
    )


def _card(run: Path | None) -> dict[str, str]:
    if run is None:
        return {}
    try:
        card = json.loads((run / "scorecard.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
