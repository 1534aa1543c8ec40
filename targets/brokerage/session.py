"""One side of a FIX-like session, as a pure state machine: messages and time go in, actions come out.

Both the member (who initiates) and the exchange (who accepts) use it. It knows sequence numbers, gaps, resend requests,
gap fill, heartbeats and logon; it knows nothing of sockets. The rules::

    number as expected   process it, then whatever was buffered behind it
    number too high      a gap: buffer it, ask for exactly the missing range, once
    number too low       ignore a repeat (PossDupFlag=Y); anything else is an error: hang up

Only messages kept in ``store`` are ever sent again; all others, administrative ones and stale orders, are gap-filled.
Requests of the administrative kind are answered at once, also behind a gap: were they to wait, two sides with a gap
each would wait for each other for ever.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from targets.brokerage.wire import ADMIN, Message, gap_fill

BUFFER_LIMIT = 50_000
TEST_AFTER = 1.5
"""Heartbeat intervals without a byte before the other side is asked whether it lives."""
SILENT_AFTER = 3.0
"""Heartbeat intervals after that question before its silence counts."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put this on the wire."""

    message: Message


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand this to the application, in order. ``next_in`` is what to expect once it has been dealt with for good."""

    message: Message
    received_ns: int
    next_in: int

    @property
    def repeated(self) -> bool:
        """It came by retransmission: it is late and may have been seen before."""
        return self.message.get("PossDupFlag") == "Y"


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the connection."""

    reason: str


Action = Send | Deliver | HangUp


