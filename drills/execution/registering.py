"""The run's own entries in the register: one before anything is injected, one when it has been judged."""

from __future__ import annotations

import hashlib
import os
import platform
import pwd
from pathlib import Path

from drills.errors import Refused
from drills.judge.scorecard import Scorecard
from drills.record.entries import Begun, Ended
from drills.record.history import History, Registered, RunRecord
from drills.record.names import StoreError
from drills.record.register import enter, limits_hash
from drills.spec.request import RunRequest


def enter_begun(request: RunRequest, record: RunRecord) -> Registered:
    """What is about to be carried out, against which limits, and by whom.

    Refused where it cannot be entered: nothing is injected in a run that could be hidden.
    """
    try:
        return enter(request.runs, _begun(request, record))
    except StoreError as error:
        raise Refused(f"the run cannot be entered in the register: {error.message}", error.fix) from error


def _begun(request: RunRequest, record: RunRecord) -> Begun:
    plan = record.plan
    return Begun(
        run=record.run,
        drill=plan.drill,
        variant=plan.variant,
        arm=plan.arm,
        seed=plan.seed,
        drawn=request.drawn,
        target=record.target,
        operator=plan.operator,
        pace=plan.pace,
        drill_sha256=plan.drill_sha256,
        runbook_sha256=plan.runbook_sha256,
        limits=limits_hash(plan),
        who=who(),
        kunren=record.kunren,
        subject=record.subject,
        attempts=record.attempts,
        purpose=request.purpose,
    )


def enter_ended(folder: Path, card: Scorecard, history: History, content: bytes | None) -> None:
    """What came of a run that was entered before; ``content``: of its card, None where it could not be written.

    StoreError where it cannot be entered.
    """
    if not isinstance(history.run.register, Registered):
        return
    reason = "no-end" if history.run.end is None else history.run.end.reason
    digest = None if content is None else hashlib.sha256(content).hexdigest()
    ended = Ended(
        run=card.run, reason=reason, verdict=card.verdict, grade=card.grade, evidence=card.evidence, card=digest
    )
    enter(folder.resolve().parent.parent, ended)


def who() -> str:
    """The account under which the run is carried out, and the machine; a name in the environment does not count."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container that was given a uid only
        name = f"uid {uid}"
    return f"{name}@{platform.node()}"
