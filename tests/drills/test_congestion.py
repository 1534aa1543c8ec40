"""What a crowd is measured by, on histories in which every number is known; and the windows around a fault."""

from __future__ import annotations

import msgspec
import pytest

from drills.domains.congestion import facts
from drills.domains.congestion.metrics import GHOSTS
from drills.domains.congestion.rows import RoomEvent
from drills.domains.customers.rows import Reply, Request
from drills.domains.orders.rows import ExchangeOrder
from drills.domains.registry import DOMAINS
from drills.judge.instants import instants
from drills.judge.metric import Observed, Part, Window
from drills.record.history import NS, Kind, RequestOutcome

from . import synthetic as made
from .crowded import correct_crowded
from .synthetic import END, FAULT, Draft, at

OK, REJECT, TIMEOUT, CLOSED = (RequestOutcome[name] for name in ("OK", "REJECT", "TIMEOUT", "CLOSED"))


def empty(arm: str = "no-fault", slots: float = 12.0) -> Draft:
    """The frame of a history, without any order."""
    draft = correct_crowded(1, arm)
    draft.plan = msgspec.structs.replace(draft.plan, settings={"api.slots": slots})
    draft.customers, draft.exchange, draft.oms, draft.notices, draft.waiting_room = [], [], [], [], []
    return draft


def ask(
    draft: Draft, t: float, key: str, outcome: RequestOutcome | None = OK, took: float = 0.05, root: str = "",
    side: str = "buy", there: float | None = None,
) -> None:  # fmt: skip
    """One try of an intent; ``there``: when its order came to the exchange, s after the first arrival."""
    row, root = draft.row(), root or key
    first = next(
        (each.intended_ns for each in draft.customers if isinstance(each, Request) and each.root == root), None
    )
    common = {"account": "C-0001", "key": key, "code": "1301", "side": side, "quantity": 100, "price": 1000}
    draft.customers.append(
        Request(t_ns=at(t), id=row, action="order", intended_ns=at(t) if first is None else first, root=root, **common)
    )
    if outcome is not None:
        state = "new" if outcome == OK else ""
        draft.customers.append(
            Reply(
                t_ns=at(t + took),
                id=row,
                account="C-0001",
                key=key,
                action="order",
                status=0,
                outcome=outcome,
                state=state,
            )
        )
    if there is not None:
        draft.exchange.append(ExchangeOrder(t_ns=at(there), id=f"X-{key}", **common))


def value(draft: Draft, metric: str, window: str = "all") -> float | None:
    history = draft.history()
    found = DOMAINS.metrics[metric]
    observed = Observed.of(history, instants(history, DOMAINS))
    part = observed.part(Window(window))
    measured = None if part is None else found.measure(observed, part)
    return None if measured is None else measured.latest / (1_000_000 if found.unit == "ratio" else 1)


def test_an_intent_counts_once_from_its_first_request_however_often_it_is_tried() -> None:
    draft = empty()
    ask(draft, 1, "a", TIMEOUT, 4, there=20)
    ask(draft, 6, "ar", OK, root="a", there=6.01)
    ask(draft, 2, "b", REJECT)
    ask(draft, 3, "c", TIMEOUT, 4)
    ask(draft, 4, "d", CLOSED)
    assert value(draft, "intents_served") == 0.5
    assert value(draft, "goodput") == 0.5
    assert value(draft, "retries") == 1


def test_an_order_that_was_acknowledged_and_is_nowhere_is_served_and_not_done() -> None:
    draft = empty()
    ask(draft, 1, "a", OK, there=1.01)
    ask(draft, 2, "b", OK)
    assert (value(draft, "intents_served"), value(draft, "goodput")) == (1.0, 0.5)
    assert value(draft, "acknowledged_orders_lost") == 1


def test_who_is_still_waiting_at_the_end_counts_once_an_answer_was_due() -> None:
    draft = empty()
    ask(draft, 1, "a")
    ask(draft, END - 3, "b", None)
    ask(draft, END - 0.5, "c", None)
    assert value(draft, "intents_served") == 0.5


