from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.requests import Request

from drills.domains.registry import DOMAINS
from targets.brokerage.bank.service import Bank
from targets.brokerage.books import read_book
from targets.brokerage.config import Config

from .stack import make_config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path, {}, {})


def call(handler: Callable[..., Any], body: Any = None, reference: str = "") -> tuple[int, dict[str, Any]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [], "path_params": {"reference": reference}}

    async def whole() -> tuple[int, dict[str, Any]]:
        said = await handler(Request(scope, receive))
        return said.status_code, json.loads(said.body)

    return asyncio.run(whole())


def order(reference: str = "R-1", yen: int = 5_000) -> dict[str, Any]:
    return {"reference": reference, "account": "C-0001", "yen": yen}


def test_a_payment_is_booked_once_however_often_it_is_asked_for(config: Config) -> None:
    bank = Bank(config)
    first, again = call(bank.pay, order()), call(bank.pay, order())
    assert first == (201, {"payment": "B-00000001", "reference": "R-1", "state": "booked"})
    assert again == (200, first[1])
    rows = read_book(config, "bank")
    assert len(rows) == 1
    (row,) = msgspec.convert(rows, list[DOMAINS.books["bank"]])  # type: ignore[misc]
    assert (row.key, row.account, row.yen, row.state) == ("R-1", "C-0001", 5_000, "booked")


def test_a_reference_stands_for_one_payment(config: Config) -> None:
    bank = Bank(config)
    call(bank.pay, order())
    assert call(bank.pay, order(yen=6_000))[0] == 409
    assert len(read_book(config, "bank")) == 1


def test_it_remembers_over_a_restart(config: Config) -> None:
    before = Bank(config)
    first = call(before.pay, order())[1]
    asyncio.run(before.stop())
    after = Bank(config)
    assert call(after.pay, order()) == (200, first)
    assert call(after.pay, order("R-2"))[1]["payment"] == "B-00000002"
    assert [row["n"] for row in read_book(config, "bank")] == [0, 1]


def test_it_says_what_became_of_a_reference(config: Config) -> None:
    bank = Bank(config)
    assert call(bank.look, reference="R-1")[0] == 404
    call(bank.pay, order())
    assert call(bank.look, reference="R-1") == (200, call(bank.pay, order())[1])


@pytest.mark.parametrize("yen", [0, -1, 100_000_001])
def test_what_it_rejects_it_rejects_for_good(config: Config, yen: int) -> None:
    bank = Bank(config)
    assert call(bank.pay, order(yen=yen))[0] == 422
    assert call(bank.pay, order(yen=yen))[0] == 422
    assert [row["state"] for row in read_book(config, "bank")] == ["rejected"]
