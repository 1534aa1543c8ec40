"""A second node that sends orders to the exchange: the first one copied, the identity of its session included.

It has a wire and a window of its own, and the numbers that the database has. The exchange knows one member of that
name: whoever logs on last is the member, and the other one's connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from targets.brokerage.database import Connection
from targets.brokerage.gateway.flow import Flow
from targets.brokerage.gateway.link import Links
from targets.brokerage.gateway.server import DATABASE_S, Gateway
from targets.brokerage.session import Deliver, Session

STATE = "SELECT next_in, next_out, link FROM session WHERE identity = %s"
LOGON_S = 2.5


class SecondNode:
    """Implements ``link.Listener``; what arrives is posted by the one poster that there is."""

    def __init__(self, gateway: Gateway, next_in: int, next_out: int, link: str) -> None:
        settings = gateway.config.gateway
        self._gateway = gateway
        session = Session(int(settings.heartbeat_s * 1e9), next_in=next_in, next_out=next_out)
        self.links = Links(gateway.config, session, link, next_out + settings.reserve, self)
        self.flow = Flow(settings.window, self.links.send, lambda: session.active)
        self._runs = asyncio.ensure_future(self.links.run())

    def delivered(self, delivery: Deliver) -> None:
        """As the first node does."""
        self._gateway.delivered(delivery)

    def was_reset(self) -> None:
        """As the first node does."""
        self._gateway.was_reset()

    def logged_on(self) -> None:
        """Queued orders may go."""
        self.flow.pump()

    async def logged_on_within(self, seconds: float) -> str:
        """How its session stands once it has tried to log on, or after so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.links.attempted.wait(), seconds)
        return "active" if self.links.session.active else "down"

    async def close(self) -> None:
        """Close the connection."""
        self._runs.cancel()
        await self.links.close()


async def start(gateway: Gateway) -> dict[str, Any]:
    """Start it where it does not run, and wait until it has tried to log on; how its session stands."""

    async def read(connection: Connection) -> tuple[int, int, str]:
        row = await (await connection.execute(STATE, [gateway.identity])).fetchone()
        assert row is not None
        return row[0], row[1], row[2]

    if gateway.second is None:
        gateway.second = SecondNode(gateway, *await gateway.line.run(read, DATABASE_S))
    return {"session": await gateway.second.logged_on_within(LOGON_S)}