def test_a_ghost_is_at_the_exchange_and_its_customer_gave_up_untold() -> None:
    draft = empty()
    ask(draft, 1, "gone", TIMEOUT, 4, there=9)
    ask(draft, 1, "never-there", TIMEOUT, 4)
    ask(draft, 2, "told", OK, there=2.01)
    ask(draft, 3, "late", TIMEOUT, 4, there=3.5)
    ask(draft, 8, "late", OK)  # the same order again, and then the customer knew
    ask(draft, 5, "waiting", None, there=5.01)
    ask(draft, 6, "anew", TIMEOUT, 4, there=12)
    ask(draft, 11, "anewr", OK, root="anew", there=11.01)
    found = facts.ghosts(draft.history())
    assert [(since, each.row.key) for since, each in found] == [(at(9), "gone"), (at(12), "anew")]
    assert value(draft, "ghost_orders") == 2
    assert value(draft, "duplicated") == 1


@pytest.mark.parametrize(
    "metric", ["intents_served", "goodput", "prompt_closes", "ghost_orders", "retries", "late_orders"]
)
def test_nothing_is_judged_where_no_order_waits_for_a_slot(metric: str) -> None:
    draft = empty(slots=0.0)
    ask(draft, 1, "gone", TIMEOUT, 4, there=9)
    assert value(draft, metric) is None
    assert GHOSTS.find(draft.history()) == []


def test_closing_orders_and_cancels_are_to_be_answered_in_time() -> None:
    draft = empty()
    ask(draft, 1, "a", OK, 0.9, side="sell")
    ask(draft, 2, "b", OK, 1.1, side="sell")
    ask(draft, 2, "buys", OK, 3.0)
    for t, took in ((3.0, 0.2), (4.0, 2.0)):
        row = draft.row()
        more = {"id": row, "account": "C-0001", "key": "a", "action": "cancel"}
        draft.customers.append(Request(t_ns=at(t), intended_ns=at(t), **more))
        draft.customers.append(Reply(t_ns=at(t + took), status=200, outcome=OK, **more))
    assert value(draft, "prompt_closes") == 0.5


def test_an_order_is_late_that_comes_to_the_exchange_long_after_it_was_meant_to() -> None:
    draft = empty()
    ask(draft, 1, "a", TIMEOUT, 4, there=5.9)
    ask(draft, 1, "b", TIMEOUT, 4, there=6.1)
    assert value(draft, "late_orders") == 1


def test_who_came_later_and_was_let_in_well_before_has_overtaken() -> None:
    draft = empty()
    for n, (given, let_in) in enumerate(((1.0, 6.0), (2.0, 3.0), (3.0, 4.5), (5.5, 6.2))):
        more = {"ticket": f"W-{n}", "since_ns": at(given)}
        draft.waiting_room += [RoomEvent(t_ns=at(given), what="ticket", **more)]
        draft.waiting_room += [RoomEvent(t_ns=at(let_in), what="admitted", **more)]
    assert [row.ticket for _, row in facts.overtaken(draft.history())] == ["W-0"]
    assert value(draft, "overtaken_ratio") == 0.25


def undone(draft: Draft, t: float) -> Draft:
    """The fault is undone then, and not after the end."""
    draft.events = [event for event in draft.events if event[3] != "rollback"]
    draft.note(t, "fault:0", Kind.INVOKE, "rollback")
    draft.note(t + 0.1, "fault:0", Kind.OK, "rollback")
    return draft


def test_windows_end_and_begin_with_the_fault() -> None:
    draft = undone(empty("no-action"), FAULT + 4)
    ask(draft, FAULT - 1, "before", TIMEOUT, 4)
    ask(draft, FAULT + 1, "in", TIMEOUT, 4)
    ask(draft, FAULT + 2, "in-too")
    ask(draft, FAULT + 4.5, "after")
    windows = ("all", "during_fault", "after_fault")
    assert [value(draft, "intents_served", window) for window in windows] == [0.5, 0.5, 1.0]


def test_without_a_fault_both_windows_are_the_whole_and_after_a_lasting_one_there_is_none() -> None:
    quiet, lasting = empty(), empty("no-action")
    for draft in (quiet, lasting):
        ask(draft, FAULT + 1, "a")
    assert [value(quiet, "intents_served", each) for each in ("during_fault", "after_fault")] == [1.0, 1.0]
    assert [value(lasting, "intents_served", each) for each in ("during_fault", "after_fault")] == [1.0, None]


def test_what_lies_in_a_part() -> None:
    part = Part(5, 9)
    assert [part.has(t) for t in (4, 5, 8, 9)] == [False, True, True, False]
    assert Part().has(NS)
    assert made.correct(1).history().plan.injects
