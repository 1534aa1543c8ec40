"""Certificates: what customers are shown under each name, whether it is accepted, listed, and looked at by clients."""

from __future__ import annotations

from drills.domains.certificates.checks import CHECKS
from drills.domains.certificates.facts import BOOK
from drills.domains.certificates.metrics import METRICS
from drills.domains.certificates.rows import ROWS
from drills.domains.certificates.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain("certificates", checks=CHECKS, metrics=METRICS, words=WORDS, rows=ROWS, only_with=(BOOK,))
