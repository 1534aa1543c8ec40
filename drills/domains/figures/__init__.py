"""Figures that customers are shown, and what they do with them."""

from __future__ import annotations

from drills.domains.figures.checks import CHECKS
from drills.domains.figures.metrics import HARMS, METRICS, RESIDUALS
from drills.domains.figures.restored import RIGHT_AGAIN
from drills.domains.figures.rows import ROWS
from drills.domains.figures.words import WORDS
from drills.judge.domain import Domain

DOMAIN = Domain(
    "figures",
    checks=CHECKS,
    metrics=METRICS,
    harms=HARMS,
    restored=(RIGHT_AGAIN,),
    residuals=RESIDUALS,
    words=WORDS,
    rows=ROWS,
)
