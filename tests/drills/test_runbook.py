"""What a good page becomes, what its demands accept, and how a person reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.record.arm import RUNBOOK, Arm, ArmKind
from drills.spec.drill import load_drill
from drills.spec.expectations import Fact, disagreements
from drills.spec.planning import runbook_of, variants
from drills.spec.reader import UNITS
from drills.spec.runbook import load_runbook
from drills.spec.runbook_text import render_page, time_words
from drills.spec.steps import IfFailed
from drills.spec.vocabulary import embedded

PAGE = """\
runbook: link-down
title: {en: The link is silent, ja: 回線の無応答}
for: {alerts: [LinkSilent], phases: [D2, D3]}
prohibited: [{en: Do not send it again, ja: 再送しないこと}]
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - id: confirm
    role: viewer
    text: {en: Confirm it, ja: 確認する}
    before: {run: brokerctl gateway status, reply: {session: {not: active}}}
    run: brokerctl customers affected --since '2m | 3m'
    expect: {run: brokerctl status, reply: {processes.api.pid: {at_least: 1}, services.orders: true}}
    within: 1500ms
    if_failed: go call
  - id: call
    role: duty-manager
    text: {en: Call the exchange, ja: 取引所へ連絡する}
    within: 2m
    needs: [confirm]
"""

EN = """\
The link is silent  [link-down]

For alerts LinkSilent; phases D2, D3
Never:
  - Do not send it again
If this has not helped after 3m, call duty-manager (deputy: head-of-operations).

1. [ ] Confirm it  (confirm; by viewer, within 1500ms)
      only if: brokerctl gateway status says session is not active (else a false alarm: stop here)
      $ brokerctl customers affected --since '2m | 3m'
      expect: brokerctl status says processes.api.pid at least 1, services.orders = true
      otherwise: go to call

2. [ ] Call the exchange  (call; by duty-manager, within 2m)
      after: confirm
      otherwise: stop
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "runbook.yaml"
    path.write_text(PAGE)
    return path


def test_what_a_page_becomes(file: Path) -> None:
    page = load_runbook(file, embedded().operator)
    confirm, call = page.steps
    assert (page.id, page.wrong, page.alerts, page.phases) == ("link-down", None, ("LinkSilent",), ("D2", "D3"))
    assert (page.escalation.after, page.content) == (3 * UNITS["m"], PAGE.encode())
    assert confirm.argv == ("brokerctl", "customers", "affected", "--since", "2m | 3m")
    assert confirm.before is not None
    assert confirm.before.reply == {"session": Fact("not", "active")}
    assert confirm.expect is not None
    assert confirm.expect.argv == ("brokerctl", "status")
    assert (confirm.within, confirm.if_failed) == (1_500 * UNITS["ms"], IfFailed("go", "call"))
    assert (call.argv, call.needs, call.if_failed, call.line) == (None, ("confirm",), IfFailed("stop"), 15)


def test_the_page_as_a_person_reads_it(file: Path) -> None:
    page = load_runbook(file, embedded().operator)
    assert render_page(page, "en") == EN
    japanese = render_page(page, "ja")
    assert "3分経過しても" in japanese
    assert "確認する" in japanese
    assert "Confirm" not in japanese


@pytest.mark.parametrize(
    ("fact", "found", "holds"),
    [
        (Fact("is", "B"), "B", True),
        (Fact("is", "B"), "A", False),
        (Fact("is", 0), 0, True),
        (Fact("is", 0), 0.0, True),
        (Fact("is", 0), False, False),
        (Fact("is", True), 1, False),
        (Fact("is", "0"), 0, False),
        (Fact("is", False), None, False),
        (Fact("not", "up"), "down", True),
        (Fact("not", "up"), "up", False),
        (Fact("not", "up"), None, True),
        (Fact("at_most", 2), 2, True),
        (Fact("at_most", 2), 2.1, False),
        (Fact("at_least", 2), 1, False),
        (Fact("at_least", 0), True, False),
        (Fact("at_least", 0), "many", False),
        (Fact("at_least", 0), None, False),
    ],
)
def test_facts(fact: Fact, found: object, holds: bool) -> None:
    assert fact.holds(found) is holds
    assert bool(disagreements({"f": fact}, {"f": found})) is not holds


def test_a_field_that_is_not_there_never_holds() -> None:
    assert disagreements({"x": Fact("not", 1)}, {}) == ("the answer has no field 'x', expected not 1",)


def test_a_field_inside_a_mapping() -> None:
    answer = {"services": {"orders": False}, "a.b": 1}
    assert disagreements({"services.orders": Fact("is", False), "a.b": Fact("is", 1)}, answer) == ()
    assert disagreements({"services.orders": Fact("is", True)}, answer) == ("services.orders is false, expected true",)
    assert disagreements({"services.orders.x": Fact("is", 1)}, answer)


@pytest.mark.parametrize(("ns", "words"), [(UNITS["h"], "1h"), (90 * UNITS["s"], "90s"), (250 * UNITS["ms"], "250ms")])
def test_times_in_words(ns: int, words: str) -> None:
    assert time_words(ns) == words


@pytest.mark.parametrize("name", ["exchange-link-down", "night-batch-lock"])
def test_the_catalogues_wrong_variants_differ_from_the_right_one_in_what_they_run(name: str) -> None:
    drill = load_drill(name)
    right = runbook_of(drill, RUNBOOK)
    assert right is not None
    for wrong in variants(drill):
        runbook = runbook_of(drill, Arm(ArmKind.WRONG, wrong))
        assert runbook is not None
        assert [step.argv for step in runbook.steps] != [step.argv for step in right.steps]
        assert runbook.steps[0].before is not None, "else the false alarm could not be told"
