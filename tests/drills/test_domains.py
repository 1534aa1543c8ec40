"""Domains put together: one that brings a book of its own judges only runs that have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from drills.judge import score as judging
from drills.judge.domain import Domain, Residual
from drills.judge.domains import Domains
from drills.judge.harm import HarmKind, Instance
from drills.judge.metric import Harm, Metric, tally
from drills.judge.text import Text
from drills.record.books import Row
from drills.record.folder import RunFolder
from drills.record.history import Count, History, Objective
from drills.record.names import StoreError
from drills.record.readback import read

from . import synthetic as made
from .runfolder import whole_run
from .synthetic import correct


class Slip(Row, frozen=True, kw_only=True, tag="slip"):
    """A row of a book that only the toy knows."""

    late: bool


def late(history: History) -> list[Instance]:
    return [Instance(row.t_ns, 0, f"toy:{n}") for n, row in enumerate(history.books["toy"]) if isinstance(row, Slip)]


def lost(history: History) -> Count:
    return Count("toy.lost", 0, len(history.books["toy"]))


NAME = Text("slips late", "遅延した伝票")
LATE = HarmKind("slips_late", ("toy",), late)
TOY = Domain(
    "toy",
    metrics=(Metric("slips_late", "count", NAME, tally(LATE), books=("toy",), harm=Harm()),),
    harms=(LATE,),
    residuals=(Residual(("toy",), lost),),
    words={"toy.lost": Text("{bad} of {of} slips lost", "紛失した伝票 {bad}/{of} 件")},
    rows={"toy": (Slip,)},
    only_with=("toy",),
)
WITH_TOY = Domains.of((*DOMAINS.domains, TOY))


def card(draft: made.Draft, domains: Domains) -> Any:
    history = draft.history()
    return judging.score(history, None, domains.of_run(history.run))


def test_a_run_without_its_book_is_judged_as_if_the_domain_were_not_there() -> None:
    assert msgspec.json.encode(card(correct(3), WITH_TOY)) == msgspec.json.encode(card(correct(3), DOMAINS))


def test_what_a_drill_names_of_it_is_asked_all_the_same_and_nobody_can_tell() -> None:
    draft = made.replanned(correct(3), objectives=[Objective("recover", 30, "s"), Objective("slips_late", 0, "count")])
    found = card(draft, WITH_TOY)
    assert {one.id: one.measured is not None for one in found.objectives} == {"recover": True, "slips_late": False}
    assert found.cannot_judge.causes == ["slips_late"]


def test_a_run_that_lists_its_book_is_judged_by_it() -> None:
    brought = dict.fromkeys(book for domain in WITH_TOY.domains for book in domain.only_with)
    run = msgspec.structs.replace(correct(3).history().run, books=["world", "customers", "exchange", *brought])
    assert WITH_TOY.of_run(run) is WITH_TOY
    assert "slips_late" not in WITH_TOY.of_run(correct(3).history().run).metrics


def test_a_target_without_its_book_is_asked_for_none_of_it() -> None:
    whole, any_target = WITH_TOY, WITH_TOY.of_any_target()
    assert "toy" in whole.checks["nothing-left-behind"].needs_books
    assert "toy" not in any_target.checks["nothing-left-behind"].needs_books
    assert not any(domain.residuals or domain.harms for domain in any_target.domains if domain.only_with)
    assert "slips_late" in any_target.metrics


def test_its_book_is_written_and_read_where_it_is_known(tmp_path: Path) -> None:
    row = {"kind": "slip", "t_ns": 5, "id": "s-1", "late": True}

    def keep(folder: RunFolder) -> None:
        with pytest.raises(StoreError, match="unknown book 'toy'"):
            folder.write_book("toy", [row])
        folder.books = WITH_TOY.books
        folder.write_book("toy", [row])

    path = whole_run(tmp_path, before_seal=keep)
    assert read(path, WITH_TOY.books).books["toy"] == (Slip(t_ns=5, id="s-1", late=True, n=0),)
    assert read(path, WITH_TOY.books).damage == ()
    assert [reason.id for reason in read(path, DOMAINS.books).damage] == ["damage.unknown-book"]


def test_no_row_of_a_book_is_in_two_domains() -> None:
    with pytest.raises(ValueError, match="registered twice: slip in toy"):
        Domains.of((TOY, Domain("other", rows={"toy": (Slip,)})))


def test_a_book_may_have_rows_of_several_domains(tmp_path: Path) -> None:
    class Note(Row, frozen=True, kw_only=True, tag="note"):
        """A row of another domain in the same book."""

    both = Domains.of((*DOMAINS.domains, TOY, Domain("other", rows={"toy": (Note,)})))
    rows = [{"kind": "slip", "t_ns": 5, "id": "s-1", "late": True}, {"kind": "note", "t_ns": 6, "id": "n-1"}]

    def keep(folder: RunFolder) -> None:
        folder.books = both.books
        folder.write_book("toy", rows)

    path = whole_run(tmp_path, before_seal=keep)
    assert [type(row) for row in read(path, both.books).books["toy"]] == [Slip, Note]
    assert [reason.id for reason in read(path, WITH_TOY.books).damage] == ["damage.line"]
