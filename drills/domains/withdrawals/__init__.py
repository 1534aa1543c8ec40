"""Withdrawals: what the bank paid out, against what customers asked for and what the brokerage made of it."""

from __future__ import annotations

from drills.domains.withdrawals.checks import CHECKS
from drills.domains.withdrawals.facts import BOOK
from drills.domains.withdrawals.metrics import HARMS, METRICS
from drills.domains.withdrawals.rows import ROWS
from drills.domains.withdrawals.settled import RESIDUALS, SETTLED
from drills.domains.withdrawals.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain(
    "withdrawals",
    checks=CHECKS,
    metrics=METRICS,
    harms=HARMS,
    reconciled=(SETTLED,),
    residuals=RESIDUALS,
    words=WORDS,
    rows=ROWS,
    only_with=(BOOK,),
)
