"""A customer who comes for a withdrawal, and what he does when he is told that it has failed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from loadprofiles.journeys import Journey, withdraw
from loadprofiles.profiles import PROFILES
from loadprofiles.replies import Answer
from loadprofiles.samples import OutcomeCode

PROFILE = PROFILES["payout-session"]
CONFIRMED = Answer(1, OutcomeCode.UNKNOWN, 504, {"error": "STATE_UNKNOWN", "state": "unknown"}, 0, 1)
FAILED = Answer(1, OutcomeCode.ERROR, 502, {"error": "PAYMENT_FAILED", "state": "failed"}, 0, 1)


class Client:
    """Answers every request alike, and remembers them."""

    def __init__(self, answer: Answer, share: float, closes: bool = False) -> None:
        self.profile = replace(PROFILE, behaviour=replace(PROFILE.behaviour, ask_again=share))
        self.asked: list[tuple[int, str, str]] = []
        self._answer = answer
        self._closes = closes

    def key(self, number: int) -> str:
        return f"k{number}"

    def pause(self, seconds: float) -> bool:
        low, high = self.profile.behaviour.ask_again_after_s
        assert low <= seconds <= high
        return not self._closes

    def withdraw(self, customer: Any, yen: int, key: str, root: str, row: int = 0, intended: int = 0) -> Answer:
        self.asked.append((yen, key, root))
        return self._answer


def comes(client: Client) -> list[Answer]:
    rated: list[Answer] = []
    journey = Journey(3, 3, 0, None, random.Random(1))  # type: ignore[arg-type]
    assert withdraw(client, journey, rated.append) is None  # type: ignore[arg-type]
    return rated


def test_who_is_told_that_it_has_failed_asks_again_for_the_same_under_another_key() -> None:
    client = Client(FAILED, 1.0)
    assert comes(client) == [FAILED]  # the second attempt enters no rate
    (yen, key, root), (again, other, same) = client.asked
    low, high = PROFILE.behaviour.withdraw_yen
    assert low * 1_000 <= yen <= high * 1_000
    assert (again, key, root, other, same) == (yen, "k3", "k3", "k3r", "k3")


@pytest.mark.parametrize(
    ("answer", "share", "closes"), [(CONFIRMED, 1.0, False), (FAILED, 0.0, False), (FAILED, 1.0, True)]
)
def test_whose_is_being_confirmed_waits(answer: Answer, share: float, closes: bool) -> None:
    client = Client(answer, share, closes)
    assert comes(client) == [answer]
    assert len(client.asked) == 1
