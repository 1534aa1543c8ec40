from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from targets.brokerage.config import ExchangeConfig, GatewayConfig
from targets.brokerage.gateway import capacity, operations, second
from targets.brokerage.gateway.link import LinkError
from targets.brokerage.gateway.operations import NoSession

from .rig import Rig, rig
from .stack import Database

Scenario = Callable[[Rig], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path, database: Database) -> Play:
    def run(scenario: Scenario, **changes: Any) -> None:
        async def whole() -> None:
            async with rig(tmp_path, database, **changes) as made:
                await scenario(made)

        asyncio.run(whole())

    return run


async def take_notices(database: Database, enough: asyncio.Event) -> None:
    """As the mail service does: a notice that nobody takes is overdue after a second."""
    while not enough.is_set():
        await asyncio.to_thread(database.rows, "UPDATE outbox SET state = 'sent' WHERE state = 'pending'")
        await asyncio.sleep(0.05)


async def drained(made: Rig) -> None:
    enough = asyncio.Event()
    taking = asyncio.ensure_future(take_notices(made.database, enough))
    try:
        found = await operations.drain(made.gateway, 15.0)
    finally:
        enough.set()
        await taking  # not cancelled: its thread would go on, and take what is released later
    assert found["drained"], found


def test_orders_are_accepted_and_every_execution_is_posted_in_order(play: Play, database: Database) -> None:
    async def scenario(made: Rig) -> None:
        verdicts = await made.trade(20)
        assert {verdict.state for verdict in verdicts} == {"new"}
        await made.until(made.whole)
        assert set(made.states().values()) == {"filled"}
        assert (await operations.reconcile(made.gateway)).clean
        assert made.gateway.flow.outstanding == 0
        assert made.gateway.flow.oldest_unanswered_s() == 0

    play(scenario)
    assert database.rows("SELECT sum(yen) FROM ledger") == [(0,)]
    assert database.rows("SELECT count(*) FROM accounts WHERE reserved <> 0") == [(0,)]
    posted = "(SELECT coalesce(sum(yen), 0) FROM ledger WHERE account = a.id)"
    assert database.rows(f"SELECT id FROM accounts a WHERE cash <> opening + {posted}") == []
    assert database.rows("SELECT DISTINCT state FROM outbox") == [("pending",)]


def test_a_silent_link_makes_orders_unknown_and_the_other_link_settles_them(play: Play, database: Database) -> None:
    async def scenario(made: Rig) -> None:
        await made.trade(10)
        made.relays["A"].silent = True
        verdicts = await made.trade(30)  # more than the window
        unknown = sum(verdict.state == "unknown" for verdict in verdicts)
        assert unknown >= made.config.gateway.window
        assert all(verdict.sent == (verdict.state == "unknown") for verdict in verdicts)
        await made.until(lambda: made.gateway.session_word() == "silent")
        assert made.gateway.flow.oldest_unanswered_s() > 0
        assert not await made.gateway.links.probe("A")
        assert await made.gateway.links.probe("B")
        with pytest.raises(NoSession):
            await operations.reconcile(made.gateway)

        status = await operations.use_link(made.gateway, "B", False)
        assert (status["session"], status["link"]) == ("active", "B")
        settled = await operations.resolve(made.gateway)
        assert (settled["rejected"], settled["still_unknown"]) == (unknown, 0)
        await drained(made)
        await made.until(made.whole)
        assert made.gateway.flow.oldest_unanswered_s() == 0
        assert sum(state == "rejected" for state in made.states().values()) == 30

    slow = ExchangeConfig(cycle_s=0.02, fill_from_s=1.0, fill_to_s=1.2, never_fill=0.0)  # not before it is silent
    play(scenario, exchange=slow)
    late = database.rows("SELECT count(*) FROM executions WHERE poss_dup")
    assert database.rows("SELECT count(*) FROM outbox WHERE state = 'held'") == late
    assert late[0][0] > 0
    assert database.rows("SELECT count(*) FROM accounts WHERE reserved <> 0") == [(0,)]
    assert database.rows("SELECT link FROM session") == [("B",)]


