"""What a toxic works with on one direction of one connection: a queue, and a task that empties it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from faults.proxy.toxics import Attached

if TYPE_CHECKING:
    from faults.proxy.stream import Stream


class QueueStage:
    """One toxic on one stream: a queue and the task that empties it; idle when the toxicity was not drawn."""

    def __init__(self, toxic: Attached, stream: Stream) -> None:
        self.toxic = toxic
        self.passed = 0
        self.active = False
        self._stream = stream
        self._queue: deque[tuple[bytes, float]] = deque()
        self._filled = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self._task: asyncio.Task[None] | None = None

    def feed(self, data: bytes) -> None:
        """Take one piece from the stage before."""
        if not self.active:
            self._stream.after(self, data)
            return
        self._queue.append((data, self._clock()))
        self._stream.waiting += len(data)
        self._filled.set()

    async def head(self) -> bytes:
        """See ``toxics.Stage``."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        return self._queue[0][0]

    def age(self) -> float:
        """See ``toxics.Stage``."""
        return self._clock() - self._queue[0][1]

    def forward(self, count: int | None = None) -> None:
        """See ``toxics.Stage``."""
        data, since = self._queue.popleft()
        taken = data if count is None or count >= len(data) else data[:count]
        if len(taken) < len(data):
            self._queue.appendleft((data[len(taken) :], since))
        self.passed += len(taken)
        self._stream.waiting -= len(taken)
        self._stream.after(self, taken)
        self._stream.throttle()

    def drop(self) -> None:
        """See ``toxics.Stage``."""
        self._stream.waiting -= len(self._queue.popleft()[0])
        self._stream.throttle()

    def sever(self) -> None:
        """See ``toxics.Stage``."""
        self._stream.sever(self)

    def reset(self) -> None:
        """See ``toxics.Stage``."""
        self._stream.source.connection.reset()

    def restart(self) -> None:
        """Begin, or begin anew with changed attributes; what waits stays."""
        self.stop()
        self.active = self.toxic.drawn()
        if not self.active:
            self.flush()
            return
        self._task = asyncio.get_running_loop().create_task(self.toxic.attributes.pipe(self))
        self._task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Stop treating; what waits stays in the queue."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def flush(self) -> None:
        """Pass on everything that waits."""
        while self._queue:
            self.forward()

    def clear(self) -> None:
        """Forget what waits."""
        self.stop()
        self._stream.waiting -= sum(len(data) for data, _ in self._queue)
        self._queue.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A toxic that crashed must not leave a connection that looks alive.
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "toxic failed", "exception": error})
            self._stream.sever(self)
