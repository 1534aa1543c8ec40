from __future__ import annotations

from collections import deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from targets.brokerage.session import Action, Deliver, HangUp, Message, Send, Session

HEARTBEAT = 250_000_000
STEP = 50_000_000


def member(next_in: int = 1, next_out: int = 1) -> Session:
    return Session(HEARTBEAT, next_in=next_in, next_out=next_out)


def exchange(next_in: int = 1, next_out: int = 1, per_s: float | None = 40.0) -> Session:
    return Session(HEARTBEAT, next_in=next_in, next_out=next_out, resend_per_s=per_s)


def sent(actions: list[Action]) -> list[Message]:
    return [action.message for action in actions if isinstance(action, Send)]


def kinds(actions: list[Action]) -> list[str]:
    return [message["MsgType"] for message in sent(actions)]


def delivered(actions: list[Action]) -> list[str]:
    return [action.message["ExecID"] for action in actions if isinstance(action, Deliver)]


def report(name: str, **fields: Any) -> Message:
    return {"MsgType": "ExecutionReport", "ExecID": name, **fields}


def logged_on(there: Session, here: Session, now: int = 0, reset: bool = False) -> tuple[list[Action], list[Action]]:
    """Both sides' actions of a logon; what they want sent has not been delivered, except the Logon itself."""
    reply = there.accept(here.logon(now, "M", reset), now)
    first = sent(reply)[0]
    assert first["MsgType"] == "Logon"
    return reply, here.established(first, now)


def test_first_logon_expects_the_next_numbers_and_asks_for_nothing() -> None:
    there, here = exchange(), member()
    reply, actions = logged_on(there, here)
    assert kinds(reply) == ["Logon"]
    assert actions == []
    assert (there.next_in, there.next_out, here.next_in, here.next_out) == (2, 2, 2, 2)


def test_what_was_said_while_away_is_asked_for_and_sent_again_as_possible_duplicate() -> None:
    there, here = exchange(per_s=None), member()
    logged_on(there, here)
    here.lost()
    there.lost()
    for name in ("a", "b"):
        assert there.send(report(name), 0, keep=True) == []
    _, actions = logged_on(there, here)
    (request,) = sent(actions)
    assert (request["MsgType"], request["BeginSeqNo"], request["EndSeqNo"]) == ("ResendRequest", 2, 3)
    assert here.resyncing
    again = sent(there.receive(request, 1))
    assert [message["ExecID"] for message in again] == ["a", "b"]
    assert {message["PossDupFlag"] for message in again} == {"Y"}
    got = [name for message in again for name in delivered(here.receive(message, 2))]
    assert got == ["a", "b"]
    assert not here.resyncing


def test_live_messages_behind_a_gap_wait_and_come_in_order() -> None:
    here = member()
    logon = {"MsgType": "Logon", "MsgSeqNum": 2}
    actions = here.established(logon, 0)
    assert sent(actions)[0]["EndSeqNo"] == 1
    assert here.receive(report("live", MsgSeqNum=3), 5) == []
    assert here.oldest_buffered_ns == 5
    got = here.receive(report("late", MsgSeqNum=1, PossDupFlag="Y"), 9)
    assert delivered(got) == ["late", "live"]
    assert [action.next_in for action in got if isinstance(action, Deliver)] == [2, 4]
    assert [action.received_ns for action in got if isinstance(action, Deliver)] == [9, 5]
    assert [action.repeated for action in got if isinstance(action, Deliver)] == [True, False]