def test_an_answer_lost_on_the_way_back_comes_by_retransmission(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        made.relays["A"].mute = True
        order = await made.order()
        assert (await made.submit(order)).state == "unknown"
        assert [row["id"] for row in made.book("exchange-order")] == [order["cl_ord_id"]]
        await operations.use_link(made.gateway, "B", False)
        await made.until(lambda: made.states()[order["order"]] != "unknown")
        assert (await operations.resolve(made.gateway))["asked"] == 0
        await made.until(made.whole)

    play(scenario)


def test_a_reset_of_the_numbers_loses_what_was_not_received(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        made.relays["A"].mute = True
        await made.trade(10)
        await made.until(lambda: sum(row["quantity"] for row in made.book("exchange-execution")) == 10 * 300)
        await operations.use_link(made.gateway, "B", True)
        findings = await operations.reconcile(made.gateway)
        assert not findings.clean
        assert findings.missing > 0
        assert findings.missing_accounts
        await made.trade(5)
        again = await operations.reconcile(made.gateway)
        assert again.missing == findings.missing
        assert not (await operations.drain(made.gateway, 0.5))["drained"]

    play(scenario)


def test_orders_sent_again_under_new_names_are_new_orders_to_the_exchange(play: Play, database: Database) -> None:
    async def scenario(made: Rig) -> None:
        made.relays["A"].silent = True
        await made.trade(12)
        await operations.use_link(made.gateway, "B", False)
        found = await operations.resend(made.gateway)
        assert (found["resent"], found["new"]) == (12, 12)
        assert {row["id"][-2:] for row in made.book("exchange-order")} == {"-2"}
        await made.until(made.whole)
        assert (await operations.reconcile(made.gateway)).clean

    play(scenario)
    assert database.rows("SELECT count(*) FROM order_ids") == [(24,)]


def test_a_gateway_that_died_goes_on_with_what_it_had_not_posted(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        await made.trade(10)
        await made.stop("gateway")
        order = await made.order()  # the api has stored it, and then lost the gateway
        await made.until(lambda: sum(row["quantity"] for row in made.book("exchange-execution")) == 10 * 300)
        await made.start_gateway()
        assert made.states()[order["order"]] == "unknown"
        assert made.gateway.flow.oldest_unanswered_s() > 0
        await made.until(made.gateway.ready)
        settled = await operations.resolve(made.gateway)
        assert settled["rejected"] == 1
        await drained(made)
        assert made.executed() == made.posted()
        assert {verdict.state for verdict in await made.trade(3)} == {"new"}

    play(scenario)


def test_an_exchange_that_was_restarted_still_owes_its_messages(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        await made.trade(10)
        await made.stop("exchange")
        made.relays["A"].cut()
        await made.until(lambda: not made.gateway.ready())
        made.start_exchange()
        await made.until(made.gateway.ready)
        await made.trade(5)
        await made.until(made.whole)
        assert (await operations.reconcile(made.gateway)).clean

    play(scenario)


def test_a_connection_that_breaks_is_opened_again_on_the_same_link(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        await made.trade(10)
        made.relays["A"].cut()
        await made.until(made.gateway.ready)
        await made.until(made.whole)
        assert made.gateway.status()["link"] == "A"

    play(scenario)


def test_a_link_that_is_dead_is_reported_and_nothing_is_sent_on_it(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        made.relays["B"].silent = True
        with pytest.raises(LinkError, match="link B"):
            await operations.use_link(made.gateway, "B", False)
        assert made.gateway.session_word() == "down"
        order = await made.order()
        verdict = await made.submit(order)
        assert (verdict.state, verdict.sent) == ("rejected", False)
        made.relays["B"].silent = False
        await made.until(made.gateway.ready)
        assert made.gateway.status()["link"] == "B"

    play(scenario)


def test_while_resynchronising_new_answers_wait_and_reconciliation_says_so(play: Play) -> None:
    slow = ExchangeConfig(cycle_s=0.02, fill_from_s=0.05, fill_to_s=0.2, never_fill=0.0, resend_per_s=8.0)
    hasty = GatewayConfig(heartbeat_s=0.05, request_s=0.2)

    async def scenario(made: Rig) -> None:
        made.relays["A"].mute = True  # so that every answer has to be sent again
        await made.trade(12)
        await made.until(lambda: sum(row["quantity"] for row in made.book("exchange-execution")) == 12 * 300)
        await operations.use_link(made.gateway, "B", False)
        findings = await operations.reconcile(made.gateway)
        assert (findings.clean, findings.resyncing) == (False, True)
        assert {verdict.state for verdict in await made.trade(1)} == {"unknown"}
        await made.until(made.whole)
        await made.until(lambda: "unknown" not in made.states().values())

    play(scenario, exchange=slow, gateway=hasty)


def test_the_exchange_knows_one_member_and_the_latest_logon_wins(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        links = made.gateway.links
        old = made.exchange._wire
        await links.use("B", False)
        assert made.exchange._wire is not old
        assert old is not None
        assert old.transport.is_closing()
        reader, writer = await asyncio.open_connection("127.0.0.1", made.config.via["exchange-a"])
        writer.write(b'{"MsgType":"Logon","MsgSeqNum":1,"SenderCompID":"SOMEBODY"}\n')
        assert b"unknown SenderCompID" in await reader.readline()
        writer.transport.abort()
        assert {verdict.state for verdict in await made.trade(2)} == {"new"}

    play(scenario)


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"[]\n", b'{"MsgType":"Heartbeat"}\n', b'{"MsgSeqNum":1}\n', b"\x00\xff\n"]
)
def test_the_exchange_s_doors_shut_on_nonsense(play: Play, line: bytes) -> None:
    async def scenario(made: Rig) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.config.ports["exchange_a"])
        writer.write(line)
        assert await reader.read() == b""
        writer.transport.abort()
        assert {verdict.state for verdict in await made.trade(1)} == {"new"}

    play(scenario)


def test_cancel(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        order = await made.order()
        await made.submit(order)
        verdict = await operations.cancel(made.gateway, order["cl_ord_id"], 1.0)
        assert verdict.state == "cancelled"
        assert made.states()[order["order"]] == "cancelled"
        assert (await operations.cancel(made.gateway, "K-never-sent", 1.0)).state == "rejected"
        assert made.database.rows("SELECT count(*) FROM accounts WHERE reserved <> 0") == [(0,)]

    play(scenario, exchange=ExchangeConfig(cycle_s=0.02, never_fill=1.0))


def test_held_notices_are_released_once(play: Play, database: Database) -> None:
    async def scenario(made: Rig) -> None:
        made.relays["A"].mute = True
        await made.trade(5)
        await made.until(lambda: sum(row["quantity"] for row in made.book("exchange-execution")) == 5 * 300)
        await operations.use_link(made.gateway, "B", False)
        await drained(made)
        first = await operations.release_notices(made.gateway)
        assert first["released"] > 0
        assert (await operations.release_notices(made.gateway))["released"] == 0
        assert database.rows("SELECT count(*) FROM outbox WHERE state = 'pending'") == [(first["released"],)]

    play(scenario)
    assert database.rows("SELECT count(*) FROM outbox WHERE state = 'held'") == [(0,)]


def test_what_the_session_takes_is_measured_by_orders_that_enter_no_book(play: Play, database: Database) -> None:
    async def scenario(made: Rig) -> None:
        found = await capacity.measure(made.gateway, 1.0)
        # a window of 2, answered once a cycle of 50 ms: 40 a second where nothing else is in the way
        assert 10 <= found["per_s"] <= 50
        assert made.gateway.flow.outstanding == 0
        assert not made.gateway.flow.unanswered
        assert {verdict.state for verdict in await made.trade(2)} == {"new"}
        assert len(made.book("exchange-order")) == 2

    window = GatewayConfig(window=2, heartbeat_s=0.1, logon_s=0.5, request_s=1.0)
    play(scenario, gateway=window, exchange=ExchangeConfig(cycle_s=0.05, jitter=0.0))
    assert database.rows("SELECT count(*) FROM orders") == [(2,)]


def test_without_a_session_nothing_can_be_measured(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        await made.stop("exchange")
        await made.until(lambda: not made.gateway.ready())
        with pytest.raises(NoSession):
            await capacity.measure(made.gateway, 0.5)

    play(scenario)


def test_a_second_node_of_the_same_identity_pushes_the_first_out(play: Play) -> None:
    async def scenario(made: Rig) -> None:
        await made.trade(5)
        first = made.gateway.links
        assert first is not None
        heard: list[float] = []

        def gone() -> bool:
            heard.append(first.heard_ns)
            return not first.session.active

        found = await second.start(made.gateway)
        assert found["session"] == "active"
        await made.until(gone)
        node = made.gateway.second
        assert node is not None
        assert await second.start(made.gateway) == {"session": await node.logged_on_within(1.0)}  # no third one
        assert made.gateway.second is node

    play(scenario)
