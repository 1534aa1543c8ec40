"""Corrections of data, and what they must leave behind."""

from __future__ import annotations

from drills.domains.repairs.checks import CHECKS
from drills.domains.repairs.rows import ROWS
from drills.domains.repairs.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("repairs", checks=CHECKS, words=WORDS, rows=ROWS)
