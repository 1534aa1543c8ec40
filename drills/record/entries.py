"""What the register says of a run: that it was begun, what came of it, and what was done to its folder later."""

from __future__ import annotations

import msgspec

RETEST = "retest"
"""The ``purpose`` of a run that is to show that a finding is no more."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="what"):
    """``n`` counts lines from 0; ``previous`` is the hash of the line before, empty in the first; ``at`` is UTC."""

    n: int = -1
    previous: str | None = None
    at: str = ""
    run: str  # DRILL/FOLDER


class Begun(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="begun"):
    """A run that is about to be carried out; nothing has been injected yet. ``limits`` is the hash of its limits."""

    drill: str
    variant: str | None = None
    arm: str
    seed: int
    drawn: bool = False  # whether chance chose the seed, not a person
    target: str
    operator: str  # auto | human | none
    pace: str = "robot"
    drill_sha256: str
    runbook_sha256: str | None = None
    limits: str
    who: str
    kunren: str
    subject: str | None = None
    attempts: int = 1
    purpose: str | None = None


class Ended(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="ended"):
    """What came of it; ``card`` is the SHA-256 of its card, None where that could not be written."""

    reason: str
    verdict: str
    grade: str | None = None
    evidence: str | None = None
    card: str | None = None


class Rejudged(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="rejudged"):
    """Its card was made anew from the same inputs, under the rules of another version."""

    verdict: str
    rules: int
    card: str


class Pruned(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="pruned"):
    """Its evidence was removed to make room; the card stays."""

    evidence: str | None = None
    card: str


Entry = Begun | Ended | Rejudged | Pruned
