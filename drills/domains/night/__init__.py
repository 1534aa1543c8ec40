"""The night batch: its calendar, its jobs, and when the day opens."""

from __future__ import annotations

from drills.domains.night.checks import CHECKS
from drills.domains.night.rows import ROWS
from drills.domains.night.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("night", checks=CHECKS, words=WORDS, rows=ROWS)
