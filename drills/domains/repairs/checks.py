"""Repairs: whoever corrects data leaves an entry that says why, at whose request and with whose consent."""

from __future__ import annotations

from collections import defaultdict

from drills.domains.cash.facts import imbalances
from drills.domains.cash.rows import Account, Balance, Posting
from drills.domains.repairs.rows import Adjustment
from drills.judge.check import Check, combine, count
from drills.judge.interval import Interval
from drills.judge.timeline import events, observed_until
from drills.record.history import CheckResult, History, Kind

Correction = tuple[str, str, int]
"""Reference, account and yen of a correction."""


def repairs_traceable(history: History) -> CheckResult:
    """Each correction has a reason, a request and an approver who is not who asked, and is exactly what was posted.

    A balance that is not its postings was changed by hand. What a target keeps in no book, such as lots, is not seen.
    """
    end = observed_until(history)
    entries = {
        index: row for index, row in enumerate(history.books["oms"]) if isinstance(row, Adjustment) and row.t_ns <= end
    }
    posted = _posted(history, end)
    stated = {(row.reference, row.account, row.yen) for row in entries.values()}
    unposted = [f"oms:{n}" for n, row in entries.items() if (row.reference, row.account, row.yen) not in posted]
    unstated = [f"oms:{n}" for correction, places in posted.items() if correction not in stated for n in places]
    bare = _bare(history)
    return combine(
        count("repairs.unexplained", _unsaid(entries), len(entries)),
        count("repairs.self-approved", _alone(entries), len(entries)),
        count("repairs.not-as-stated", unposted, len(entries)),
        count("repairs.unasked", unstated, sum(map(len, posted.values()))),
        count("repairs.unposted", bare, len(bare)),
    )


def _unsaid(entries: dict[int, Adjustment]) -> list[str]:
    return [
        f"oms:{n}" for n, row in entries.items() if not all(map(str.strip, (row.reason, row.request, row.approver)))
    ]


def _alone(entries: dict[int, Adjustment]) -> list[str]:
    names = {n: (row.request.strip().casefold(), row.approver.strip().casefold()) for n, row in entries.items()}
    return [f"oms:{n}" for n, (request, approver) in names.items() if request == approver != ""]


def _posted(history: History, end: int) -> dict[Correction, list[int]]:
    """The customers' legs of all corrections but the harness's own, which takes out again what it put in."""
    customers = {row.account or row.id for row in history.books["world"] if isinstance(row, Account)}
    undoing = _undoing(history)
    found: dict[Correction, list[int]] = defaultdict(list)
    for index, row in enumerate(history.books["oms"]):
        if not isinstance(row, Posting) or row.why != "adjustment" or row.account not in customers:
            continue
        if row.t_ns <= end and not any(span.earliest <= row.t_ns <= span.latest for span in undoing):
            found[row.reference, row.account, row.yen].append(index)
    return found


def _undoing(history: History) -> list[Interval]:
    begun = [event.t for event in events(history, "fault:", "rollback", Kind.INVOKE)]
    ended = [event.t for event in events(history, "fault:", "rollback", Kind.OK, Kind.FAIL)]
    return [Interval(start, stop) for start, stop in zip(begun, ended, strict=False)]


def _bare(history: History) -> list[str]:
    _, gaps = imbalances(history)
    rows = enumerate(history.books["oms"])
    return [f"oms:{n}" for n, row in rows if isinstance(row, Balance) and (row.account or row.id) in gaps]


CHECKS = (Check("repairs-traceable", "I-23", ("world", "oms"), False, repairs_traceable),)
