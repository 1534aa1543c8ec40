"""The batch's side of the valuation service: one kept connection, one call at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from targets.brokerage.config import Address

LINE_LIMIT = 1 << 20
SMOOTHING = 0.005
"""Least weight of the latest call in the moving average; the first calls weigh as in a plain mean."""


class ValuationFailed(Exception):
    """The valuation service did not answer, or not with marks."""


class Valuer:
    """``call_s`` bounds each call."""

    def __init__(self, where: Address, call_s: float) -> None:
        self._where = where
        self._call_s = call_s
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._count = 0
        self.round_trip_s: float | None = None
        """Moving average of the calls so far; None before the first."""

    async def marks(self, lots: Sequence[tuple[str, int]], day: str) -> list[int]:
        """What each lot (code, shares) is worth in yen on ``day``, in one call. ValuationFailed."""
        began = time.monotonic()
        self._count += 1
        call = msgspec.json.encode({"id": self._count, "day": day, "lots": lots}) + b"\n"
        try:
            async with asyncio.timeout(self._call_s):
                reader, writer = await self._connected()
                writer.write(call)
                said: dict[str, Any] = msgspec.json.decode(await reader.readline())
        except (OSError, ValueError) as error:  # TimeoutError is an OSError; ValueError: no line of JSON came
            self.close()
            raise ValuationFailed(f"the valuation service does not answer: {str(error) or 'too late'}") from error
        except BaseException:
            self.close()  # cancelled: what comes late must not answer the next call
            raise
        if said.get("id") != self._count or len(said.get("marks", ())) != len(lots):
            self.close()
            raise ValuationFailed(f"the valuation service says: {said.get('error', 'something else')}")
        self._measure(time.monotonic() - began)
        return list(said["marks"])

    def close(self) -> None:
        """Close the connection, if any; the next call opens another."""
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None

    def _measure(self, took_s: float) -> None:
        before = took_s if self.round_trip_s is None else self.round_trip_s
        self.round_trip_s = before + max(SMOOTHING, 1 / self._count) * (took_s - before)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._stream is None:
            self._stream = await asyncio.open_connection(*self._where, limit=LINE_LIMIT)
        return self._stream
