"""How much was in doubt for how long, and when withdrawals counted as settled again."""

from __future__ import annotations

import msgspec
import pytest

from drills.cards import score
from drills.domains.withdrawals import facts
from drills.domains.withdrawals.rows import BankPayout, Withdrawal
from drills.domains.withdrawals.settled import since
from drills.judge.milestones import ABSENT, NOT_NEEDED
from drills.record.history import NS

from .synthetic import DRAINED, FAULT, Draft, at
from .withdrawn import IN_DOUBT, correct_withdrawn


def doubtful(draft: Draft) -> list[Withdrawal]:
    return [row for row in draft.withdrawals if isinstance(row, Withdrawal) and row.unknown_ns]


def test_each_in_doubt_counts_with_its_yen_until_it_is_settled() -> None:
    draft = correct_withdrawn(3)
    card = score(draft.history(), None)
    expected = sum(row.yen * (row.settled_ns - row.unknown_ns) for row in doubtful(draft)) // NS
    assert card.number("unknown_withdrawals") == IN_DOUBT
    assert card.number("unknown_yen_s") == expected
    sent = [row.t_ns for row in doubtful(draft)]
    assert card.number("withdrawals_unanswered_s") == pytest.approx((max(sent) - min(sent)) / NS, abs=0.001)


def test_they_are_settled_with_the_last_one() -> None:
    mark = since(correct_withdrawn(3).history(), at(FAULT), 0)
    assert mark.at is not None
    assert mark.at.latest == at(DRAINED)


def test_where_none_was_in_doubt_nothing_had_to_be_settled() -> None:
    assert since(correct_withdrawn(3, "no-fault").history(), at(FAULT), 0) == NOT_NEEDED


def test_what_is_not_as_the_bank_has_it_is_never_settled() -> None:
    draft = correct_withdrawn(3)
    assert draft.bank is not None
    n = next(n for n, row in enumerate(draft.bank) if isinstance(row, BankPayout) and row.state == "rejected")
    draft.bank[n] = msgspec.structs.replace(draft.bank[n], state="booked")
    assert since(draft.history(), at(FAULT), 0) == ABSENT


def test_paid_twice_is_the_later_payment_and_given_back_the_one_that_an_operator_decided() -> None:
    draft = correct_withdrawn(3)
    row = next(each for each in doubtful(draft) if each.state == "completed")
    draft.withdrawals[draft.withdrawals.index(row)] = msgspec.structs.replace(row, state="reversed", how="operator")
    found = facts.differences(draft.history())
    assert [each.row.id for each in found.reversed_but_paid] == [row.id]
    assert (found.completed_but_not_paid, found.unknown_to_us) == ((), ())


def test_who_is_told_what_is_not_so_is_not_told() -> None:
    draft = correct_withdrawn(3)
    row = next(each for each in doubtful(draft) if each.state == "completed")
    untrue = msgspec.structs.replace(row, state="reversed", told="reversed")
    draft.withdrawals[draft.withdrawals.index(row)] = untrue
    assert [each.row for each in facts.untold(draft.history())] == [untrue]


def test_what_was_settled_after_the_end_was_open_until_then() -> None:
    draft = correct_withdrawn(3)
    row = doubtful(draft)[0]
    draft.withdrawals[draft.withdrawals.index(row)] = msgspec.structs.replace(row, settled_ns=at(1_000))
    history = draft.history()
    assert [each.row.id for each in facts.stuck(history)] == [row.id]
    assert since(history, at(FAULT), 0) == ABSENT
