"""Over made-up histories of every kind: one planted defect is found by those who must find it, and by nobody else."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.cards import score
from drills.record.history import History, Status

from .defects import Defect
from .judging import CHECKS, number, run_checks
from .made_histories import MADE
from .synthetic import Draft
from .words import said as said_of

EXAMPLES = {"long": 1000, "mutation": 1}.get(settings.get_current_profile_name(), 5)
SEEDS = st.integers(0, 2**32)
ARMS = st.sampled_from(["runbook", "no-fault", "false-alarm", "no-action"])
TAKEN = (Status.PASS, Status.NOT_APPLICABLE)
many = settings(max_examples=EXAMPLES, deadline=None)
Make = Callable[[int, str, bool], Draft]
TIMES = pytest.mark.parametrize("make", [each.make for each in MADE], ids=[each.name for each in MADE])


@TIMES
@many
@given(seed=SEEDS, arm=ARMS, effect=st.booleans())
def test_every_checker_is_silent_on_a_correct_history(make: Make, seed: int, arm: str, effect: bool) -> None:
    history = make(seed, arm, effect).history()
    loud = {check.id: said_of(verdict) for check, verdict in run_checks(history) if verdict.status not in TAKEN}
    assert loud == {}


@TIMES
@many
@given(seed=SEEDS, arm=ARMS, effect=st.booleans())
def test_a_correct_history_passes_as_a_whole(make: Make, seed: int, arm: str, effect: bool) -> None:
    card = score(make(seed, arm, effect).history(), None)
    assert (card.verdict, card.grade) == (Status.PASS, "performed")
    assert card.number("acknowledged_orders")
    harm = ("phantom_orders", "duplicated", "unbalanced_yen", "late_notices", "wrong_figures_shown", "harmful_actions")
    harm += ("undecidable_figures", "affected_yen", "acknowledged_orders_lost")
    assert [card.number(name) for name in harm] == [0] * 9


@pytest.mark.parametrize(
    ("make", "defect"),
    [(each.make, defect) for each in MADE for defect in each.defects],
    ids=[defect.name for each in MADE for defect in each.defects],
)
def test_planted_defect_is_found_by_those_who_must(make: Make, defect: Defect) -> None:
    @many
    @given(seed=SEEDS, arm=ARMS, effect=st.booleans())
    def found(seed: int, arm: str, effect: bool) -> None:
        look(defect, make(seed, arm, effect), seed)

    found()


def look(defect: Defect, draft: Draft, seed: int) -> None:
    before = counted(draft.history(), defect)
    rows = defect.plant(draft, random.Random(seed))
    history = draft.history()
    verdicts = {check.id: verdict for check, verdict in run_checks(history)}
    failed = {name: verdict for name, verdict in verdicts.items() if verdict.status not in TAKEN}
    assert set(failed) == defect.speaks, {name: said_of(verdict) for name, verdict in failed.items()}
    assert all(verdict.status == Status.FAIL and verdict.evidence for verdict in failed.values())
    if defect.shown_by:
        shown = [at_evidence(history, place) for place in failed[defect.shown_by].evidence]
        assert sorted(map(repr, shown)) == sorted(map(repr, rows))
    if defect.loss is not None:
        assert counted(history, defect) == before + defect.loss[1]


def at_evidence(history: History, place: str) -> object:
    book, _, index = place.partition(":")
    return history.books[book][int(index)]


def counted(history: History, defect: Defect) -> int:
    """What the card counts of this kind of harm."""
    if defect.loss is None:
        return 0
    found = number(history, defect.loss[0])
    assert found is not None
    return found


def test_every_check_of_the_books_has_a_defect_it_must_find() -> None:
    asked = {name for name, check in CHECKS.items() if not check.validity}
    assert asked == {defect.shown_by for each in MADE for defect in each.defects if defect.shown_by}
