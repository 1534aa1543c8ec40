"""The transaction log: what was written down before it went on to the api, and the volume on which it lies."""

from __future__ import annotations

from drills.domains.transaction_log.checks import CHECKS
from drills.domains.transaction_log.facts import BOOK
from drills.domains.transaction_log.metrics import HARMS, METRICS
from drills.domains.transaction_log.rows import ROWS
from drills.domains.transaction_log.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain(
    "transaction-log", checks=CHECKS, metrics=METRICS, harms=HARMS, words=WORDS, rows=ROWS, only_with=(BOOK,)
)
