"""The domains that runs are judged by: a new one is a folder and a line here."""

from __future__ import annotations

from drills.domains import (
    cash,
    certificates,
    congestion,
    customers,
    figures,
    market,
    night,
    notices,
    numbers,
    orders,
    repairs,
    spool,
    transaction_log,
    withdrawals,
)
from drills.judge.domains import Domains

DOMAINS = Domains.of(
    (
        customers.DOMAIN,
        cash.DOMAIN,
        orders.DOMAIN,
        notices.DOMAIN,
        figures.DOMAIN,
        night.DOMAIN,
        repairs.DOMAIN,
        transaction_log.DOMAIN,
        certificates.DOMAIN,
        numbers.DOMAIN,
        congestion.DOMAIN,
        market.DOMAIN,
        withdrawals.DOMAIN,
        spool.DOMAIN,
    )
)
"""All of them, with what the judge itself brings; no id is in two of them."""
