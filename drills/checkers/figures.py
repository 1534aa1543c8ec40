"""Cash figures: what was shown, what customers did with it, and what stands at the end, against the oracle."""

from __future__ import annotations

from drills import books
from drills.checkers.check import Check, Part, weigh
from drills.history import History, Verdict
from drills.judging import oracle
from drills.judging.timeline import first_change, observed_until


def figures_right(history: History) -> Verdict:
    """At the end no wrong figure is shown as current, and the stored balances are what the exchange's book makes."""
    since = observed_until(history) - history.plan.slo.hold
    shown = [figure for figure in oracle.figures(history) if figure.row.sent_ns >= since and not figure.undecidable]
    wrong = [f"customers:{figure.index}" for figure in shown if figure.wrong]
    judged, off = _balances(history)
    return weigh(
        Part("figures wrong at the end", wrong, len(shown)),
        Part("balances differ from the exchange's book", off, judged),
    )


def _balances(history: History) -> tuple[int, list[str]]:
    """Balances as they stood at the end: postings made later, while the books were read, are taken out again."""
    end, grace = observed_until(history), history.plan.slo.grace
    later: dict[str, int] = {}
    for row in history.books["oms"]:
        if isinstance(row, books.Posting) and row.t_ns > end:
            later[row.account] = later.get(row.account, 0) + row.yen
    accounts = oracle.accounts(history)
    judged, off = 0, []
    for index, row in enumerate(history.books["oms"]):
        name = row.account or row.id
        if isinstance(row, books.Balance) and name in accounts:
            judged += 1
            if row.cash - later.get(name, 0) not in accounts[name].between(end - grace, end):
                off.append(f"oms:{index}")
    return judged, off


def no_wrong_figure_acted_on(history: History) -> Verdict:
    """Nobody relied on a wrong figure once the operator had first changed anything; at all, if nobody ever did.

    What was acted on before the first step is loss, and shown apart.
    """
    since = first_change(history)
    acts = [act for act in oracle.reliances(history, oracle.figures(history)) if since is None or act.row.t_ns >= since]
    wrong = [f"customers:{act.index}" for act in acts if act.wrong]
    when = "" if since is None else " after the first step"
    return weigh(Part(f"actions{when} on a wrong figure", wrong, len(acts)))


_WITNESSES = ("world", "customers", "exchange")

CHECKS = (
    Check("figures-right", "I-08", (*_WITNESSES, "oms"), False, figures_right),
    Check("no-wrong-figure-acted-on", "I-09", _WITNESSES, False, no_wrong_figure_acted_on),
)
