"""How long a chain was served that had ended, and how the time that was left compares with what renewing took."""

from __future__ import annotations

from drills.domains.certificates import facts
from drills.domains.certificates.facts import Served
from drills.judge.interval import Interval, point
from drills.judge.metric import Metric, Observed, Part
from drills.judge.text import Text
from drills.judge.timeline import observed_until
from drills.record.unsupported import BOOKS


def _ended(observed: Observed, part: Part) -> Interval:
    """Over all names; the scan sees a new chain up to half a second late."""
    since = part.since or 0
    spans = (max(0, each.until - max(each.ends, each.since, since)) for each in _short(observed))
    return point(sum(spans))


def _left(observed: Observed, _: Part) -> Interval | None:
    first = _first(observed)
    return None if first is None else point(max(0, first.ends - first.since))


def _replaced(observed: Observed, _: Part) -> Interval | None:
    """Until another one was seen that lasts, or to the end of the observation; a listener that is down shows none."""
    first = _first(observed)
    if first is None:
        return None
    later = (each for each in facts.served(observed.history) if each.row.name == first.row.name)
    lasting = [each.since for each in later if each.since > first.since and each.row.fingerprint and not each.is_short]
    return point(min(lasting, default=observed_until(observed.history)) - first.since)


def _short(observed: Observed) -> list[Served]:
    return [each for each in facts.served(observed.history) if each.is_short]


def _first(observed: Observed) -> Served | None:
    return min(_short(observed), key=lambda each: each.since, default=None)


_NEEDS = frozenset({BOOKS})

METRICS = (
    Metric(
        "certificate_ended",
        "s",
        Text("served a chain that had ended", "失効した証明書を提示した時間"),
        _ended,
        needs=_NEEDS,
        books=(facts.BOOK,),
    ),
    Metric(
        "certificate_left",
        "s",
        Text("left of the chain when the scan first saw it", "外部走査が最初に検出した時点の証明書の残存時間"),
        _left,
        needs=_NEEDS,
        books=(facts.BOOK,),
        detail=True,
    ),
    Metric(
        "certificate_replaced",
        "s",
        Text("until another chain was served", "別の証明書を提示するまでの時間"),
        _replaced,
        needs=_NEEDS,
        books=(facts.BOOK,),
        detail=True,
    ),
)
