"""Takes messages to the pager, in order, and tries again for a while when the pager does not take them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from targets.brokerage.config import Address
from targets.http_async import Connections, NoAnswer

log = logging.getLogger(__name__)

TIMEOUT_S = 0.5
RETRY_AFTER_S = 0.1
GIVE_UP_AFTER_S = 10.0
QUEUE = 256


class Notifier:
    """A bounded queue before the pager; ``count`` is told ``delivered`` or ``dropped`` for each message."""

    def __init__(self, where: Address, count: Callable[[str], None], give_up_after_s: float = GIVE_UP_AFTER_S) -> None:
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUE)
        self._connections = Connections(where, repeat=True)  # the pager knows what it has
        self._count = count
        self._give_up_after_s = give_up_after_s

    def put(self, message: Mapping[str, Any]) -> None:
        """Hand over a message; it is dropped, and counted as such, when the queue is full."""
        try:
            self._queue.put_nowait((time.monotonic(), msgspec.json.encode(message)))
        except asyncio.QueueFull:
            self._drop("the queue is full")

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                born, body = await self._queue.get()
                await self._deliver(body, born + self._give_up_after_s)
        finally:
            self._connections.close()

    async def _deliver(self, body: bytes, deadline: float) -> None:
        while True:
            says = await self._try(body)
            if not says:
                self._count("delivered")
                return
            if time.monotonic() >= deadline:
                self._drop(says)
                return
            await asyncio.sleep(RETRY_AFTER_S)

    async def _try(self, body: bytes) -> str:
        """Empty when the pager took it, else why not."""
        try:
            reply = await self._connections.ask("POST", "/webhook", body, TIMEOUT_S)
        except NoAnswer as error:
            return str(error)
        return "" if reply.status == 200 else f"status {reply.status}"

    def _drop(self, why: str) -> None:
        log.error("a message for the pager was dropped: %s", why)
        self._count("dropped")
