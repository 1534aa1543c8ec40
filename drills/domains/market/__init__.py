"""Prices at the exchange while they move: what was refused on an old one, and what late orders would have paid."""

from __future__ import annotations

from drills.domains.market.checks import CHECKS
from drills.domains.market.facts import BOOK
from drills.domains.market.metrics import METRICS
from drills.domains.market.rows import ROWS
from drills.domains.market.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("market", checks=CHECKS, metrics=METRICS, words=WORDS, rows=ROWS, only_with=(BOOK,))
