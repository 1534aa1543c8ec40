"""Histories made up from a seed: correct ones with ordinary flow, and functions that plant one defect each.

Ordinary flow has what a correct system has all the time: postings that lag their executions, executions in flight at
the end, partial fills, cancels, business rejects, time-outs of orders that are in, and orders nobody was sure of.
Times are seconds after the first arrival (``at``), turned into ns on a clock that starts anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from drills.domains.cash.rows import Account, Balance, Posting
from drills.domains.customers.rows import Reply, Request
from drills.domains.figures.rows import Acted, Shown
from drills.domains.orders.rows import ExchangeCancel, ExchangeExecution, ExchangeOrder, Notice, OmsExecution, OmsOrder
from drills.domains.registry import DOMAINS
from drills.judge.check import run_check
from drills.record.history import (
    NS,
    OUTCOMES,
    CheckResult,
    Event,
    History,
    Kind,
    Objective,
    Plan,
    PlannedFault,
    Reason,
    RequestOutcome,
    RunEnd,
    RunRecord,
    Samples,
    Slo,
)

ZERO = 5_000 * NS
SERVICES = {"orders": 25.0, "inquiry": 35.0}
SLO = Slo(latency=NS, hold=5 * NS, grace=NS * 3 // 2, notice=10 * NS, monitor_gap=2 * NS)
CHECKS = [
    "cash-conserved",
    "orders-accounted",
    "executions-one-to-one",
    "no-duplicates",
    "notices-complete",
    "figures-right",
    "no-wrong-figure-acted-on",
    "nothing-left-behind",
]
OBJECTIVES = [
    Objective("detect", 3, "s"),
    Objective("contain", 12, "s"),
    Objective("recover", 15, "s"),
    Objective("wrong_figures_acted_on", 0, "count", window="after_first_step"),
    Objective("served_ratio", 0.5, "ratio", at_least=True),
]
ACCOUNTS = [f"C-{n:04d}" for n in range(1, 21)]
OWN_PARTS = ["harness", "load", "launcher", "proxy"]
END = 26.0
FAULT, CLOSED, SWITCHED, DRAINED, OPENED = 7.0, 8.4, 12.0, 13.0, 14.0
MARKED, UNMARKED = 8.4, 14.1


def at(t: float) -> int:
    """Seconds after the first arrival as ns of the run's clock."""
    return ZERO + round(t * 1_000_000) * 1000


def plan(arm: str) -> Plan:
    """As the events have it: ``END`` is also the cap of an arm in which nobody acts, or the end of its quiet."""
    onset = 10 if arm == "no-fault" else 2
    cap = 19 if arm == "no-action" else 20
    return Plan(
        drill="made-up", variant=None, title={"en": "Made up", "ja": "作り物"}, sources=["rkt-05"], phase="D3",
        fidelity="F", limits=["made up"], governing=None, arm=arm, operator="auto", reaction=NS // 5, seed=1, slo=SLO,
        services=SERVICES, alerts=["LinkSilent"], objectives=OBJECTIVES, checks=CHECKS,
        faults=[PlannedFault(0, "timeout", onset * NS, None, {"link": "exchange-a"})], baseline=5 * NS, cap=cap * NS,
        drill_sha256="0" * 64, runbook_sha256=FOLLOWED,
    )  # fmt: skip


FOLLOWED = "f" * 64
"""SHA-256 of the runbook that is followed."""


