"""From a run folder to its card: read, judge, write the same bytes whoever asks."""

from __future__ import annotations

from pathlib import Path

from drills.history import History
from drills.score import score
from drills.scorecard import Scorecard
from drills.store import evidence_number, read, write_card


def judge(folder: Path) -> tuple[Scorecard, History]:
    """The card of a run folder and the history behind it; writes nothing."""
    history = read(folder)
    return score(history, evidence_number(folder)), history


def judge_and_write(folder: Path) -> tuple[Scorecard, History]:
    """The same, and ``scorecard.json`` beside the inputs."""
    card, history = judge(folder)
    write_card(folder, card)
    return card, history
