"""The toxics. Public fields are the JSON schema of a toxic's ``attributes``; ``TOXICS`` registers them.

A toxic sees one direction of one connection as a queue of received pieces, of which the empty one is the end::

    source ──> stage (latency) ──> stage (limit_data) ──> destination

``pipe`` looks at the head and passes it on; it is cancelled when the toxic is changed or removed. What it has not
passed on stays in the queue, so nothing is lost by that. Each connection has its own stage, the toxic is shared.
"""

from __future__ import annotations

import asyncio
import random
from typing import Annotated, ClassVar, Protocol

import msgspec

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Stage(Protocol):
    """What a toxic may do to one direction of one connection."""

    passed: int
    """Bytes forwarded since the toxic was attached."""

    async def head(self) -> bytes:
        """Wait for the oldest piece and look at it; ``b""`` is the end of the stream."""

    def age(self) -> float:
        """Seconds since the head arrived here."""

    def forward(self, count: int | None = None) -> None:
        """Pass on the head, or its first ``count`` bytes."""

    def drop(self) -> None:
        """Throw the head away."""

    def sever(self) -> None:
        """Close the connection; what was forwarded before still arrives."""

    def reset(self) -> None:
        """Close both ends with a TCP RST, at once."""


class Toxic(msgspec.Struct):
    """One way of misbehaving; subclasses add its attributes."""

    BUFFER: ClassVar[int] = 64 * 1024
    """Bytes that may wait in the queue before the proxy stops reading from the source."""
    SEVERS: ClassVar[bool] = False
    """Whether the connections it acted on are closed when it is removed."""

    async def pipe(self, stage: Stage) -> None:
        """Treat one direction of one connection until cancelled."""
        raise NotImplementedError


class Noop(Toxic):
    """Does nothing."""

    async def pipe(self, stage: Stage) -> None:
        """Pass everything on."""
        while True:
            await stage.head()
            stage.forward()


class Latency(Toxic):
    """Delays by ``latency`` ± ``jitter`` ms, in order; does not limit the rate."""

    BUFFER: ClassVar[int] = 32 * 1024 * 1024  # what is under way on a long fast line
    latency: Int64 = 0
    jitter: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Hold each piece until it is old enough."""
        while True:
            if await stage.head():
                spread = random.uniform(-self.jitter, self.jitter)
                await asyncio.sleep(max(0.0, (self.latency + spread) / 1000 - stage.age()))
            stage.forward()


class Bandwidth(Toxic):
    """Lets ``rate`` kilobytes (1,000 bytes) a second through; 0 lets nothing through."""

    rate: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Pass on up to 100 ms worth at a time, each when it is due."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            data = await stage.head()
            if data and self.rate <= 0:
                await asyncio.Event().wait()  # until cancelled
            count = min(len(data), self.rate * 100)
            # Up to 10 ms may be caught up, or the timer's lateness would lower the rate.
            due = max(due, clock() - 0.01) + count / max(self.rate * 1000, 1)
            await asyncio.sleep(max(0.0, due - clock()))
            stage.forward(count)


class SlowClose(Toxic):
    """Keeps the connection open for ``delay`` ms after the source closed it."""

    delay: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Delay the end, nothing else."""
        while await stage.head():
            stage.forward()
        await asyncio.sleep(self.delay / 1000)
        stage.forward()


class Timeout(Toxic):
    """Lets no data through; closes after ``timeout`` ms without data from the source, never when 0."""

    SEVERS: ClassVar[bool] = True  # bytes are missing from the stream: it cannot go on
    timeout: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Drop everything but the end."""
        patience = self.timeout / 1000 if self.timeout > 0 else None
        while True:
            try:
                async with asyncio.timeout(patience):
                    data = await stage.head()
            except TimeoutError:
                stage.sever()
                return
            if data:
                stage.drop()
            else:
                stage.forward()


class ResetPeer(Toxic):
    """Resets the connection ``timeout`` ms after data (or the end) arrives; that data is not delivered."""

    timeout: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Wait for the source to send, then reset."""
        await stage.head()
        await asyncio.sleep(self.timeout / 1000)
        stage.reset()


class Slicer(Toxic):
    """Cuts data into pieces of ``average_size`` ± ``size_variation`` bytes, ``delay`` µs apart."""

    average_size: Int64 = 0
    size_variation: Int64 = 0
    delay: Int64 = 0

    def size(self, available: int) -> int:
        """How many of the available bytes the next piece takes."""
        if self.average_size <= 0 or available <= self.average_size + self.size_variation:
            return available
        spread = max(self.size_variation, 0)
        return max(1, self.average_size + random.randint(-spread, spread))

    async def pipe(self, stage: Stage) -> None:
        """Pass on piece by piece; even without a delay each goes out in a write of its own."""
        while True:
            data = await stage.head()
            stage.forward(self.size(len(data)))
            await asyncio.sleep(self.delay / 1_000_000)


class LimitData(Toxic):
    """Closes the connection after ``bytes`` bytes have passed since it was attached."""

    bytes: Int64 = 0

    async def pipe(self, stage: Stage) -> None:
        """Pass on what is left of the allowance."""
        while data := await stage.head():
            left = max(0, self.bytes - stage.passed)
            if left:
                stage.forward(min(left, len(data)))
            if stage.passed >= self.bytes:
                stage.sever()
                return
        stage.forward()


TOXICS: dict[str, type[Toxic]] = {
    "noop": Noop,
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
}
"""Type in the API -> toxic."""


class Attached(msgspec.Struct):
    """A toxic on a proxy: its name, stream (in any letters), the share of connections it acts on, its attributes."""

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: Toxic

    @property
    def direction(self) -> str:
        """``upstream`` or ``downstream``."""
        return self.stream.lower()

    def drawn(self) -> bool:
        """Whether a connection gets it; drawn anew for each connection."""
        return random.random() < self.toxicity
