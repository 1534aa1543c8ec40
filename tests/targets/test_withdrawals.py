from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette

from drills.domains.registry import DOMAINS
from targets.brokerage import brokerctl
from targets.brokerage import config as brokerage
from targets.brokerage.api.rules import Refusal
from targets.brokerage.config import Config, WithdrawalsConfig
from targets.brokerage.operations.calls import Stack
from targets.brokerage.withdrawals import books, endpoints, settling
from targets.brokerage.withdrawals.desk import WithdrawalAsked
from targets.brokerage.withdrawals.linklog import Sent, lines, requests
from targets.brokerage.withdrawals.service import Withdrawals
from targets.brokerage.withdrawals.settling import NOT_FINAL, UNANSWERED
from targets.http_async import NotSent, Unanswered

from .stack import Database, make_config
from .test_operator_replies import Wire

YEN = 10_000


class Bank:
    """Pays as the real one does, by reference; ``loses`` replies, requests, or nothing."""

    def __init__(self) -> None:
        self.loses = ""
        self.decided: dict[str, str] = {}
        self.rejects = False

    async def ask(self, method: str, path: str, body: Any, within_s: float) -> tuple[int, Any]:
        if self.loses == "line":
            raise NotSent("no line")
        if self.loses == "requests":
            raise Unanswered("silent")
        reference = body["reference"] if body else path.rpartition("/")[2]
        if body:
            self.decided.setdefault(reference, "rejected" if self.rejects else "booked")
        if self.loses == "replies":
            raise Unanswered("silent")
        if reference not in self.decided:
            return 404, {}
        return 200, {"reference": reference, "state": self.decided[reference]}

    def close(self) -> None: ...

    @property
    def booked(self) -> int:
        return sum(state == "booked" for state in self.decided.values())


class Rig:
    def __init__(self, folder: Path, database: Database) -> None:
        via = {"withdrawals-pg": database.port}
        made = make_config(folder, {"postgres": database.port}, via)
        quick = WithdrawalsConfig(pool=2, answer_s=0.1, longest_delay_s=0.0)
        self.config: Config = msgspec.structs.replace(made, withdrawals=quick)
        self.database = database
        self.bank = Bank()
        self.account = next(row["id"] for row in database.world if row["kind"] == "account")
        self.service: Any = None

    def run(self, play: Callable[[], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            self.service = Withdrawals(self.config)
            self.service.link._connected = lambda: self.bank
            self.service.link._client = self.bank
            await self.service.store.pool.open(wait=True)
            try:
                return await play()
            finally:
                await self.service.stop()

        return asyncio.run(whole())

    async def ask(self, key: str = "k") -> tuple[int, dict[str, Any]]:
        try:
            return await self.service.desk.withdraw(WithdrawalAsked(self.account, key, YEN))
        except Refusal as refusal:
            return refusal.status, {"error": refusal.code, **refusal.fields}

    def cash(self) -> int:
        return int(self.database.rows("SELECT cash FROM accounts WHERE id = %s", (self.account,))[0][0])

    def state(self, key: str = "k") -> str:
        return str(self.database.rows("SELECT state FROM withdrawals WHERE key = %s", (key,))[0][0])


@pytest.fixture
def rig(tmp_path: Path, database: Database) -> Rig:
    return Rig(tmp_path, database)


def test_what_the_bank_books_is_completed_and_taken_once(rig: Rig) -> None:
    before = rig.cash()

    async def play() -> None:
        status, body = await rig.ask()
        assert (status, body["state"]) == (201, "completed")
        assert await rig.ask() == (200, {"withdrawal": body["withdrawal"], "state": "completed"})

    rig.run(play)
    assert (rig.cash(), rig.bank.booked) == (before - YEN, 1)


def test_what_the_bank_rejects_or_never_got_is_given_back(rig: Rig) -> None:
    before = rig.cash()

    async def play() -> None:
        rig.bank.rejects = True
        assert (await rig.ask("a"))[0] == 422
        rig.bank.loses = "line"
        assert (await rig.ask("b"))[0] == 503

    rig.run(play)
    assert (rig.cash(), rig.state("a"), rig.state("b")) == (before, "rejected", "reversed")


def test_what_the_bank_has_booked_is_paid_though_the_answer_cannot_be_logged(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rig.cash()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def play() -> None:
        monkeypatch.setattr(rig.service.link.log, "answered", full)
        assert (await rig.ask("booked"))[0] == 201
        monkeypatch.setattr(rig.service.link.log, "sent", full)
        assert (await rig.ask("not-sent"))[0] == 503
        assert rig.service.link.waiting == 0

    rig.run(play)
    assert (rig.cash(), rig.bank.booked) == (before - YEN, 1)
    assert (rig.state("booked"), rig.state("not-sent")) == ("completed", "reversed")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"a": "rejected", "b": "completed"}, ("b", "completed")),
        ({"a": "rejected", "b": "unknown"}, ("b", UNANSWERED)),
        ({"a": "rejected", "b": "absent"}, ("b", NOT_FINAL)),
        ({"a": "absent", "b": "rejected"}, ("b", "rejected")),
        ({"a": "rejected", "b": "rejected"}, ("a", "rejected")),
        ({"a": "absent", "b": "absent"}, ("b", NOT_FINAL)),
    ],
)
def test_of_several_requests_one_that_was_rejected_says_nothing_of_the_others(
    said: dict[str, str], found: tuple[str, str]
) -> None:
    assert settling._verdict([Sent("a", 10), Sent("b", 30)], said, 20) == found


