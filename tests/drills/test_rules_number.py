"""What is judged otherwise has another number of the rules; ``python tests/drills/digests.py`` writes the table."""

from __future__ import annotations

from drills.judge.scorecard import RULES

from .digests import changed, digests, histories, read


def test_every_history_is_judged_as_it_was_under_this_number_of_the_rules() -> None:
    rules, before = read()
    now = digests()
    assert (rules, changed(before, now)) == (RULES, []), "see digests.py"
    assert now == before, "histories were added, changed or taken away: write the table anew"


def test_each_has_a_name_of_its_own() -> None:
    names = [name for name, _ in histories()]
    assert len(names) == len(set(names)) > 50


def test_a_history_that_is_another_one_may_be_judged_otherwise() -> None:
    before = {"a": ("made", "judged"), "b": ("made", "judged")}
    assert changed(before, {"a": ("made anew", "other"), "c": ("made", "judged")}) == []
    assert changed(before, {"a": ("made", "other"), "b": ("made", "judged")}) == ["a"]
