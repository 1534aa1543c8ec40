from __future__ import annotations

from typing import Any

import pytest

from loadprofiles.actions import Action
from loadprofiles.commands import NotOurs, permitted
from loadprofiles.replies import decode, outcome_of
from loadprofiles.samples import OutcomeCode

BALANCES = {"cash": 1, "buying_power": 1, "as_of": "x", "status": "current"}


@pytest.mark.parametrize(
    ("action", "status", "data", "outcome"),
    [
        ("order", 201, {"order": "O", "state": "new"}, OutcomeCode.OK),
        ("order", 200, {"order": "O", "state": "filled"}, OutcomeCode.OK),
        ("order", 201, {"order": 7}, OutcomeCode.ERROR),
        ("order", 422, {"error": "TICK"}, OutcomeCode.REJECT),
        ("order", 409, {"error": "KEY"}, OutcomeCode.REJECT),
        ("order", 404, {}, OutcomeCode.ERROR),
        ("status", 404, {"error": "NO_SUCH_ORDER"}, OutcomeCode.REJECT),
        ("order", 503, {"error": "SERVICE_CLOSED"}, OutcomeCode.CLOSED),
        ("order", 503, {"error": "LOCK_TIMEOUT"}, OutcomeCode.ERROR),
        ("order", 503, {}, OutcomeCode.ERROR),
        ("order", 504, {"error": "STATE_UNKNOWN", "state": "unknown"}, OutcomeCode.UNKNOWN),
        ("order", 504, {}, OutcomeCode.ERROR),
        ("order", 500, {}, OutcomeCode.ERROR),
        ("order", 401, {}, OutcomeCode.ERROR),
        ("order", 302, {}, OutcomeCode.ERROR),
        ("balances", 200, BALANCES, OutcomeCode.OK),
        ("balances", 200, BALANCES | {"cash": True}, OutcomeCode.ERROR),
        ("balances", 200, BALANCES | {"cash": 1.5}, OutcomeCode.ERROR),
        ("balances", 200, {}, OutcomeCode.ERROR),
        ("quote", 200, {"price": 100}, OutcomeCode.OK),
        ("repayment", 201, {"repayment": "R", "state": "completed"}, OutcomeCode.OK),
        ("repayment", 201, {"state": "completed"}, OutcomeCode.ERROR),
        ("repayment", 422, {"error": "NO_LOAN"}, OutcomeCode.REJECT),
        ("repayment", 503, {"error": "SERVICE_CLOSED"}, OutcomeCode.CLOSED),
        ("repayment", 503, {"error": "LOCK_TIMEOUT"}, OutcomeCode.ERROR),
        ("repayment", 504, {"error": "STATE_UNKNOWN"}, OutcomeCode.UNKNOWN),
        ("login", 200, {"token": "t"}, OutcomeCode.OK),
    ],
)
def test_outcomes(action: Action, status: int, data: dict[str, Any], outcome: OutcomeCode) -> None:
    assert outcome_of(action, status, data) is outcome


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b'"x"', b'{"a":1}}'])
def test_what_is_no_json_object_is_nothing(body: bytes) -> None:
    assert decode(body) == {}


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:80", "http://localhost:80", "http://example.com:80", "http://127.0.0.1", "ftp://127.0.0.1:21",
        "http://127.0.0.1:80/api", "http://127.0.0.1@10.0.0.1:80", "http://u:p@127.0.0.1:80", "http://[::2]:80",
        "http://[::]:80", "http://[::1%lo]:80", "http://[::ffff:127.0.0.1]:80", "http://[::1]",
        "http://127.0.0.1:99999", "127.0.0.1:80", "", "http://0.0.0.0:80", "http://127.1:80",
    ],
)  # fmt: skip
def test_only_loopback_addresses_get_load(url: str) -> None:
    with pytest.raises(NotOurs, match=r"load goes only|give scheme"):
        permitted(url)


def test_loopback_addresses_are_taken_apart() -> None:
    assert permitted("http://127.0.0.1:8080") == ("127.0.0.1", 8080, False)
    assert permitted("https://127.9.9.9:1/") == ("127.9.9.9", 1, True)
    assert permitted("http://[::1]:8080") == ("::1", 8080, False)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://198.18.0.2:80", set()),
        ("http://198.18.0.3:80", {"198.18.0.2"}),
        ("http://10.0.0.1:80", {"10.0.0.1"}),
        ("http://example.com:80", {"example.com"}),
    ],
)
def test_of_containers_only_the_target_s_own_get_load(url: str, own: set[str]) -> None:
    assert permitted("http://198.18.0.2:80", {"198.18.0.2"}) == ("198.18.0.2", 80, False)
    with pytest.raises(NotOurs, match="load goes only"):
        permitted(url, own)
