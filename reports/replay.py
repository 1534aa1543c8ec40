"""The lines to copy: how to have the very same run again, look closer at this one, and put it beside another."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from drills.judge.scorecard import Scorecard
from drills.record.history import NS, PERSON_ACTS, REACTION
from drills.spec.pace import PERSON, ROBOT
from reports.card import called

USUAL_REACTION_S, USUAL_PROXY, USUAL_TARGET = REACTION / NS, "auto", "local"
"""What ``kunren run`` takes where it was told nothing."""


def replay(card: Scorecard) -> list[str]:
    """Arguments of ``kunren`` that ask for the very run of the card: drill, arm, seed, and all that was unusual."""
    asked = card.asked
    argv = ["run", asked.drill if asked else called(card), "--arm", card.arm, "--seed", str(card.seed)]
    if card.target != USUAL_TARGET:
        argv += ["--target", card.target]
    if asked and asked.runbook is not None:
        argv += ["--runbook", asked.runbook]
    if card.operator.kind == "robot" and (reaction := _reaction(card)) not in (None, USUAL_REACTION_S):
        argv += ["--reaction", f"{_plain(reaction)}s"]
    person = card.operator.kind == PERSON_ACTS
    if person:
        argv += ["--operator", PERSON_ACTS]
    if card.operator.pace != (PERSON if person else ROBOT):
        argv += ["--pace", card.operator.pace]
    if asked and asked.proxy != USUAL_PROXY:
        argv += ["--proxy", asked.proxy]
    if card.subject is not None:
        argv += ["--subject", card.subject]
    return argv


def command(argv: list[str]) -> str:
    """The command as a line for a shell."""
    return shlex.join([program(), *argv])


def program() -> str:
    """How this very program can be called again from here."""
    called = Path(sys.argv[0])
    if called.name != "kunren" or not called.exists():
        return "kunren"
    beside = os.path.relpath(called)
    return beside if not beside.startswith("..") else str(called)


def _reaction(card: Scorecard) -> float | None:
    if card.asked is not None:
        return card.asked.reaction_s
    return card.operator.reaction_s if card.operator.opened else None


def _plain(seconds: float | None) -> str:
    """Without an exponent, which no option takes."""
    return f"{seconds or 0:.3f}".rstrip("0").rstrip(".")
