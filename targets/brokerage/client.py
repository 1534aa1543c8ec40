"""Calls between services: JSON both ways, with the stack's token, each request sent once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from targets.brokerage.config import Address
from targets.http_async import Connections, Unanswered


class Client:
    """Calls one service."""

    def __init__(self, where: Address, token: str) -> None:
        self._connections = Connections(where, {"X-Ops-Token": token})

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, within_s: float
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of the answer. NotSent, Unanswered."""
        reply = await self._connections.ask(method, path, msgspec.json.encode(body or {}), within_s)
        try:
            return reply.status, msgspec.json.decode(reply.body, type=dict[str, Any])
        except ValueError as error:
            raise Unanswered(f"{method} {path}: {error}") from error

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()
