"""One direction of one connection: received here, through the toxics' stages, written there.

Without toxics ``direct`` is the destination's own ``write`` and nothing stands in between. Reading from the source
stops while the destination's buffer is full, while too much waits in the stages, or while nobody is connected yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from faults.proxy.stage import QueueStage
from faults.proxy.toxics import Attached

if TYPE_CHECKING:
    from faults.proxy.connection import Side


class Meter:
    """Bytes of one proxy in one direction, as /metrics shows them."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0


class Stream:
    """From ``source`` to ``dest``; ``over`` once the end has passed or the destination is gone."""

    __slots__ = (
        "_early",
        "_full",
        "_severed",
        "_throttled",
        "dest",
        "direct",
        "meter",
        "over",
        "source",
        "stages",
        "waiting",
    )

    def __init__(self, source: Side, dest: Side, meter: Meter, toxics: list[Attached]) -> None:
        self.source = source
        self.dest = dest
        self.meter = meter
        self.over = False
        self.waiting = 0
        self.direct: Callable[[bytes], None] | None = None
        self.stages = [QueueStage(toxic, self) for toxic in toxics]
        self._early: list[bytes] = []
        self._full = False
        self._severed = False
        self._throttled = False
        for stage in self.stages:
            stage.restart()

    def take(self, data: bytes) -> None:
        """Receive one piece, ``b""`` for the end; the way for whatever cannot go ``direct``."""
        if self.over or self._severed:
            return
        if not self.dest.connected:
            self._early.append(data)
        elif self.stages:
            self.stages[0].feed(data)
        else:
            self._write(data)
        self.throttle()

    def after(self, stage: QueueStage, data: bytes) -> None:
        """Hand one piece to whatever comes after a stage."""
        if self.over:
            return
        following = self.stages.index(stage) + 1
        if following < len(self.stages):
            self.stages[following].feed(data)
        else:
            self._write(data)

    def opened(self) -> None:
        """Note that the destination is connected: what came early goes out."""
        early, self._early = self._early, []
        for data in early:
            self.take(data)
        self._choose()

    def fill(self, full: bool) -> None:
        """Note that the destination's write buffer is full, or has room again."""
        self._full = full
        self.throttle()

    def throttle(self) -> None:
        """Read from the source only while there is room for it."""
        limit = max((stage.toxic.attributes.BUFFER for stage in self.stages), default=0)
        blocked = not self.over and (self._full or self.waiting > limit or not self.dest.connected)
        if blocked != self._throttled:
            self._throttled = blocked
            self.source.read(not blocked)

    def attach(self, toxic: Attached) -> None:
        """Add a stage at the end."""
        stage = QueueStage(toxic, self)
        self.stages.append(stage)
        stage.restart()
        self._choose()

    def change(self, toxic: Attached) -> None:
        """Begin a toxic's stage anew, with its new attributes."""
        for stage in self._of(toxic):
            stage.restart()
        self.throttle()

    def detach(self, toxic: Attached) -> None:
        """Remove a toxic's stage; what waits in it goes on, unless the toxic severs."""
        for stage in self._of(toxic):
            stage.stop()
            if stage.active and toxic.attributes.SEVERS:
                self.sever(stage)
            stage.flush()
            self.stages.remove(stage)
        self._choose()

    def sever(self, stage: QueueStage) -> None:
        """End the stream at a stage: what is past it still goes its way, then the connection is closed."""
        if self.over or self._severed:
            return
        self._severed = True
        for each in self.stages[: self.stages.index(stage) + 1]:
            each.clear()
        self.after(stage, b"")
        self.throttle()

    def discard(self) -> None:
        """Deliver nothing more."""
        self.over = True
        for stage in self.stages:
            stage.clear()
        self._early.clear()
        self._choose()

    def _of(self, toxic: Attached) -> list[QueueStage]:
        return [stage for stage in self.stages if stage.toxic is toxic]

    def _choose(self) -> None:
        free = self.dest.connected and not self.stages and not self.over
        self.direct = self.dest.transport.write if free and self.dest.transport is not None else None
        self.throttle()

    def _write(self, data: bytes) -> None:
        if not data:
            self.discard()
            self.source.connection.ended(self, self._severed)
        elif self.dest.transport is not None:
            self.meter.sent += len(data)
            self.dest.transport.write(data)
