"""Repairs of the target's and of the harness's own; and accounts that are named by their id alone."""

from __future__ import annotations

import random

import msgspec
import pytest

from drills.domains.cash.rows import Account, Balance
from drills.judge.check import run_check
from drills.record.history import CheckResult, Kind, Status

from . import nights
from . import synthetic as made
from .defects import Defect
from .judging import CHECKS
from .night_defects import NIGHT_DEFECTS
from .nights import APART, correct_night
from .synthetic import ACCOUNTS, END, Draft, at, change, first, legs
from .words import said as said_of

PUT_IN = 900 * (12 - 9)


def traced(draft: Draft) -> CheckResult:
    return run_check(CHECKS["repairs-traceable"], draft.history())


def taken_out_at(t: float) -> Draft:
    """A night without a repair of anybody's, in which what the fault had put in is taken out at ``t``."""
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "")[:2] != "A-"]
    draft.oms += [msgspec.structs.replace(leg, why="adjustment") for leg in legs("T-1", APART, -PUT_IN, at(t))]
    place, balance = first(draft.oms, Balance, lambda row: row.account == APART)
    change(draft.oms, place, cash=balance.cash - PUT_IN)
    return draft


def undo(draft: Draft, start: float, end: float, kind: Kind = Kind.OK) -> None:
    draft.note(start, "fault:0", Kind.INVOKE, "rollback")
    draft.note(end, "fault:0", kind, "rollback")


@pytest.mark.parametrize(
    ("t", "status"),
    [
        (18.9, Status.FAIL),
        (19.0, Status.PASS),  # at the very beginning
        (19.4, Status.PASS),  # at the very end of the one that failed
        (19.7, Status.FAIL),  # between the two
        (20.0, Status.PASS),
        (20.4, Status.PASS),
        (20.5, Status.FAIL),
    ],
)
def test_the_harness_repairs_nothing_while_it_undoes_however_often_it_must_try(t: float, status: Status) -> None:
    draft = taken_out_at(t)
    undo(draft, 19.0, 19.4, Kind.FAIL)
    undo(draft, 20.0, 20.4)
    assert traced(draft).status == status


def test_an_undo_that_never_ended_does_not_keep_the_checker_from_its_word() -> None:
    draft = taken_out_at(19.2)
    undo(draft, 19.0, 19.4)
    draft.events = [e for e in draft.events if not (e[3] == "rollback" and e[2] == Kind.OK and e[0] > at(END))]
    assert traced(draft).status == Status.PASS


def test_a_repair_of_which_nobody_is_named_is_not_one_approved_by_who_asked() -> None:
    draft = correct_night(1)
    draft.oms = [row for row in draft.oms if getattr(row, "reference", "")[:2] != "A-"]
    nights.correction(draft, ACCOUNTS[0], 1, END - 1, "A-9", request="", approver="")
    place, balance = first(draft.oms, Balance, lambda row: row.account == ACCOUNTS[0])
    change(draft.oms, place, cash=balance.cash + 1)
    assert said_of(traced(draft)) == "1 of 1 repairs without reason, request or approver"


# -- accounts ---------------------------------------------------------------------------------------------------------


def named_by_id(draft: Draft) -> Draft:
    """World and target name the customers' accounts by the rows' id alone, as the books allow."""
    for rows in (draft.world, draft.oms):
        for place, row in enumerate(rows):
            if isinstance(row, Account | Balance):
                assert row.id == row.account
                change(rows, place, account="")
    return draft


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("defect", NIGHT_DEFECTS, ids=lambda defect: defect.name)
def test_an_account_named_by_its_id_alone_is_judged_as_any_other(defect: Defect, seed: int) -> None:
    said = []
    for by_id in (False, True):
        draft = correct_night(seed)
        defect.plant(draft, random.Random(seed))
        history = (named_by_id(draft) if by_id else draft).history()
        said.append({name: run_check(CHECKS[name], history) for name in (*made.CHECKS, *nights.NIGHT_CHECKS)})
    assert said[0] == said[1]
