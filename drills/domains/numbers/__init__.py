"""Order numbers: each live one given once, the same on both sides, and room before their limit."""

from __future__ import annotations

from drills.domains.numbers.checks import CHECKS
from drills.domains.numbers.facts import BOOK
from drills.domains.numbers.metrics import HARMS, METRICS
from drills.domains.numbers.rows import ROWS
from drills.domains.numbers.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("numbers", checks=CHECKS, metrics=METRICS, harms=HARMS, words=WORDS, rows=ROWS, only_with=(BOOK,))