def test_without_an_answer_it_is_unknown_until_the_bank_was_asked(rig: Rig) -> None:
    before = rig.cash()

    async def play() -> None:
        rig.bank.loses = "replies"
        assert (await rig.ask("paid"))[1]["error"] == "STATE_UNKNOWN"
        rig.bank.loses = "requests"
        assert (await rig.ask("lost"))[1]["state"] == "unknown"
        assert (await rig.service.look()).count == 2
        assert rig.service.oldest_s() > 0
        rig.bank.loses = ""
        assert dict(await rig.service.settling.resolve()) == {"completed": 1, "reversed": 1}

    rig.run(play)
    assert (rig.state("paid"), rig.state("lost"), rig.cash()) == ("completed", "reversed", before - YEN)


def test_not_found_is_not_final_before_the_longest_delay(rig: Rig) -> None:
    rig.config = msgspec.structs.replace(rig.config, withdrawals=WithdrawalsConfig(pool=2, answer_s=0.1))

    async def play() -> None:
        rig.bank.loses = "requests"
        await rig.ask()
        rig.bank.loses = ""
        assert [each.state for each in await rig.service.settling.inquire()] == ["not-final"]
        assert dict(await rig.service.settling.resolve()) == {"not-final": 1}

    rig.run(play)
    assert rig.state() == "unknown"


def test_a_new_session_forgets_references_that_were_not_kept(rig: Rig) -> None:
    stack = Path(rig.config.folder)

    async def play() -> None:
        rig.bank.loses = "replies"
        await rig.ask("kept")
        rig.service.link.log.keep()
        rig.service.link.renew()
        await rig.ask("gone")
        rig.service.link.renew()
        rig.bank.loses = ""
        assert sorted(each.state for each in await rig.service.settling.inquire()) == ["completed", "no-key"]

    rig.run(play)
    assert len(requests(stack)) == 1
    assert [row["kind"] for row in lines(stack)] == ["link-sent"]


@pytest.mark.parametrize(("new", "paid"), [(False, 1), (True, 2)])
def test_sent_again_under_a_new_reference_it_is_paid_again(rig: Rig, new: bool, paid: int) -> None:
    async def play() -> None:
        rig.bank.loses = "replies"
        await rig.ask()
        rig.bank.loses = ""
        assert dict(await rig.service.settling.resend(new)) == {"completed": 1}

    rig.run(play)
    assert (rig.bank.booked, rig.state()) == (paid, "completed")


def test_a_refused_customer_is_told_what_operators_have_decided(rig: Rig) -> None:
    async def play() -> None:
        await rig.service.desk.tell("failed")
        rig.bank.loses = "replies"
        status, body = await rig.ask()
        assert (status, body["error"], body["state"]) == (502, "PAYMENT_FAILED", "failed")
        await rig.service.desk.tell("being-confirmed")

    rig.run(play)
    assert rig.state() == "unknown"


def test_the_book_has_each_withdrawal_and_each_line_of_the_log(rig: Rig) -> None:
    rig.run(rig.ask)
    kind = DOMAINS.books["withdrawals"]
    rows = [msgspec.convert(row, kind) for row in books.read_book(rig.config)]
    mine = [row for row in rows if type(row).__name__ != "Withdrawal" or row.account == rig.account]
    assert [type(row).__name__ for row in mine][-2:] == ["LinkSent", "LinkAnswered"]


COMMANDS = (
    "withdrawals show", "withdrawals probe", "withdrawals tell being-confirmed", "withdrawals inquire",
    "withdrawals keep-log", "withdrawals new-session", "withdrawals resolve", "withdrawals notify",
    "withdrawals complete --all", "withdrawals reverse --all", "withdrawals resend --new-reference",
)  # fmt: skip


def test_commands_answer_as_they_are_declared(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        wire = Wire(rig.config, {"withdrawals": Starlette(routes=endpoints.routes(rig.service))})
        loop = asyncio.get_running_loop()

        def ask(self: Stack, service: str, method: str, path: str, body: Any = None, timeout_s: float = 0) -> Any:
            asked = wire.ask(service, method, path, body)
            return self._judge(service, *asyncio.run_coroutine_threadsafe(asked, loop).result(20))

        monkeypatch.setattr(Stack, "ask", ask)
        brokerage.save(rig.config)
        rig.bank.loses = "replies"
        await rig.ask()
        rig.bank.loses = ""
        for words in COMMANDS:
            await wire.fits(words)

    rig.run(play)
    assert rig.state() == "completed"


def test_one_or_all_must_be_named(rig: Rig) -> None:
    brokerage.save(rig.config)
    outcome = brokerctl.run(
        ["--stack", rig.config.folder, "--role", "operator", "--env", "drill", "withdrawals", "reverse"]
    )
    assert (outcome.exit, outcome.changed) == (1, False)
