"""Orders and executions, held against the exchange's book."""

from __future__ import annotations

from drills.domains.orders.checks import CHECKS
from drills.domains.orders.metrics import HARMS, METRICS, RESIDUALS
from drills.domains.orders.rows import ROWS
from drills.domains.orders.settlement import AGREE
from drills.domains.orders.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain(
    "orders",
    checks=CHECKS,
    metrics=METRICS,
    harms=HARMS,
    reconciled=(AGREE,),
    residuals=RESIDUALS,
    words=WORDS,
    rows=ROWS,
)
