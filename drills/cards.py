"""From a run folder to its card: read, judge, compare with the card that lies there, write it where that is asked."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from drills.domains.registry import DOMAINS
from drills.judge import score as judging
from drills.judge.keptcard import kept_card
from drills.judge.scorecard import RULES, Scorecard
from drills.record.entries import Rejudged
from drills.record.folder import card_bytes, evidence_number, read, sealed, verify_inputs, write_card
from drills.record.history import History, Registered
from drills.record.names import CARD, PRUNED, StoreError, Unusable
from drills.record.reading import FIXES, present
from drills.record.register import enter, read_register


def score(history: History, evidence_head: str | None) -> Scorecard:
    """The card of a history, by all domains. ``evidence_head``: of the chain over its files, None if not sealed."""
    return judging.score(history, evidence_head, DOMAINS.of_run(history.run))


@dataclass(frozen=True, slots=True)
class Judged:
    """A card with its history. ``problems`` mean that folder and card do not fit; ``notes`` are worth knowing."""

    card: Scorecard
    history: History
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge(folder: Path) -> tuple[Scorecard, History]:
    """The card that a run folder's inputs give, and the history behind it; writes nothing.

    Unusable when they cannot be read or held in memory now, or were removed on purpose.
    """
    _refuse_pruned(folder)
    try:
        history = read(folder, DOMAINS.books)
        return score(history, evidence_number(folder)), history
    except MemoryError:
        raise Unusable(f"cannot judge {folder}: out of memory", FIXES[errno.ENOMEM]) from None


def judge_and_write(folder: Path) -> tuple[Scorecard, History]:
    """The same, and ``scorecard.json`` beside the inputs."""
    card, history = judge(folder)
    write_card(folder, card)
    return card, history


def compare_with_kept(folder: Path) -> Judged:
    """The card of a run folder, compared with the one that lies there; writes nothing.

    One that was made under other rules is handed back as it lies there, for a difference would say nothing of it.
    Unusable where it has a schema that this version does not read.
    """
    _refuse_pruned(folder)
    kept = kept_card(folder)
    if kept is not None and (kept.of_other_rules or kept.of_another_schema):
        return Judged(kept.decoded(folder), read(folder, DOMAINS.books), notes=(kept.note(),))
    card, history = judge(folder)
    if kept is None:
        return Judged(
            card, history, notes=("no card lies in the folder: judged now; kunren check --rejudge writes it",)
        )
    if kept.content != card_bytes(card):
        return Judged(card, history, (f"{CARD} is not the card that these inputs give under rules {RULES}",))
    return Judged(card, history)


def _refuse_pruned(folder: Path) -> None:
    if present(folder / PRUNED):
        fix = "its card is kept: kunren compare and kunren trend show it"
        raise Unusable(f"{folder}: the evidence was removed by kunren runs prune, so nothing can be judged again", fix)


def rejudge(folder: Path) -> Judged:
    """The card that the inputs give, written where another lies or none.

    A sealed folder whose inputs were changed since is left as it was found. Unusable where it cannot be written.
    """
    card, history = judge(folder)
    changed = verify_inputs(folder) if sealed(folder) else []
    if changed:
        return Judged(card, history, (f"{CARD} is left as it is, the inputs are not as they were sealed", *changed))
    before = kept_card(folder)
    try:
        content = write_card(folder, card)
        if before is None or before.content != content:
            _enter_rejudged(folder, card, history, content)
    except Unusable:
        raise
    except StoreError as error:
        raise Unusable(error.message, "copy the folder to where you may write to it") from error
    return Judged(card, history)


def _enter_rejudged(folder: Path, card: Scorecard, history: History, content: bytes) -> None:
    """In the register that lies beside it and has the run, so that the new card is the one that is expected there."""
    runs = folder.resolve().parent.parent
    if isinstance(history.run.register, Registered) and card.run in read_register(runs).begun():
        digest = hashlib.sha256(content).hexdigest()
        enter(runs, Rejudged(run=card.run, verdict=card.verdict, rules=card.rules, card=digest))
