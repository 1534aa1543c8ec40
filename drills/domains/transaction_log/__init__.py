"""The transaction log: what was written down before it went on to the api."""

from __future__ import annotations

from drills.domains.transaction_log.rows import ROWS
from drills.judge.domain import Domain

DOMAIN = Domain("transaction-log", rows=ROWS)
