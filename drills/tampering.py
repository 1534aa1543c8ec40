"""Whether a run folder is still what it was: the chain, the card against the inputs, the signature. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from drills.runfolder.names import CARD
from drills.runfolder.signature import load_public, verify_signature
from drills.scorecard import RULES, Scorecard
from drills.store import card_bytes, verify_evidence


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences: ``problems`` mean that something was changed, ``notes`` are worth knowing."""

    problems: list[str]
    notes: list[str]


def examine(folder: Path, card: Scorecard, public_key: Path | None = None) -> Findings:
    """Compare a folder with its chain, with the ``card`` that its inputs give, and with its signature.

    With ``public_key`` it must be signed with that key. Refused when that file holds no key.
    """
    wanted = None if public_key is None else load_public(public_key)
    forged, signed = verify_signature(folder, wanted)
    falsified, other_rules = _card(folder, card)
    notes = [*other_rules, *([] if signed is None else [f"signed with the key {signed}"])]
    return Findings([*verify_evidence(folder), *falsified, *forged], notes)


class _Rules(msgspec.Struct):
    rules: int


def _card(folder: Path, card: Scorecard) -> tuple[list[str], list[str]]:
    """Problems and notes: a card whose line in the chain was forged along with it still does not fit the inputs."""
    try:
        content = (folder / CARD).read_bytes()
    except OSError:
        return [], []  # missing where it is due: the chain says so
    if content == card_bytes(card):
        return [], []
    try:
        rules = msgspec.json.decode(content, type=_Rules).rules
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rules = RULES
    if rules != RULES:
        return [], [f"{CARD} was written under rules {rules}; under {RULES} it cannot be compared, and is judged anew"]
    return [f"{CARD} is not the card that these inputs give under rules {RULES}: it was falsified"], []