class Session:
    """Numbers, buffer and timers of one side. ``resend_per_s`` paces retransmission; None: all at once.

    ``give_up_ns``: hang up after so long a silence (None: never). All times are CLOCK_MONOTONIC in ns.
    """

    def __init__(
        self,
        heartbeat_ns: int,
        next_in: int = 1,
        next_out: int = 1,
        resend_per_s: float | None = None,
        give_up_ns: int | None = None,
    ) -> None:
        self.heartbeat_ns = heartbeat_ns
        self.next_in = next_in
        self.next_out = next_out
        self.store: dict[int, Message] = {}
        self.active = False
        self.heard_ns = 0
        self._give_up_ns = give_up_ns
        self._pace_ns = 0 if resend_per_s is None else int(1e9 / resend_per_s)
        self._resend_at = 0
        self._resends: deque[tuple[int, int]] = deque()
        self._buffer: dict[int, tuple[Message, int]] = {}
        self._asked_to = 0
        self._sent_ns = 0
        self._tested_ns: int | None = None
        self._test_at = 0

    # -- what is so ---------------------------------------------------------------------------------------------------

    @property
    def resyncing(self) -> bool:
        """A gap is open: later messages wait for earlier ones."""
        return bool(self._buffer)

    @property
    def oldest_buffered_ns(self) -> int | None:
        """When the oldest application message that waits behind a gap was received."""
        return min((at for message, at in self._buffer.values() if message["MsgType"] not in ADMIN), default=None)

    def silent(self, now: int) -> bool:
        """Asked whether it lives, the other side has not sent a byte for three heartbeat intervals."""
        return self._tested_ns is not None and now - self._tested_ns >= SILENT_AFTER * self.heartbeat_ns

    # -- logon --------------------------------------------------------------------------------------------------------

    def logon(self, now: int, identity: str, reset: bool = False) -> Message:
        """The Logon to send on a fresh connection. ``reset``: both sides forget everything and start at 1."""
        if reset:
            self._forget()
        return self._number(self._logon_message(identity, reset), now)

    def accept(self, logon: Message, now: int) -> list[Action]:
        """The member has logged on over a fresh connection; the older one, if any, is superseded."""
        reset = logon.get("ResetSeqNumFlag") == "Y"
        if reset:
            self._forget()
        if logon["MsgSeqNum"] < self.next_in:
            return [HangUp(f"MsgSeqNum too low: expected {self.next_in}, received {logon['MsgSeqNum']}")]
        self._begin(now)
        reply = self._number(self._logon_message("EXCHANGE", reset), now)
        return [Send(reply), *self._arrived(logon, now)]

    def established(self, reply: Message, now: int) -> list[Action]:
        """The exchange has answered our Logon on a fresh connection: from now on that one is the wire."""
        self._begin(now)
        return self._arrived(reply, now)

    def lost(self) -> None:
        """The connection is gone. What was buffered will be asked for again."""
        self.active = False
        self._drop_pending()

    # -- messages and time --------------------------------------------------------------------------------------------

    def send(self, message: Message, now: int, keep: bool = False) -> list[Action]:
        """Number an application message; ``keep`` it for retransmission. Without a connection it is only kept."""
        numbered = self._number(message, now)
        if keep:
            self.store[numbered["MsgSeqNum"]] = numbered
        return [Send(numbered)] if self.active else []

    def receive(self, message: Message, now: int) -> list[Action]:
        """A message came over the wire."""
        self.heard_ns = now
        self._tested_ns = None
        return self._arrived(message, now)

    def tick(self, now: int) -> list[Action]:
        """Time has passed: heartbeats, test requests, paced retransmission. Call it a few times a heartbeat."""
        if not self.active:
            return []
        silence = now - self.heard_ns
        if self._give_up_ns is not None and silence > self._give_up_ns:
            return [HangUp(f"nothing heard for {silence / 1e9:.1f} s")]
        actions = self._resend(now)
        if silence >= TEST_AFTER * self.heartbeat_ns and now - self._test_at >= self.heartbeat_ns:
            self._test_at = now
            self._tested_ns = now if self._tested_ns is None else self._tested_ns
            actions.append(Send(self._number({"MsgType": "TestRequest", "TestReqID": str(now)}, now)))
        elif now - self._sent_ns >= self.heartbeat_ns:
            actions.append(Send(self._number({"MsgType": "Heartbeat"}, now)))
        return actions

    # -- inside -------------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self.next_in = self.next_out = 1
        self.store.clear()
        self._drop_pending()

    def _drop_pending(self) -> None:
        self._buffer.clear()
        self._resends.clear()
        self._asked_to = 0

    def _begin(self, now: int) -> None:
        self._drop_pending()
        self.active = True
        self.heard_ns = now
        self._tested_ns = None

    def _logon_message(self, identity: str, reset: bool) -> Message:
        flag = {"ResetSeqNumFlag": "Y"} if reset else {}
        return {"MsgType": "Logon", "SenderCompID": identity, "HeartBtInt": self.heartbeat_ns / 1e9, **flag}

    def _number(self, message: Message, now: int) -> Message:
        numbered = {**message, "MsgSeqNum": self.next_out}
        self.next_out += 1
        self._sent_ns = now
        return numbered

    def _arrived(self, message: Message, now: int) -> list[Action]:
        number = message["MsgSeqNum"]
        if number == self.next_in:
            return [*self._process(message, now), *self._drain()]
        if number > self.next_in:
            return self._ahead(message, now)
        if message["MsgType"] == "SequenceReset" and message["NewSeqNo"] > self.next_in:
            self.next_in = message["NewSeqNo"]  # fills more than was still missing
            return self._drain()
        if message.get("PossDupFlag") == "Y":
            return []
        return [HangUp(f"MsgSeqNum too low: expected {self.next_in}, received {number}")]

    def _ahead(self, message: Message, now: int) -> list[Action]:
        if len(self._buffer) >= BUFFER_LIMIT:
            return [HangUp(f"more than {BUFFER_LIMIT} messages wait behind a gap")]
        actions = self._administer(message, now)
        answered = message["MsgType"] in ADMIN and message["MsgType"] != "SequenceReset"
        waiting = {"MsgType": "Heartbeat", "MsgSeqNum": message["MsgSeqNum"]} if answered else message
        self._buffer[message["MsgSeqNum"]] = (waiting, now)
        return [*actions, *self._ask(now)]

    def _ask(self, now: int) -> list[Action]:
        last = min(self._buffer) - 1
        if last <= self._asked_to:
            return []
        self._asked_to = last
        request = {"MsgType": "ResendRequest", "BeginSeqNo": self.next_in, "EndSeqNo": last}
        return [Send(self._number(request, now))]

    def _process(self, message: Message, received_ns: int) -> list[Action]:
        if message["MsgType"] == "SequenceReset":
            self.next_in = max(message["NewSeqNo"], self.next_in + 1)
            return []
        self.next_in += 1
        if message["MsgType"] in ADMIN:
            return self._administer(message, received_ns)
        return [Deliver(message, received_ns, self.next_in)]

    def _drain(self) -> list[Action]:
        actions: list[Action] = []
        while self.next_in in self._buffer:
            actions += self._process(*self._buffer.pop(self.next_in))
        for number in [number for number in self._buffer if number < self.next_in]:
            del self._buffer[number]
        return actions

    def _administer(self, message: Message, now: int) -> list[Action]:
        if message["MsgType"] == "TestRequest":
            reply = {"MsgType": "Heartbeat", "TestReqID": message.get("TestReqID", "")}
            return [Send(self._number(reply, now))]
        if message["MsgType"] == "ResendRequest":
            last = self.next_out - 1
            self._resends.append((message["BeginSeqNo"], min(message["EndSeqNo"] or last, last)))
            return self._resend(now)
        if message["MsgType"] == "Logout":
            return [HangUp(f"the other side logged out: {message.get('Text', '')}")]
        return []

    def _resend(self, now: int) -> list[Action]:
        actions: list[Action] = []
        while self._resends:
            begin, end = self._resends.popleft()
            kept = self._next_kept(begin, end)
            if kept > begin:
                actions.append(Send(gap_fill(begin, kept)))
            if kept > end:
                continue
            if now < self._resend_at:
                self._resends.appendleft((kept, end))
                break
            self._resend_at = max(self._resend_at, now - 4 * self._pace_ns) + self._pace_ns
            actions.append(Send({**self.store[kept], "PossDupFlag": "Y"}))
            if kept < end:
                self._resends.appendleft((kept + 1, end))
        return actions

    def _next_kept(self, begin: int, end: int) -> int:
        return next((number for number in range(begin, end + 1) if number in self.store), end + 1)