def test_one_gap_is_asked_for_once() -> None:
    here = member()
    here.established({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    assert kinds(here.receive(report("c", MsgSeqNum=4), 0)) == ["ResendRequest"]
    assert kinds(here.receive(report("d", MsgSeqNum=5), 0)) == []


def test_gap_fill_skips_what_is_not_sent_again() -> None:
    there, here = exchange(per_s=None), member()
    logged_on(there, here)
    there.lost()
    there.send({"MsgType": "Heartbeat"}, 0)
    there.send(report("kept"), 0, keep=True)
    there.send({"MsgType": "TradeCaptureReport"}, 0)
    _, actions = logged_on(there, here)
    again = sent(there.receive(sent(actions)[0], 0))
    assert [message["MsgType"] for message in again] == ["SequenceReset", "ExecutionReport", "SequenceReset"]
    assert [name for message in again for name in delivered(here.receive(message, 0))] == ["kept"]
    assert not here.resyncing


def test_stale_orders_of_the_member_are_never_sent_again() -> None:
    there, here = exchange(), member()
    logged_on(there, here)
    lost = sent(here.send({"MsgType": "NewOrderSingle", "ClOrdID": "x"}, 0))
    assert len(lost) == 1
    here.lost()
    reply, _ = logged_on(there, here)
    (request,) = [message for message in sent(reply) if message["MsgType"] == "ResendRequest"]
    (fill,) = sent(here.receive(request, 0))
    assert (fill["MsgType"], fill["GapFillFlag"]) == ("SequenceReset", "Y")
    assert there.receive(fill, 0) == []
    assert not there.resyncing


def test_two_sides_with_a_gap_each_do_not_wait_for_each_other() -> None:
    there, here = exchange(next_out=5, per_s=None), member(next_out=9)
    logon = here.logon(0, "M")
    reply = there.accept(logon, 0)
    actions = here.established(sent(reply)[0], 0)
    fills = [m for message in sent(reply)[1:] for m in sent(here.receive(message, 0))]
    for message in [*sent(actions), *fills]:
        for answer in sent(there.receive(message, 0)):
            here.receive(answer, 0)
    assert not here.resyncing
    assert not there.resyncing


def test_retransmission_is_paced_and_live_messages_overtake_it() -> None:
    there = exchange()
    there.accept({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    for number in range(20):
        there.send(report(f"{number}"), 0, keep=True)
    now = 10_000_000_000
    there.heard_ns = now
    first = sent(there.receive({"MsgType": "ResendRequest", "MsgSeqNum": 2, "BeginSeqNo": 2, "EndSeqNo": 21}, now))
    assert 0 < len(first) < 20
    live = sent(there.send(report("live"), now, keep=True))
    assert live[0]["MsgSeqNum"] == 22
    rest = [m for step in range(1, 41) for m in sent(there.tick(now + step * 25_000_000)) if "ExecID" in m]
    assert len(first) + len(rest) == 20


def test_reset_forgets_what_was_kept() -> None:
    there, here = exchange(), member()
    logged_on(there, here)
    there.lost()
    there.send(report("gone"), 0, keep=True)
    reply, actions = logged_on(there, here, reset=True)
    assert kinds(reply) == ["Logon"]
    assert sent(reply)[0]["ResetSeqNumFlag"] == "Y"
    assert actions == []
    assert there.store == {}
    assert (here.next_in, there.next_in) == (2, 2)


def test_a_new_connection_starts_without_what_the_old_one_had_under_way() -> None:
    there = exchange()
    there.accept({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    for number in range(20):
        there.send(report(f"{number}"), 0, keep=True)
    there.receive({"MsgType": "ResendRequest", "MsgSeqNum": 2, "BeginSeqNo": 2, "EndSeqNo": 21}, 0)
    there.lost()
    there.accept({"MsgType": "Logon", "MsgSeqNum": 3}, 0)
    later = [m for step in range(1, 10) for m in sent(there.tick(step * STEP))]
    assert [message for message in later if "ExecID" in message] == []


def test_a_reset_drops_what_waited_behind_a_gap() -> None:
    here = member()
    here.established({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    here.receive(report("old", MsgSeqNum=3), 0)
    here.logon(0, "M", reset=True)
    assert not here.resyncing
    here.established({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    assert delivered(here.receive(report("first", MsgSeqNum=2), 0)) == ["first"]


def test_a_number_that_is_too_low_ends_the_session_unless_it_is_a_repeat() -> None:
    here = member(next_in=5)
    here.established({"MsgType": "Logon", "MsgSeqNum": 5}, 0)
    assert here.receive(report("old", MsgSeqNum=3, PossDupFlag="Y"), 0) == []
    (action,) = here.receive(report("old", MsgSeqNum=3), 0)
    assert isinstance(action, HangUp)
    (refused,) = exchange(next_in=9).accept({"MsgType": "Logon", "MsgSeqNum": 2}, 0)
    assert isinstance(refused, HangUp)


def test_silence_is_questioned_before_it_counts() -> None:
    here = member()
    here.established({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    assert kinds(here.tick(HEARTBEAT)) == ["Heartbeat"]
    assert kinds(here.tick(2 * HEARTBEAT)) == ["TestRequest"]
    assert not here.silent(4 * HEARTBEAT)
    assert here.silent(5 * HEARTBEAT)
    here.receive({"MsgType": "Heartbeat", "MsgSeqNum": 2}, 5 * HEARTBEAT)
    assert not here.silent(5 * HEARTBEAT)


def test_a_side_that_gives_up_hangs_up() -> None:
    there = Session(HEARTBEAT, give_up_ns=HEARTBEAT)
    there.accept({"MsgType": "Logon", "MsgSeqNum": 1}, 0)
    assert [type(action) for action in there.tick(2 * HEARTBEAT)] == [HangUp]


class LossyLink(RuleBasedStateMachine):
    """Reports go one way and orders the other over a connection that breaks at any point, losing what is in flight.

    The member may also die: then it goes on with the number stored with the last report it dealt with.
    """

    @initialize()
    def start(self) -> None:
        self.now = 0
        self.there, self.here = exchange(), member()
        self.down: deque[Message] = deque()
        self.up: deque[Message] = deque()
        self.told: list[str] = []
        self.posted: list[str] = []
        self.taken: list[str] = []
        self.ordered: list[str] = []
        self.stored_next_in = 1
        self.reserved = 1_000

    def _here(self, actions: list[Action]) -> None:
        for action in actions:
            assert not isinstance(action, HangUp), action.reason
            if isinstance(action, Send):
                self.up.append(action.message)
            else:
                name = action.message["ExecID"]
                if name not in self.posted:  # as the unique ExecID does
                    self.posted.append(name)
                else:
                    assert action.repeated
                self.stored_next_in = action.next_in

    def _there(self, actions: list[Action]) -> None:
        for action in actions:
            assert not isinstance(action, HangUp), action.reason
            if isinstance(action, Send):
                self.down.append(action.message)
            else:
                self.taken.append(action.message["ClOrdID"])

    def _connect(self) -> None:
        self._there(self.there.accept(self.here.logon(self.now, "M"), self.now))
        self._here(self.here.established(self.down.popleft(), self.now))

    def _break(self) -> None:
        self.here.lost()
        self.there.lost()
        self.down.clear()
        self.up.clear()

    @rule(count=st.integers(1, 5))
    def trade(self, count: int) -> None:
        for _ in range(count):
            name = f"E{len(self.told)}"
            self.told.append(name)
            self._there(self.there.send(report(name), self.now, keep=True))

    @precondition(lambda self: self.here.active)
    @rule()
    def order(self) -> None:
        name = f"K{len(self.ordered)}"
        self.ordered.append(name)
        self._here(self.here.send({"MsgType": "NewOrderSingle", "ClOrdID": name}, self.now))

    @rule(steps=st.integers(1, 20))
    def time_passes(self, steps: int) -> None:
        for _ in range(steps):
            self.now += STEP
            self._here(self.here.tick(self.now))
            self._there(self.there.tick(self.now))

    @rule(count=st.integers(1, 10))
    def carry(self, count: int) -> None:
        for _ in range(count):
            if self.up:
                self._there(self.there.receive(self.up.popleft(), self.now))
            if self.down:
                self._here(self.here.receive(self.down.popleft(), self.now))

    @rule()
    def breaks(self) -> None:
        self._break()

    @rule()
    def member_dies(self) -> None:
        self._break()
        self.here = member(self.stored_next_in, max(self.reserved, self.here.next_out))
        self.reserved = self.here.next_out + 1_000

    @precondition(lambda self: not self.here.active)
    @rule()
    def connects(self) -> None:
        self._connect()

    @invariant()
    def in_order_without_repeats(self) -> None:
        if hasattr(self, "told"):
            assert self.posted == self.told[: len(self.posted)]
            assert self.taken == sorted(set(self.taken), key=lambda name: int(name[1:]))

    def teardown(self) -> None:
        if not hasattr(self, "told"):
            return
        if not self.here.active:
            self._connect()
        for _ in range(400 + 2 * len(self.told)):
            self.time_passes(1)
            self.carry(20)
        assert self.posted == self.told
        assert not self.here.resyncing
        assert not self.there.resyncing


LossyLink.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLossyLink = LossyLink.TestCase
