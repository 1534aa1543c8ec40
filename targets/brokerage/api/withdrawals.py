"""Passing a customer's withdrawal on to the service that pays it out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from targets.brokerage.api.rules import Refusal
from targets.brokerage.client import Client
from targets.brokerage.config import Config
from targets.http_async import NotSent, Unanswered

LOOK_S = 3.0
MARGIN_S = 1.0
"""Beyond what the bank may take: for the database."""


async def withdraw(service: Client, config: Config, account: str, key: str, yen: int) -> tuple[int, dict[str, Any]]:
    """HTTP status and body as the service has them. Refusal: 503 where it got nothing, 504 where nobody can tell."""
    asked = {"account": account, "key": key, "yen": yen}
    try:
        return await service.ask("POST", "/withdrawals", asked, config.withdrawals.answer_s + MARGIN_S)
    except NotSent as error:
        raise Refusal(503, "WITHDRAWALS", "withdrawals cannot be reached; nothing was asked for") from error
    except Unanswered as error:
        says = "the withdrawal is being confirmed; please do not ask for it again"
        raise Refusal(504, "STATE_UNKNOWN", says, state="unknown") from error


async def look_at_withdrawal(service: Client, account: str, key: str) -> tuple[int, dict[str, Any]]:
    """The same for one that was asked for before."""
    try:
        return await service.ask("GET", f"/withdrawals/{quote(account)}/{quote(key)}", None, LOOK_S)
    except (NotSent, Unanswered) as error:
        raise Refusal(503, "WITHDRAWALS", "withdrawals do not answer") from error