@dataclass
class Draft:
    """A history in the making; plant something in it, then ask for ``history()``."""

    plan: Plan
    run: RunRecord
    rng: random.Random
    world: list[Any] = field(default_factory=list)
    customers: list[Any] = field(default_factory=list)
    exchange: list[Any] = field(default_factory=list)
    oms: list[Any] = field(default_factory=list)
    notices: list[Any] = field(default_factory=list)
    bank: list[Any] | None = None  # the target has none
    transactions: list[Any] = field(default_factory=list)
    certificates: list[Any] = field(default_factory=list)
    counters: list[Any] = field(default_factory=list)
    waiting_room: list[Any] = field(default_factory=list)
    withdrawals: list[Any] = field(default_factory=list)
    spool: list[Any] = field(default_factory=list)
    market: list[Any] = field(default_factory=list)
    samples: list[list[int]] = field(default_factory=list)  # intended, sent, done, outcome, name, key
    events: list[tuple[int, str, Kind, str, dict[str, Any]]] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)  # each stands for itself, as an id without words does
    rows: int = 0

    def note(self, t: float, actor: str, kind: Kind, what: str, **data: Any) -> None:
        self.events.append((at(t), actor, kind, what, data))

    def row(self) -> str:
        self.rows += 1
        return str(self.rows)

    def history(self, without: str = "") -> History:
        named = {name: getattr(self, name.replace("-", "_")) for name in self.run.books}
        kept = {name: tuple(sorted(rows, key=lambda row: row.t_ns)) for name, rows in named.items() if name != without}
        events = tuple(Event(n, *event) for n, event in enumerate(sorted(self.events, key=lambda e: e[0])))
        return History(
            msgspec.structs.replace(self.run, plan=self.plan),
            events,
            self._columns(),
            kept,
            tuple(map(Reason, self.damage)),
        )

    def _columns(self) -> Samples:
        table = np.array(sorted(self.samples), np.int64).reshape(-1, 6)
        intended, sent, done, outcome, name, key = table.T
        return Samples(intended, sent, done, outcome.astype(np.uint8), name.astype(np.uint8), key, tuple(SERVICES))

    def sample(self, service: str, t: float, took: float, outcome: RequestOutcome, key: str) -> None:
        code = list(SERVICES).index(service)
        sent = at(t) + self.rng.randrange(100_000, 2_000_000)
        self.samples.append([at(t), sent, max(sent + 1000, at(t + took)), OUTCOMES.index(outcome), code, int(key)])

    def spoil(
        self, service: str, start: float, end: float, outcome: RequestOutcome = RequestOutcome.TIMEOUT, share: float = 1
    ) -> int:
        """Make requests of a service intended in [start, end) bad; how many."""
        count = 0
        for sample in self.samples:
            mine = sample[4] == list(SERVICES).index(service) and at(start) <= sample[0] < at(end)
            if mine and self.rng.random() < share:
                sample[3] = OUTCOMES.index(outcome)
                sample[2] = sample[1] + (
                    3_000_000 if outcome in (RequestOutcome.REFUSED, RequestOutcome.CLOSED) else 2 * NS
                )
                count += 1
        return count


@dataclass
class Script:
    """What goes wrong and is done about it, in a correct way."""

    fault: bool = False  # injected and witnessed
    effect: bool = False  # it bites, and the operator handles it well

    def during(self, t: float, start: float, end: float) -> bool:
        return self.effect and start <= t < end


