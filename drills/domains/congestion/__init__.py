"""More orders than can be passed on: who was served, who was kept waiting and how fairly, and what nobody was told of.

It judges only runs of a target whose orders have to wait for a slot (setting ``api.slots``): elsewhere an order that a
customer gave up on is a matter of the orders' own domain alone.
"""

from __future__ import annotations

from drills.domains.congestion.checks import CHECKS
from drills.domains.congestion.facts import BOOK
from drills.domains.congestion.metrics import HARMS, METRICS, RESIDUALS
from drills.domains.congestion.rows import ROWS
from drills.domains.congestion.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain(
    "congestion",
    checks=CHECKS,
    metrics=METRICS,
    harms=HARMS,
    residuals=RESIDUALS,
    words=WORDS,
    rows=ROWS,
    only_with=(BOOK,),
)
