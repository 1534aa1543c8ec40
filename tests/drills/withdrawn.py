"""Correct histories with withdrawals: most are paid at once, some are in doubt in the fault and settled later."""

from __future__ import annotations

from typing import Any

import msgspec

from drills.domains.cash.rows import Account, Balance
from drills.domains.customers.rows import Reply, Request
from drills.domains.withdrawals.rows import BankPayout, LinkAnswered, LinkSent, Withdrawal
from drills.record.history import Objective, RequestOutcome

from . import synthetic as made
from .synthetic import CLOSED, DRAINED, END, FAULT, Draft, at, legs

WITHDRAWAL_CHECKS = [
    "paid-once",
    "settled-as-the-bank",
    "withdrawals-conserved",
    "withdrawals-settled",
    "payouts-traceable",
    "affected-told",
]
LIMITS = [*made.OBJECTIVES, Objective("unknown_withdrawals", 10, "count")]
OPENING = 10_000_000
TOLD = DRAINED + 0.4
ORDINARY, IN_DOUBT = 12, 5
REJECTED = 3
"""Every so many of them the bank does not pay."""


def correct_withdrawn(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day on which cash is paid out from accounts that do nothing else."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, checks=[*made.CHECKS, *WITHDRAWAL_CHECKS], objectives=LIMITS)
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "bank", "withdrawals"])
    draft.bank = []
    add_withdrawals(draft, arm, effect)
    return draft


def add_withdrawals(draft: Draft, arm: str, effect: bool) -> None:
    """To a history that has none; its balances and postings with them."""
    rng = draft.rng
    for n in range(ORDINARY):
        withdraw(draft, n, rng.uniform(0.5, FAULT - 1) if n % 2 else rng.uniform(DRAINED + 1, END - 3), False)
    if arm == "runbook" and effect:
        for n in range(ORDINARY, ORDINARY + IN_DOUBT):
            withdraw(draft, n, rng.uniform(FAULT, CLOSED - 1), True)


def withdraw(draft: Draft, n: int, t: float, doubt: bool) -> None:
    """One, from an account of its own; in doubt it is settled by an inquiry, and its customer told."""
    account, key, reference = f"C-{101 + n:04d}", f"w-{n}", f"L1-{n:06d}"
    yen, paid = 10_000 + 1_000 * n, n % REJECTED != 0
    state: Any = "completed" if paid else "rejected"
    over = DRAINED if doubt else t + 0.02
    id_, of = f"W-{n:08d}", {"account": account, "key": key}
    draft.world.append(Account(t_ns=0, id=account, account=account, cash=OPENING))
    _told(draft, key, account, yen, t, doubt, state)
    draft.withdrawals += [
        Withdrawal(
            t_ns=at(t + 0.002), id=id_, yen=yen, state=state, reference=reference, settled_ns=at(over),
            how="inquiry" if doubt else "answer", unknown_ns=at(t + 1.0) if doubt else 0,
            told=state if doubt else "", told_ns=at(TOLD) if doubt else 0, **of,
        ),
        LinkSent(t_ns=at(t + 0.004), id=reference, account=account, session="L1", withdrawal=id_, yen=yen),
    ]  # fmt: skip
    if not doubt:
        draft.withdrawals.append(LinkAnswered(t_ns=at(over), id=reference, account=account, session="L1", state=state))
    assert draft.bank is not None
    decided: Any = "booked" if paid else "rejected"
    draft.bank.append(
        BankPayout(t_ns=at(t + 0.006), id=f"B-{n}", account=account, key=reference, yen=yen, state=decided)
    )
    post(draft, id_, account, -yen, t + 0.002)
    if not paid:
        post(draft, f"{id_}-back", account, yen, over)
    cash = OPENING - (yen if paid else 0)
    draft.oms.append(Balance(t_ns=at(END + 2), id=account, account=account, cash=cash))


def post(draft: Draft, reference: str, account: str, yen: int, t: float) -> None:
    """Both legs of it."""
    draft.oms += [msgspec.structs.replace(leg, why="withdrawal") for leg in legs(reference, account, yen, at(t))]


def _told(draft: Draft, key: str, account: str, yen: int, t: float, doubt: bool, state: str) -> None:
    number, paid = draft.row(), state == "completed"
    outcome = RequestOutcome.UNKNOWN if doubt else RequestOutcome.OK if paid else RequestOutcome.REJECT
    said: dict[str, Any] = {"id": number, "account": account, "key": key, "action": "withdrawal"}
    draft.customers += [
        Request(t_ns=at(t), intended_ns=at(t), yen=yen, root=key, **said),
        Reply(
            t_ns=at(t + (1.01 if doubt else 0.03)), status=504 if doubt else 201 if paid else 422, outcome=outcome,
            order=f"W-{int(key[2:]):08d}", state="unknown" if doubt else state, **said,
        ),
    ]  # fmt: skip