def correct(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A correct history. In the arms with a fault it bites unless ``effect`` is False, and is handled well."""
    rng = random.Random(seed)
    fixed = plan(arm)
    run = RunRecord(
        schema="kunren.run/2", run=f"made-up/x-{arm}-1", plan=fixed, started="2026-11-22T10:06:00Z", t0=at(-2),
        kunren="0.1.0", subject=None, target="local", engines={"proxy": "embedded"}, machine={},
        clock={"start": 10**18, "end": 10**18 + 1000}, books=["world", "customers", "exchange", "oms", "notices"],
        ready=at(-1), end=RunEnd(at(END + 5), "judged"), own_parts=OWN_PARTS,
    )  # fmt: skip
    draft = Draft(fixed, run, rng)
    script = Script(fixed.injects, fixed.injects and effect)
    _events(draft, script)
    _flow(draft, script)
    return draft


def _events(draft: Draft, script: Script) -> None:
    for t in np.arange(-1.0, END + 1, 0.5):
        draft.note(float(t), "monitor", Kind.INFO, "heartbeat", n=int(t * 2), t_ns=at(float(t)))
    draft.note(0, "runner", Kind.INVOKE, "baseline")
    draft.note(5, "runner", Kind.OK, "baseline")
    draft.note(5, "runner", Kind.INVOKE, "observe")
    draft.note(END, "runner", Kind.INFO, "lateness", ticks=260, worst_ns=12_000_000, total_ns=0)
    draft.note(END, "runner", Kind.INVOKE, "snapshot")
    draft.note(END + 2.2, "runner", Kind.OK, "snapshot")
    for n, part in enumerate(reversed(OWN_PARTS)):
        draft.note(END + 2.3 + n / 100, part, Kind.OK, "own-errors", counts={}, first="")
    if script.fault:
        draft.note(FAULT, "fault:0", Kind.INVOKE, "inject")
        draft.note(FAULT + 0.01, "fault:0", Kind.OK, "inject")
        draft.note(FAULT + 0.05, "fault:0", Kind.OK, "verify_effect")
        draft.note(END + 3, "fault:0", Kind.INVOKE, "rollback")
        draft.note(END + 3.1, "fault:0", Kind.OK, "rollback")
        draft.note(END + 3.2, "fault:0", Kind.OK, "verify_removed")
        alert(draft, 8.1)
    if draft.plan.arm == "false-alarm":
        draft.note(8.1, "runner", Kind.INFO, "false-alarm")
    if draft.plan.arm not in ("no-fault", "no-action"):
        opened(draft, 8.3, called=8.1)
        step(draft, "close", 8.3, 8.5)
        step(draft, "switch", 9.0, SWITCHED)
        step(draft, "drain", SWITCHED, 13.6, changed=False)
        step(draft, "open", 13.9, 14.2)
        draft.note(14.3, "operator", Kind.OK, "runbook", runbook="link-down", end="done", opens=None)


def alert(draft: Draft, t: float, rule: str = "LinkSilent", runbook: str = "link-down", severity: str = "page") -> None:
    draft.note(
        t + 0.03, "monitor", Kind.INFO, "alert",
        rule=rule, status="firing", severity=severity, labels={"layer": "cause"}, runbook=runbook, t_ns=at(t),
    )  # fmt: skip


def opened(
    draft: Draft,
    t: float,
    runbook: str = "link-down",
    rule: str = "LinkSilent",
    called: float = 0.0,
    by: str | None = None,
) -> None:
    """``called``: the receipt of the alert; the right runbook is the one that is called as the alert's is."""
    data = {"runbook": runbook, "sha256": FOLLOWED if runbook == "link-down" else "0", "rule": rule, "from": by}
    draft.note(t, "operator", Kind.INVOKE, "runbook", **data, alert_ns=at(called), called_ns=at(called))


def step(draft: Draft, name: str, start: float, end: float, outcome: str = "ok", changed: bool = True) -> None:
    draft.note(start, "operator", Kind.INVOKE, "step", id=name)
    kind = Kind.OK if outcome == "ok" else Kind.FAIL
    draft.note(end, "operator", kind, "step", id=name, outcome=outcome, changed=changed, waited_ns=NS // 100)


@dataclass
class Flow:
    """Executions at the exchange as (t, row), to be posted later."""

    executions: list[tuple[float, ExchangeExecution]] = field(default_factory=list)
    orders: dict[str, OmsOrder] = field(default_factory=dict)


def _flow(draft: Draft, script: Script) -> None:
    draft.world += [Account(t_ns=0, id=account, account=account, cash=10_000_000) for account in ACCOUNTS]
    flow = Flow()
    for t in _arrivals(draft.rng, SERVICES["orders"]):
        _order(draft, script, flow, t)
    posted = _post(draft, script, flow)
    _settle_orders(draft, flow)
    for t in _arrivals(draft.rng, SERVICES["inquiry"]):
        _inquiry(draft, script, t, posted)


def _arrivals(rng: random.Random, rate: float) -> Iterator[float]:
    t = rng.expovariate(rate)
    while t < END + 0.5:
        yield t
        t += rng.expovariate(rate)


def _order(draft: Draft, script: Script, flow: Flow, t: float) -> None:
    rng, account, key = draft.rng, draft.rng.choice(ACCOUNTS), f"k{draft.rows + 1}"
    if script.during(t, CLOSED, OPENED):
        number = _ask(draft, account, key, key, t, t + 0.005, RequestOutcome.CLOSED, 503, error="SERVICE_CLOSED")
        draft.sample("orders", t, 0.005, RequestOutcome.CLOSED, number)
    elif script.during(t, FAULT, CLOSED):
        number = _ask(draft, account, key, key, t, t + 1.0, RequestOutcome.UNKNOWN, 504, state="unknown")
        draft.sample("orders", t, 1.0, RequestOutcome.UNKNOWN, number)
        _in_oms(draft, flow, account, key, t, "rejected")
        _look(draft, account, key, OPENED + 0.5 + rng.random(), "rejected")
        if rng.random() < 0.5:
            _accepted(draft, flow, account, f"{key}r", key, OPENED + 1.6 + rng.random())
    elif rng.random() < 0.06:
        number = _ask(draft, account, key, key, t, t + 0.01, RequestOutcome.REJECT, 422, error="TICK")
        draft.sample("orders", t, 0.01, RequestOutcome.REJECT, number)
    else:
        number = _accepted(draft, flow, account, key, key, t)
        draft.sample("orders", t, 0.1, RequestOutcome.OK, number)
        if rng.random() < 0.05 and not script.during(t, FAULT - 1, OPENED):
            _in_doubt(draft, flow, account, t + 0.2)


def _in_doubt(draft: Draft, flow: Flow, account: str, t: float) -> None:
    """An unrated order that timed out for the customer, though it is in; or that never arrived."""
    key = f"k{draft.rows + 1}a"
    if draft.rng.random() < 0.5:
        _accepted(draft, flow, account, key, key, t, RequestOutcome.TIMEOUT)
        _look(draft, account, key, t + 3, "new")
    else:
        _ask(draft, account, key, key, t, t + 2, RequestOutcome.TIMEOUT, 0)
        _look(draft, account, key, t + 3, "", error="NO_SUCH_ORDER")


def _accepted(
    draft: Draft, flow: Flow, account: str, key: str, root: str, t: float, outcome: RequestOutcome = RequestOutcome.OK
) -> str:
    rng = draft.rng
    told = {"state": "new", "order": f"o-{key}"} if outcome is RequestOutcome.OK else {}
    side = rng.choice(["buy", "sell"])
    price, parts = rng.randrange(500, 3000), rng.randrange(1, 4)
    asked: dict[str, Any] = {"code": "7203", "side": side, "price": price, "quantity": 100 * parts}
    number = _ask(draft, account, key, root, t, t + (0.1 if told else 2), outcome, 201 if told else 0, asked, **told)
    terms: dict[str, Any] = {"account": account, "key": key, "code": "7203", "side": side, "price": price}
    draft.exchange.append(ExchangeOrder(t_ns=at(t + 0.05), id=f"x-{key}", account=account, key=key, **asked))
    _in_oms(draft, flow, account, key, t, "new", side=side, price=price, quantity=100 * parts)
    draw = rng.random()
    if draw < 0.05:
        _cancel(draft, flow, account, key, t + 2)
    elif draw < 0.85:
        part_only = draw < 0.1 and parts > 1 and _cancel(draft, flow, account, key, t + 9)  # when one part is in
        for n in range(1 if part_only else parts):
            filled = t + 0.5 + rng.uniform(0.5, 7.5)
            row = ExchangeExecution(t_ns=at(filled), id=f"e-{key}-{n}", order=f"x-{key}", quantity=100, **terms)
            if filled < END + 1:
                flow.executions.append((filled, row))
    return number


def _cancel(draft: Draft, flow: Flow, account: str, key: str, t: float) -> bool:
    if t > END - 1 or FAULT - 0.5 < t < SWITCHED:
        return False
    number = draft.row()
    draft.customers.append(Request(t_ns=at(t), id=number, account=account, key=key, action="cancel", intended_ns=at(t)))
    draft.exchange.append(ExchangeCancel(t_ns=at(t + 0.05), id=f"x-{key}", account=account, key=key))
    draft.customers.append(
        Reply(
            t_ns=at(t + 0.1), id=number, account=account, key=key, action="cancel", status=200, outcome="ok",
            order=f"o-{key}", state="pending-cancel",
        )
    )  # fmt: skip
    flow.orders[key] = msgspec.structs.replace(flow.orders[key], state="cancelled")
    return True


TERMS: dict[str, Any] = {"code": "7203", "side": "buy", "quantity": 100, "price": 1000}
"""Of an order of which nothing came."""


def _ask(
    draft: Draft, account: str, key: str, root: str, t: float, done: float, outcome: RequestOutcome, status: int,
    terms: dict[str, Any] = TERMS, **told: str,
) -> str:  # fmt: skip
    number = draft.row()
    draft.customers.append(
        Request(
            t_ns=at(t + 0.001), id=number, account=account, key=key, root=root, action="order", intended_ns=at(t),
            **terms,
        )
    )  # fmt: skip
    draft.customers.append(
        Reply(
            t_ns=at(done), id=number, account=account, key=key, action="order", status=status, outcome=outcome, **told
        )
    )
    return number


def _look(draft: Draft, account: str, key: str, t: float, state: str, error: str = "", final: bool = False) -> None:
    number = draft.row()
    late = final or t > END
    draft.customers.append(
        Request(
            t_ns=at(t), id=number, account=account, key=key, action="status", intended_ns=at(t), final=late
        )
    )  # fmt: skip
    outcome, status = ("ok", 200) if state else ("reject", 404)
    draft.customers.append(
        Reply(
            t_ns=at(t + 0.01), id=number, account=account, key=key, action="status", status=status, outcome=outcome,
            state=state, error=error,
        )
    )  # fmt: skip


def _in_oms(draft: Draft, flow: Flow, account: str, key: str, t: float, state: str, **terms: Any) -> None:
    known: dict[str, Any] = {"side": "buy", "price": 1000, "quantity": 100} | terms
    flow.orders[key] = OmsOrder(
        t_ns=at(t + 0.01), id=f"o-{key}", account=account, key=key, code="7203", state=state, cl_ord_id=f"x-{key}",
        filled=0, **known,
    )  # fmt: skip


def _post(draft: Draft, script: Script, flow: Flow) -> dict[str, list[tuple[float, int]]]:
    """Post and notify every execution in order; cash movements by account, by time of posting."""
    posted: dict[str, list[tuple[float, int]]] = {account: [] for account in ACCOUNTS}
    flow.executions.sort(key=lambda pair: (pair[1].t_ns, pair[1].id))
    latest = 0.0
    for t, row in flow.executions:
        draft.exchange.append(row)
        lag = draft.rng.uniform(0.02, 0.6)
        held = script.during(t, FAULT, SWITCHED)
        latest = max(latest, SWITCHED + (t - FAULT) / (SWITCHED - FAULT) if held else t + lag)
        value = row.quantity * row.price * (-1 if row.side == "buy" else 1)
        _book(draft, row, latest, value)
        if not (t > END - 1 and draft.rng.random() < 0.3):  # in flight when the books are read
            noticed = latest + draft.rng.uniform(0.02, 0.3)
            draft.notices.append(notice(row, noticed))
        posted[row.account].append((latest, value))
    return posted


def notice(row: ExchangeExecution, t: float) -> Notice:
    return Notice(t_ns=at(t), id=f"{row.id}.json", key=row.id, account=row.account)


def _book(draft: Draft, row: ExchangeExecution, t: float, value: int) -> None:
    draft.oms.append(
        OmsExecution(
            t_ns=at(t), id=row.id, account=row.account, key=row.key, order=f"o-{row.key}", code=row.code,
            side=row.side, quantity=row.quantity, price=row.price,
        )
    )  # fmt: skip
    draft.oms += legs(row.id, row.account, value, at(t))


def legs(reference: str, account: str, value: int, t: int) -> list[Posting]:
    return [
        Posting(t_ns=t, id=f"p-{reference}-{name}", account=name, reference=reference, yen=yen)
        for name, yen in ((account, value), ("HOUSE", -value))
    ]


def _settle_orders(draft: Draft, flow: Flow) -> None:
    filled: dict[str, int] = {}
    cash = dict.fromkeys(ACCOUNTS, 10_000_000)
    for row in draft.oms:
        if isinstance(row, OmsExecution):
            filled[row.key] = filled.get(row.key, 0) + row.quantity
        elif row.account in cash:
            cash[row.account] += row.yen
    for key, order in flow.orders.items():
        done = filled.get(key, 0)
        state = "filled" if done == order.quantity else "partially-filled"
        state = order.state if not done or order.state == "cancelled" else state
        draft.oms.append(msgspec.structs.replace(order, filled=done, state=state))
    draft.oms += [Balance(t_ns=at(END + 2), id=account, account=account, cash=yen) for account, yen in cash.items()]


def _inquiry(draft: Draft, script: Script, t: float, posted: dict[str, list[tuple[float, int]]]) -> None:
    account, number = draft.rng.choice(ACCOUNTS), draft.row()
    yen = 10_000_000 + sum(value for when, value in posted[account] if when <= t + 0.003)
    current = not script.during(t, MARKED, UNMARKED)
    draft.sample("inquiry", t, 0.006, RequestOutcome.OK, number)
    draft.customers.append(shown(number, account, t, yen, current))
    if current and draft.rng.random() < 0.3:
        draft.customers.append(
            Acted(t_ns=at(t + 0.02), id=draft.row(), account=account, shown=number, yen=100_000, what="order")
        )


def shown(number: str, account: str, t: float, yen: int, current: bool = True) -> Shown:
    return Shown(
        t_ns=at(t + 0.006), id=number, account=account, figure="cash", yen=yen, current=current, as_of="",
        sent_ns=at(t + 0.001), received_ns=at(t + 0.006),
    )  # fmt: skip


def first(rows: list[Any], kind: type, where: Callable[[Any], bool] = lambda _: True) -> tuple[int, Any]:
    """Place and row of the first of a kind in a draft's book."""
    return next((n, row) for n, row in enumerate(rows) if isinstance(row, kind) and where(row))


def change(rows: list[Any], place: int, **fields: Any) -> None:
    """Replace fields of a row in a draft's book."""
    rows[place] = msgspec.structs.replace(rows[place], **fields)


def replanned(draft: Draft, **fields: Any) -> Draft:
    """The same draft with another plan."""
    return replace(draft, plan=msgspec.structs.replace(draft.plan, **fields))


def asked(name: str, draft: Draft | History) -> CheckResult:
    """What a check says of it."""
    history = draft.history() if isinstance(draft, Draft) else draft
    return run_check(DOMAINS.of_run(history.run).checks[name], history)


def ended(draft: Draft, t: float) -> Draft:
    """The observation ended at ``t``."""
    for n, (_, actor, kind, what, data) in enumerate(draft.events):
        if (actor, what, kind) == ("runner", "snapshot", Kind.INVOKE):
            draft.events[n] = (at(t), actor, kind, what, data)
    return draft
