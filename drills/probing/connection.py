"""One kept connection of a probe: a request, an answer, on the event loop's own terms.

The parser is httptools'. Of an answer only its status and its end matter; the body is let go as it comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

import httptools

from drills.probing.samples import Ended

Told = Callable[["Connection", Ended, int, int], None]
"""How the request under way ended: the connection, how, the status (0 without one), and when (ns)."""


class Connection(asyncio.Protocol):
    """``told`` is called once for each request; ``row`` is the sample that it is for, -1 while idle.

    ``fresh`` is whether nothing has been answered on it yet: one that was kept may have been closed at the other end
    before the request came there.
    """

    def __init__(self, told: Told, left: Callable[[Connection], None], *, head_only: bool) -> None:
        self._told, self._left, self._head_only = told, left, head_only
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.row = -1
        self.fresh = True
        self.heard = False
        self._whole = self._headed = False
        self._status, self._keeps = 0, True

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._transport is not None and not self._transport.is_closing() and self.row < 0 and self._keeps

    def ask(self, row: int, request: bytes) -> int:
        """Send the request for this sample; when it left (ns)."""
        assert self._transport is not None
        self.row, self.heard, self._whole, self._headed = row, False, False, False
        sent = time.monotonic_ns()
        self._transport.write(request)
        return sent

    def abort(self) -> None:
        """Close it at once."""
        self.row = -1
        if self._transport is not None:
            self._transport.abort()

    # -- of the event loop --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Of an answer, or unasked for."""
        now = time.monotonic_ns()
        if self.row < 0:
            self.abort()
            return
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._end(Ended.GARBLED, 0, now)
            self.abort()
            return
        if self._whole:
            self._answered(now)

    def connection_lost(self, error: Exception | None) -> None:
        """Ended by the other side, or by us."""
        now = time.monotonic_ns()
        if self.row >= 0 and error is None and self._headed and not self._keeps:
            self._answered(now)  # a body that ends with the connection
        elif self.row >= 0:
            self._end(Ended.RESET, 0, now)
        self._left(self)

    # -- of the parser ------------------------------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        """The head has come; an interim one is followed by another. What it says the parser knows only now."""
        self._status, self._keeps = self._parser.get_status_code(), self._parser.should_keep_alive()
        self._headed = self._status >= 200
        self._whole |= self._headed and self._head_only

    def on_message_complete(self) -> None:
        """All of the answer has come."""
        self._whole |= self._status >= 200

    def _answered(self, now: int) -> None:
        if self._head_only:
            self._parser = httptools.HttpResponseParser(self)  # it waits for a body that will not come
        self.fresh = False
        self._end(Ended.ANSWERED, self._status, now)
        if not self._keeps:
            self.abort()

    def _end(self, how: Ended, status: int, now: int) -> None:
        self._told(self, how, status, now)
        if self.row >= 0 and how is not Ended.ANSWERED:
            self.row = -1
