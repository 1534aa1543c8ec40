"""Execution notices."""

from __future__ import annotations

from drills.domains.notices.checks import CHECKS
from drills.domains.notices.metrics import HARMS, METRICS, RESIDUALS
from drills.domains.notices.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("notices", checks=CHECKS, metrics=METRICS, harms=HARMS, residuals=RESIDUALS, words=WORDS)
