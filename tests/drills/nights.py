"""Correct histories of a night: those of a day, with the night's batch, repayments and two business dates laid over.

What the night moves is added to every figure and balance at the instant at which it was booked, so that a correct
history stays one. Where the fault bites, the batch fails early, is resumed with one account set apart, and that
account is shown as not current until it is done.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from drills.domains.cash.rows import Balance, BankPayment, Posting
from drills.domains.customers.rows import Reply, Request
from drills.domains.figures.rows import Acted, Shown
from drills.domains.night.rows import BatchJob, Calendar, Close, Lot, Marked
from drills.domains.orders.rows import ExchangeExecution
from drills.domains.repairs.rows import Adjustment
from drills.record.history import Kind, RequestOutcome

from . import synthetic as made
from .synthetic import ACCOUNTS, CLOSED, END, FAULT, OPENED, Draft, at, legs

BEFORE, DAY = "2026-11-20", "2026-11-24"
BEGINS, ROLLS, OPENS = 8.0, 18.0, 24.0
JOBS = ("settlement", "mark-to-market", "margin", "statements", "opening-gate")
APART, POOR = "C-0007", "C-0020"
"""The account that gets lots by the fault, and one that holds none."""
FAILED, RESUMED, ALL_DONE, APART_DONE = 9.0, 13.0, 15.0, 16.5
NIGHT_CHECKS = ["batch-complete-in-order", "one-variation-per-account-and-day", "opening-gate", "repairs-traceable"]
DIFFERENCES = {"1301": 12, "7203": -31, "9984": 40, "6758": -9}
"""Close of the new date minus close of the old one, yen. With lots of one share beyond a hundred no variation is ever
what some trades (hundreds of yen) and repayments (seven beyond a thousand) come to."""


@dataclass
class Night:
    """What the night does: yen by account, when each account was marked, and every movement of cash (t, yen)."""

    moves: dict[str, int] = field(default_factory=dict)
    marked: dict[str, float] = field(default_factory=dict)
    cash: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {account: [] for account in ACCOUNTS})


def correct_night(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A correct history of a night."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, phase="N2", checks=[*made.CHECKS, *NIGHT_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "bank"])
    draft.bank = []
    draft.note(-0.3, "load", Kind.INFO, "started", t0=at(0))
    rng, bites, night = random.Random(f"night:{seed}"), draft.plan.injects and effect, Night()
    _world(draft, rng, night)
    _batch(draft, night, bites)
    _repayments(draft, rng, night, bites)
    _mistake(draft, rng)
    _overlay(draft, rng, night, bites)
    return draft


def _world(draft: Draft, rng: random.Random, night: Night) -> None:
    draft.world.append(
        Calendar(
            t_ns=0, id=BEFORE, opens_at="09:00", compression=60, next=DAY, begins=f"{BEFORE}T18:00:00+09:00",
            batch_at="18:08", rolls_at="18:18", opening_at="18:24", must_run=JOBS,
        )
    )  # fmt: skip
    for code, difference in DIFFERENCES.items():
        for day, close in ((BEFORE, 1000), (DAY, 1000 + difference)):
            draft.world.append(Close(t_ns=0, id=f"{code}/{day}", code=code, day=day, close=close))
    for account in ACCOUNTS:
        held = [(rng.choice(list(DIFFERENCES)), rng.randrange(1, 6) * 100 + 1) for _ in range(2)]
        for n, (code, quantity) in enumerate(held if account != POOR else []):
            row = Lot(t_ns=0, id=f"L-{account}-{n}", account=account, code=code, quantity=quantity)
            draft.world.append(row)
        night.moves[account] = sum(DIFFERENCES[code] * quantity for code, quantity in held) if account != POOR else 0
    for _, actor, kind, what, data in draft.events:
        if actor == "fault:0" and what == "inject" and kind == Kind.OK:
            data["lots"] = [{"account": APART, "code": code, "quantity": 900} for code in ("1301", "6758")]
            night.moves[APART] += 900 * (DIFFERENCES["1301"] + DIFFERENCES["6758"])


# -- the batch --------------------------------------------------------------------------------------------------------


def _batch(draft: Draft, night: Night, bites: bool) -> None:
    early = ACCOUNTS[:6]
    for n, account in enumerate(ACCOUNTS):
        t = BEGINS + 0.1 + 0.05 * n
        night.marked[account] = t if account in early or not bites else RESUMED + 0.2 + 0.08 * n
    if bites:
        night.marked[APART] = APART_DONE
    for account, t in night.marked.items():
        variation(draft, account, night.moves[account], t)
        night.cash[account].append((at(t), night.moves[account]))
        draft.oms.append(Marked(t_ns=at(t), id=f"{account}/{DAY}", account=account, day=DAY))
    end = APART_DONE if bites else BEGINS + 1.2
    trades = sum(isinstance(row, ExchangeExecution) and row.t_ns < at(BEGINS) for row in draft.exchange)
    job(draft, "settlement", BEGINS, BEGINS + 0.05, trades)
    if bites:
        job(draft, "mark-to-market", BEGINS + 0.06, FAILED, len(ACCOUNTS), given=len(early), state="failed")
    job(draft, "mark-to-market", RESUMED if bites else BEGINS + 0.06, end + 0.01, len(ACCOUNTS), attempt=1 + bites)
    for n, name in enumerate(JOBS[2:]):
        job(draft, name, end + 0.02 + 0.1 * n, end + 0.11 + 0.1 * n, len(ACCOUNTS))


def variation(draft: Draft, account: str, yen: int, t: float, run: int = 1) -> list[Any]:
    """The two legs of an account's variation."""
    both = [
        Posting(
            t_ns=at(t), id=f"v-{run}-{account}-{name}", account=name, reference=f"V-{account}-{run}", yen=amount,
            why="variation", day=DAY,
        )
        for name, amount in ((account, yen), ("VARIATION", -yen))
    ]  # fmt: skip
    draft.oms += both
    return both


