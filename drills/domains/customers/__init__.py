"""The customers' journal: what the load asked and was answered. Other domains judge by it."""

from __future__ import annotations

from drills.domains.customers.rows import ROWS
from drills.judge.domain import Domain

DOMAIN = Domain("customers", rows=ROWS)
