"""Cash figures: what was shown, what customers did with it, and what stands at the end, against the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.domains.cash import rows as cash_rows
from drills.domains.figures import oracle
from drills.domains.night import batch
from drills.judge.check import MOST_EVIDENCE, Check, because, combine, count
from drills.judge.timeline import first_change, observed_until
from drills.record.history import CheckResult, History, Status


def figures_right(history: History) -> CheckResult:
    """At the end no wrong figure is shown as current, and the stored balances are what the witnesses' books make.

    A balance of which nobody can tell what it should be is no right one: then the answer is unknown.
    """
    since = observed_until(history) - history.plan.slo.hold
    shown = [figure for figure in oracle.figures(history) if figure.row.sent_ns >= since and not figure.undecidable]
    wrong = [f"customers:{figure.index}" for figure in shown if figure.wrong]
    word = oracle.oracle(history)
    judged = list(_balances(history, word))
    off = [balance.evidence for balance in judged if balance.right is False]
    untold = [balance.evidence for balance in judged if balance.right is None]
    verdict = combine(
        count("figures.wrong-at-end", wrong, len(shown)),
        count(_differ(history, word), off, len(judged)),
    )
    if verdict.status == Status.PASS and word.accounts and not judged:
        return because(Status.UNKNOWN, "figures.no-balance-in-book")
    if verdict.status == Status.PASS and untold:
        rows = untold[:MOST_EVIDENCE]
        return because(Status.UNKNOWN, "figures.balances-undecidable", rows, n=len(untold), of=len(judged))
    return verdict


def _differ(history: History, word: oracle.Oracle) -> str:
    if word.in_night(observed_until(history)):
        return "figures.balances-off-in-night"
    return "figures.balances-off"


@dataclass(frozen=True, slots=True)
class Balance:
    """A stored balance; ``right`` is None where nobody can tell."""

    evidence: str
    right: bool | None


def _balances(history: History, word: oracle.Oracle) -> Iterator[Balance]:
    """Balances as they stood at the end: postings made later, while the books were read, are taken out again.

    Once the batch says that it is done, the night's variation must be in.
    """
    end = observed_until(history)
    later: dict[str, int] = {}
    for row in history.books["oms"]:
        if isinstance(row, cash_rows.Posting) and row.t_ns > end:
            later[row.account] = later.get(row.account, 0) + row.yen
    for_day = word.night.day if word.night is not None and batch.claims_done(history, word.night) else ""
    for index, row in enumerate(history.books["oms"]):
        name = row.account or row.id
        if isinstance(row, cash_rows.Balance) and name in word.accounts:
            right = word.right(name, end, end, for_day)
            yield Balance(f"oms:{index}", None if right is None else row.cash - later.get(name, 0) in right)


def no_wrong_figure_acted_on(history: History) -> CheckResult:
    """Nobody relied on a wrong figure once the operator had first changed anything; at all, if nobody ever did.

    What was acted on before the first step is loss, and shown apart. Nobody can tell while nothing was seen to be wrong
    and some of these figures cannot be decided.
    """
    since = first_change(history)
    acts = [act for act in oracle.reliances(history) if since is None or act.row.t_ns >= since]
    wrong = [f"customers:{act.index}" for act in acts if act.wrong]
    open_ = [f"customers:{act.index}" for act in acts if act.undecidable]
    when = "" if since is None else "-after-first-step"
    if open_ and not wrong:
        return because(Status.UNKNOWN, f"figures.acts-undecidable{when}", open_[:MOST_EVIDENCE], n=len(open_))
    return combine(count(f"figures.acted-on{when}", wrong, len(acts) - len(open_)))


_WITNESSES = ("world", "customers", "exchange")

CHECKS = (
    Check("figures-right", "I-08", (*_WITNESSES, "oms"), False, figures_right),
    Check("no-wrong-figure-acted-on", "I-09", _WITNESSES, False, no_wrong_figure_acted_on),
)
