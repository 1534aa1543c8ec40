"""Judged piece by piece, the samples say what they say as a whole: against plain NumPy over whole arrays."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.judge import outage
from drills.judge.interval import Interval
from drills.record import columns
from drills.record.history import NS, OUTCOMES, History, RequestOutcome, RunEnd, Samples

from .synthetic import correct

NAMES = ("orders", "unrated", "inquiry")
RATED = {"orders": 25.0, "inquiry": 4.0, "never-seen": 5.0}
BASE = correct(1, "no-fault").history()


def code(*outcomes: RequestOutcome) -> list[int]:
    return [OUTCOMES.index(outcome) for outcome in outcomes]


def history(rows: int, seed: int, bad_share: float, ties: bool) -> History:
    rng = np.random.default_rng(seed)
    grain = NS // 10 if ties else 1
    intended = np.sort(rng.integers(0, max(rows, 1) * NS // 20, rows) // grain * grain)
    hurt = (rng.random(rows) < bad_share) & (np.abs(np.arange(rows) - rows * rng.random()) < rows * rng.random() / 2)
    hurt |= rng.random(rows) < 0.01
    outcome = np.where(hurt, rng.integers(0, len(OUTCOMES), rows), rng.integers(0, 2, rows))
    sent = np.where(outcome == code(RequestOutcome.DROPPED)[0], 0, intended + rng.integers(-NS // 100, NS // 20, rows))
    sent = np.where(rng.random(rows) < 0.02, 0, np.maximum(sent, 0))
    done = np.where(sent == 0, 0, sent + rng.integers(1, 6 * NS // 5, rows) // rng.integers(1, 20, rows))
    samples = Samples(
        intended, sent, done, outcome.astype(np.uint8), rng.integers(0, 3, rows).astype(np.uint8),
        np.arange(rows), NAMES,
    )  # fmt: skip
    until = int(intended[-1] * rng.random() * 1.1) if rows else NS
    events = tuple(event for event in BASE.events if event.what != "snapshot")
    run = msgspec.structs.replace(
        BASE.run, plan=msgspec.structs.replace(BASE.plan, services=RATED), end=RunEnd(until, "judged")
    )
    return History(run, events, samples, {})


def whole(given: History, name: str) -> dict[str, Any]:
    """The columns of one service, the way one writes it for arrays that fit."""
    samples, rate, until = given.samples, RATED[name], given.run.end.t  # type: ignore[union-attr]
    number = NAMES.index(name) if name in NAMES else 255
    mine = (
        (samples.name == number) & ~np.isin(samples.outcome, code(RequestOutcome.DROPPED)) & (samples.intended < until)
    )
    picked = {column: getattr(samples, column)[mine] for column in ("intended", "sent", "done", "outcome")}
    good = (
        np.isin(picked["outcome"], code(RequestOutcome.OK, RequestOutcome.REJECT))
        & (picked["done"] > 0)
        & (picked["done"] - picked["intended"] <= NS)
    )
    picked["bad"], picked["closed"] = ~good, np.isin(picked["outcome"], code(RequestOutcome.CLOSED))
    picked["degraded"] = outage.degraded(picked["intended"], picked["bad"], outage.window(rate))
    return picked


def impact(found: dict[str, Any], after: int) -> Interval | None:
    hits = np.flatnonzero(found["degraded"] & (found["intended"] >= after))
    if not len(hits):
        return None
    before = found["intended"][hits[0] - 1] if hits[0] else after
    return Interval(max(int(before), after), int(found["intended"][hits[0]]))


def back(found: dict[str, Any], after: int) -> outage.Return:
    hits = np.flatnonzero(found["degraded"] & (found["intended"] >= after))
    if not len(hits):
        return outage.Return(False, None)
    goods = [row for row in range(int(hits[-1]) + 1, len(found["bad"])) if not found["bad"][row]]
    if not goods:
        return outage.Return(True, None)
    done = int(found["done"][goods[0]])
    return outage.Return(
        True, Interval(min(int(found["sent"][hits[-1]].clip(found["intended"][hits[-1]])), done), done)
    )


def lateness(given: History) -> int:
    samples, until = given.samples, given.run.end.t  # type: ignore[union-attr]
    sent = (samples.sent > 0) & (samples.intended < until)
    late = np.sort(np.maximum(samples.sent[sent] - samples.intended[sent], 0))
    return int(late[-(-99 * len(late) // 100) - 1]) if len(late) else 0


@pytest.fixture(autouse=True, params=[1, 7, 64, 1 << 18])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(columns, "PIECE", request.param)
    monkeypatch.setattr("drills.judge.survey.PIECE", request.param)
    return int(request.param)


# the fixture sets the same value for each example
@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(0, 300),
    seed=st.integers(0, 10**6),
    bad_share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    ties=st.booleans(),
)
def test_pieces_say_what_the_whole_says(rows: int, seed: int, bad_share: float, ties: bool) -> None:
    run = history(rows, seed, bad_share, ties)
    until = run.run.end.t  # type: ignore[union-attr]
    found = outage.services(run)
    assert [service.name for service in found] == list(RATED)
    for service in found:
        expected = whole(run, service.name)
        for column in ("intended", "sent", "done", "bad", "closed", "degraded"):
            shown = getattr(service, column)
            assert shown.dtype == expected[column].dtype
            assert shown.tolist() == expected[column].tolist(), (service.name, column)
        for after in (0, until // 3, until):
            assert outage.impact([service], after) == impact(expected, after)
            assert outage.return_of([service], after) == back(expected, after)
            late = expected["intended"] >= after
            for closed in (False, True):
                mask = expected["closed" if closed else "bad"]
                assert outage.lost_by_service([service], None, closed)[service.name] == service.lost(mask)
                assert outage.lost_by_service([service], after, closed)[service.name] == service.lost(mask & late)
    assert outage.lateness_p99(run) == lateness(run)
    counts = outage.counts(run)
    outcome, good = run.samples.outcome[: counts.intended], outage.good(run)[: counts.intended]
    assert counts.intended == int(np.count_nonzero(run.samples.intended < until))
    assert counts.dropped == int(np.isin(outcome, code(RequestOutcome.DROPPED)).sum())
    assert counts.good == int(good.sum())
    assert counts.indeterminate == int(np.isin(outcome, code(RequestOutcome.TIMEOUT, RequestOutcome.UNKNOWN)).sum())
    assert counts.sent == counts.good + counts.bad + counts.indeterminate == counts.intended - counts.dropped


def test_pieces_cover_all_rows_once(piece: int) -> None:
    for rows in (0, 1, 6, 7, 8, 65):
        covered = [row for part in columns.pieces(rows) for row in range(part.start, part.stop)]
        assert covered == list(range(rows))
        assert all(part.stop - part.start <= piece for part in columns.pieces(rows))
