"""Cash: the double-entry ledger."""

from __future__ import annotations

from drills.domains.cash.checks import CHECKS
from drills.domains.cash.metrics import METRICS
from drills.domains.cash.rows import ROWS
from drills.domains.cash.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("cash", checks=CHECKS, metrics=METRICS, words=WORDS, rows=ROWS)
