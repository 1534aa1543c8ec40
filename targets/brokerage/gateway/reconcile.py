"""Reconciliation: the exchange's list of trades and orders against the database.

The report comes over the session, behind every execution before it, and is compared at its place in the posting queue:
so both sides are cut at the same point and no lag has to be allowed for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from targets.brokerage.database import Connection
from targets.brokerage.wire import Message

EXAMPLES = 5
OVERDUE_NS = 1_000_000_000
OPEN = ("new", "partially-filled", "pending-cancel")
CLOSED = ("rejected", "cancelled")

TRADES = "SELECT exec_id, cl_ord_id, account, code, side, quantity, price FROM executions"
ORDERS = "SELECT i.cl_ord_id, o.cl_ord_id, o.state, o.filled FROM order_ids i JOIN orders o ON o.id = i.order_id"
UNSENT = "SELECT state, created_ns FROM outbox WHERE state <> 'sent'"

Trade = tuple[Any, ...]


class Known(msgspec.Struct, frozen=True):
    """What the database says of a ClOrdID: the order's latest ClOrdID, its state and its filled shares."""

    latest: str
    state: str
    filled: int


class Findings(msgspec.Struct, frozen=True):
    """Differences, by count: trades missing here, trades extra here, trades or orders that differ."""

    clean: bool
    missing: int
    extra: int
    different: int
    different_trades: int
    unknown_orders: int
    unsent_notices: int
    overdue_notices: int
    resyncing: bool
    examples: list[str]
    missing_accounts: list[str]

    @property
    def trades_agree(self) -> bool:
        """Every trade of the exchange is posted here, once and as it was, and nothing else is."""
        return not (self.missing or self.extra or self.different_trades)


async def compare_with_database(connection: Connection, report: Message) -> Findings:
    """Compare a TradeCaptureReport with what is posted; reads within the caller's transaction."""
    posted = {row[0]: tuple(row) for row in await (await connection.execute(TRADES)).fetchall()}
    orders = {row[0]: Known(*row[1:]) for row in await (await connection.execute(ORDERS)).fetchall()}
    unsent = await (await connection.execute(UNSENT)).fetchall()
    return compare(report, posted, orders, unsent, time.monotonic_ns())


def compare(
    report: Message,
    posted: Mapping[str, Trade],
    orders: Mapping[str, Known],
    unsent: Sequence[tuple[Any, ...]],
    now: int,
) -> Findings:
    """``posted`` is ExecID -> trade row, ``orders`` ClOrdID -> what is known, ``unsent`` (state, created_ns)."""
    traded = {row[0]: tuple(row) for row in report["Trades"]}
    missing = sorted(traded.keys() - posted.keys())
    extra = sorted(posted.keys() - traded.keys())
    changed = sorted(name for name in traded.keys() & posted.keys() if traded[name] != posted[name])
    odd = _odd_orders({name: status for name, _, status in report["Orders"]}, orders)
    unknown = {known.latest for known in orders.values() if known.state == "unknown"}
    words = (
        *(f"{name} is not posted" for name in missing),
        *(f"{name} is unknown to the exchange" for name in extra),
        *(f"{name} differs" for name in changed),
        *odd,
    )
    held = sum(state == "held" for state, _ in unsent)
    overdue = sum(state == "pending" and now - created > OVERDUE_NS for state, created in unsent)
    return Findings(
        clean=not (words or unknown),
        missing=len(missing),
        extra=len(extra),
        different=len(changed) + len(odd),
        different_trades=len(changed),
        unknown_orders=len(unknown),
        unsent_notices=held + overdue,
        overdue_notices=overdue,
        resyncing=False,
        examples=list(words[:EXAMPLES]),
        missing_accounts=sorted({traded[name][2] for name in missing}),
    )


def _odd_orders(there: Mapping[str, str], here: Mapping[str, Known]) -> list[str]:
    """Orders that stand differently on the two sides; the unknown and the ones under way are not judged here."""
    words = []
    for name, status in there.items():
        known = here.get(name)
        if known is None:
            words.append(f"{name} is at the exchange and not here")
        elif known.latest != name:
            words.append(f"{name} is at the exchange, and its order was sent again as {known.latest}")
        elif (known.state == "rejected") or (known.state == "cancelled") != (status == "Canceled"):
            words.append(f"{name} is {known.state} here and {status} at the exchange")
    gone = [name for name, known in here.items() if known.latest == name and known.state in OPEN and name not in there]
    return words + [f"{name} is {here[name].state} here and not at the exchange" for name in gone]
