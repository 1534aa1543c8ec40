"""How many orders a second the exchange session lets through, by test orders that enter no book."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import Any

from targets.brokerage.gateway.numbers import send_test
from targets.brokerage.gateway.operations import NoSession
from targets.brokerage.gateway.server import Gateway

WARM_S = 0.3
"""Until the window is full, and answers come at their pace."""
AT_ONCE = 2
"""Times the window: so many are under way that it is always full."""


async def measure(gateway: Gateway, within_s: float) -> dict[str, Any]:
    """Send as many as are answered for ``within_s`` seconds, in a closed loop. Only what was answered within counts;
    the last are waited for, so that none is under way afterwards.

    Not while customers come: it leaves them nothing of the session. NoSession.
    """
    if not gateway.ready():
        raise NoSession("there is no session with the exchange to measure")
    begins, answered, numbers = time.monotonic() + WARM_S, 0, count(1)
    ends = begins + within_s

    async def member() -> None:
        nonlocal answered
        while time.monotonic() < ends:
            name = f"CAPACITY-{next(numbers)}-{time.monotonic_ns()}"
            said = await send_test(gateway, name, gateway.config.gateway.request_s)
            answered += said.state == "tested" and begins <= time.monotonic() < ends

    await asyncio.gather(*(member() for _ in range(AT_ONCE * gateway.config.gateway.window)))
    return {"per_s": answered / within_s, "answered": answered, "within_s": within_s}