def job(
    draft: Draft, name: str, start: float, end: float, taken: int, given: int | None = None, state: str = "done",
    attempt: int = 1,
) -> Any:  # fmt: skip
    row = BatchJob(
        t_ns=at(start), id=f"{name}/{attempt}", job=name, state=state, started_ns=at(start), ended_ns=at(end),
        taken=taken, given=taken if given is None else given, rejected=0, attempt=attempt,
    )  # fmt: skip
    draft.oms.append(row)
    return row


# -- repayments -------------------------------------------------------------------------------------------------------


def _repayments(draft: Draft, rng: random.Random, night: Night, bites: bool) -> None:
    """One at a time for each customer, in flight at the end too; some are rejected, some answered too late."""
    t, free = 0.2, dict.fromkeys(ACCOUNTS, 0.0)
    while t < END + 0.4:
        account = rng.choice(ACCOUNTS)
        closed = bites and FAULT - 1.5 <= t < OPENED
        if free[account] <= t:
            free[account] = t + 0.1 if closed else _repay(draft, rng, night, account, t)
            if closed and t >= CLOSED:
                _told(draft, account, f"r-{t:.3f}", t, t + 0.005, RequestOutcome.CLOSED, 1_007)
        t += rng.expovariate(3.0)


def _repay(draft: Draft, rng: random.Random, night: Night, account: str, t: float) -> float:
    """One repayment, taken before the bank is asked; when it is over, in seconds."""
    reference, yen = f"R-{t:.4f}", 1000 * rng.randrange(1, 20) + 7
    taken, slow, rejected = t + 0.004, rng.random() < 0.1, rng.random() < 0.06
    decided = taken + (rng.uniform(0.4, 1.4) if slow else rng.uniform(0.001, 0.4))
    pay(draft, night, account, reference, -yen, taken)
    assert draft.bank is not None
    state: Any = "rejected" if rejected else "booked"
    draft.bank.append(payment(reference, account, yen, decided, state))
    over = decided + rng.uniform(0.001, 0.1)
    if rejected:
        pay(draft, night, account, f"{reference}-back", yen, over)
    outcome = RequestOutcome.UNKNOWN if slow else RequestOutcome.REJECT if rejected else RequestOutcome.OK
    _told(draft, account, reference, t, over, outcome, yen)
    return over + 0.1


def pay(draft: Draft, night: Night, account: str, reference: str, yen: int, t: float) -> None:
    both = legs(reference, account, yen, at(t))
    draft.oms += [msgspec.structs.replace(leg, why="repayment") for leg in both]
    night.cash[account].append((at(t), yen))


def payment(reference: str, account: str, yen: int, t: float, state: Any = "booked") -> Any:
    return BankPayment(t_ns=at(t), id=f"B-{reference}", account=account, key=reference, yen=yen, state=state)


def _told(draft: Draft, account: str, key: str, t: float, done: float, outcome: RequestOutcome, yen: int) -> None:
    number = draft.row()
    what: dict[str, Any] = {"id": number, "account": account, "key": key, "action": "repayment"}
    draft.customers += [
        Request(t_ns=at(t), intended_ns=at(t), yen=yen, **what),
        Reply(t_ns=at(done), status=200, outcome=outcome, order=key, **what),
    ]


# -- what is put right, and what is shown -----------------------------------------------------------------------------


def _mistake(draft: Draft, rng: random.Random) -> None:
    """Now and then somebody corrects an account and takes that back at once, by the book."""
    if rng.random() < 0.5:
        account, t = rng.choice(ACCOUNTS), rng.uniform(ROLLS, END - 1)
        correction(draft, account, 5_000, t, "A-1")
        correction(draft, account, -5_000, t, "A-2")


def correction(draft: Draft, account: str, yen: int, t: float, reference: str, **said: str) -> Any:
    """An entry and its legs; the entry."""
    words = {"reason": "an entry too many", "request": "tanaka", "approver": "suzuki"} | said
    row = Adjustment(t_ns=at(t), id=reference, account=account, reference=reference, yen=yen, **words)
    draft.oms += [
        row,
        *(msgspec.structs.replace(leg, why="adjustment") for leg in legs(reference, account, yen, at(t))),
    ]
    return row


def _overlay(draft: Draft, rng: random.Random, night: Night, bites: bool) -> None:
    """Date every figure, and bring it and the balances to what the night has made of them."""
    hidden = set()
    for n, row in enumerate(draft.customers):
        if isinstance(row, Shown):
            apart = bites and row.account == APART and at(RESUMED) <= row.received_ns < at(APART_DONE)
            hidden |= {row.id} if apart else set()
            read = row.sent_ns + 2_000_000
            draft.customers[n] = msgspec.structs.replace(
                row,
                yen=row.yen + sum(yen for t, yen in night.cash[row.account] if t <= read),
                as_of=DAY if row.sent_ns >= at(ROLLS) else BEFORE,
                current=row.current and not apart,
            )
    draft.customers = [
        msgspec.structs.replace(row, what="repayment") if isinstance(row, Acted) and rng.random() < 0.5 else row
        for row in draft.customers
        if not (isinstance(row, Acted) and row.shown in hidden)
    ]
    for n, row in enumerate(draft.oms):
        if isinstance(row, Balance):
            moved = sum(yen for _, yen in night.cash[row.account])
            draft.oms[n] = msgspec.structs.replace(row, cash=row.cash + moved)
