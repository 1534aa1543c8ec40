"""Every single harm done to a customer, as a list of instants: the counters behind containment and loss.

Lost availability is not in here; it is measured from samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drills.domains.figures import oracle
from drills.domains.orders import facts as orders
from drills.domains.orders import trades
from drills.judge.interval import Interval
from drills.record.history import History

NEEDS = ("world", "customers", "exchange", "oms", "notices")
"""The books without which nobody can say how much harm was done."""


class Harm(StrEnum):
    """Kinds of harm that are counted."""

    SHOWN = "wrong figure shown as current"
    ACTED = "acted on a wrong figure"
    DUPLICATED = "order or posting made twice"
    LATE = "notice late"


OF_CUSTOMERS = (Harm.SHOWN, Harm.ACTED)
"""Those that stand in the customers' journal, and so are as late as the load."""

HARMFUL_ACTIONS = (Harm.ACTED, Harm.DUPLICATED)
"""Those that must be restored to the customer, in yen."""


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """One harm: when the counter went up (ns), what it costs to restore (yen), and the book row that shows it.

    ``began`` is before ``t`` where the harm was done at some instant between the two: a figure was read after it had
    been asked for and before it was received.
    """

    t: int
    kind: Harm
    yen: int
    evidence: str
    began: int | None = None

    def window(self, lateness: int) -> Interval:
        """When it was done; what the load has stamped is widened by how late it was, ns."""
        done = Interval(self.t if self.began is None else self.began, self.t)
        return done.widened(lateness) if self.kind in OF_CUSTOMERS else done


def harms(history: History) -> list[Instance]:
    """Every harm up to the end of the observation, by time. Needs all books of ``NEEDS``."""
    shown = oracle.figures(history)
    acts = [act for act in oracle.reliances(history, shown) if act.wrong]
    late = trades.late_notices(history, trades.trades(history))
    limit = history.plan.slo.notice
    return sorted(
        [
            *(_shown(figure) for figure in shown if figure.wrong),
            *(Instance(act.row.t_ns, Harm.ACTED, act.row.yen, f"customers:{act.index}") for act in acts),
            *(Instance(trade.row.t_ns + limit, Harm.LATE, 0, f"exchange:{trade.index}") for trade in late),
            *_duplicates(history),
        ]
    )


def _shown(figure: oracle.Figure) -> Instance:
    row = figure.row
    return Instance(row.received_ns, Harm.SHOWN, 0, f"customers:{figure.index}", min(row.sent_ns, row.received_ns))


def _duplicates(history: History) -> list[Instance]:
    found = [
        Instance(order.row.t_ns, Harm.DUPLICATED, order.row.quantity * order.row.price, f"exchange:{order.index}")
        for order in orders.duplicates(history, orders.intents(history), orders.at_exchange(history))
    ]
    for index, leg in trades.repeated_postings(history):
        found.append(Instance(leg.t_ns, Harm.DUPLICATED, abs(leg.yen), f"oms:{index}"))
    return found
