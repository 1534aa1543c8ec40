"""The spool of notices: whether its volume has room, and whether somebody was warned before it had none."""

from __future__ import annotations

from drills.domains.spool.checks import CHECKS
from drills.domains.spool.facts import BOOK
from drills.domains.spool.metrics import METRICS
from drills.domains.spool.rows import ROWS
from drills.domains.spool.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("spool", checks=CHECKS, metrics=METRICS, words=WORDS, rows=ROWS, only_with=(BOOK,))
