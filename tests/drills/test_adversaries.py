"""Histories made to deceive the judge: each lacks the evidence for a pass in another way, and none passes.

A verdict may rest only on what somebody saw. Here the load falls silent just while the service is down, the customers'
journal is gone, the harness takes its own fault away, nobody plays the arm that the card names, and the like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.cards import score
from drills.domains.cash.rows import Balance
from drills.domains.figures.rows import Acted, Shown
from drills.judge.check import run_check
from drills.record.history import NS, OUTCOMES, Kind, RequestOutcome, Status
from drills.record.unsupported import OPERATOR

from . import synthetic as made
from .defects import lost_order
from .judging import CHECKS
from .nights import correct_night
from .plants import Plant, balances_unread, own_error, silent_load, unaccounted
from .synthetic import END, FAULT, Draft, at, correct
from .words import said as said_of

UNKNOWN, INVALID, FAIL = Status.UNKNOWN, Status.INVALID, Status.FAIL
EXAMPLES = {"long": 1000, "mutation": 1}.get(settings.get_current_profile_name(), 5)


@dataclass(frozen=True)
class Adversary:
    """What is planted in a correct history of the arm, and the cell that must object, with its words."""

    plant: Plant
    verdict: Status
    cell: str
    words: str
    arm: str = "runbook"
    effect: bool = True


def drop_events(draft: Draft, actor: str, *whats: str) -> None:
    draft.events = [event for event in draft.events if not (event[1] == actor and (not whats or event[3] in whats))]


def silent_service(draft: Draft) -> None:
    draft.samples = [s for s in draft.samples if s[4] == 0 or not at(END - 1.5) <= s[0]]


def answered_before_sent(draft: Draft) -> None:
    for sample in draft.samples[::40]:
        sample[2] = sample[1] - 1


def answered_and_never_sent(draft: Draft) -> None:
    draft.samples[40][1] = 0


def no_journal(draft: Draft) -> None:
    """All books are there and empty but for balances nothing has moved: nothing contradicts anything."""
    for book in (draft.customers, draft.exchange, draft.notices):
        book.clear()
    stored = [row for row in draft.oms if isinstance(row, Balance)]
    draft.oms = [msgspec.structs.replace(row, cash=10_000_000) for row in stored]


def nothing_in_any_book(draft: Draft) -> None:
    for book in (draft.world, draft.customers, draft.exchange, draft.oms, draft.notices):
        book.clear()


def no_figures(draft: Draft) -> None:
    draft.customers = [row for row in draft.customers if not isinstance(row, (Shown, Acted))]


def one_row_gone(draft: Draft) -> None:
    """A single reply to a look at the balance: nobody else would miss it."""
    relied = {row.shown for row in draft.customers if isinstance(row, Acted)}
    n, _ = made.first(draft.customers, Shown, lambda row: row.id not in relied)
    del draft.customers[n]


def acted_on_what_nobody_saw(draft: Draft) -> None:
    draft.customers.append(Acted(t_ns=at(20), id="a-9", account="C-0001", shown="nowhere", yen=5, what="repayment"))


def healed_by_the_harness(draft: Draft) -> None:
    """The fault ends while it is being watched, by no step of the page."""
    drop_events(draft, "fault:0", "rollback", "verify_removed")
    for t, kind, what in (
        (11.0, Kind.INVOKE, "rollback"),
        (11.1, Kind.OK, "rollback"),
        (11.2, Kind.OK, "verify_removed"),
    ):
        draft.note(t, "fault:0", kind, what)


def witnessed_too_late(draft: Draft) -> None:
    drop_events(draft, "fault:0", "verify_effect")
    draft.note(END + 3.05, "fault:0", Kind.OK, "verify_effect")


def witnessed_beforehand(draft: Draft) -> None:
    drop_events(draft, "fault:0", "verify_effect")
    draft.note(FAULT - 1, "fault:0", Kind.OK, "verify_effect")


def injected_again(draft: Draft) -> None:
    draft.note(END + 4, "fault:0", Kind.INVOKE, "inject")
    draft.note(END + 4.1, "fault:0", Kind.OK, "inject")


def injected_unplanned(draft: Draft) -> None:
    draft.note(10, "fault:7", Kind.INVOKE, "inject")
    draft.note(10.1, "fault:7", Kind.OK, "inject")


def undone_unplanned(draft: Draft) -> None:
    injected_unplanned(draft)
    draft.note(END + 3, "fault:7", Kind.OK, "rollback")
    draft.note(END + 3.1, "fault:7", Kind.OK, "verify_removed")


def nobody_came(draft: Draft) -> None:
    drop_events(draft, "operator")


def nobody_began(draft: Draft) -> None:
    drop_events(draft, "operator", "step")


def baseline_said_to_be_good(draft: Draft) -> None:
    draft.spoil("orders", 1, 2, RequestOutcome.ERROR)


def undone_at_once(draft: Draft) -> None:
    """Planned for four seconds, and taken away by the harness before the target can have felt it."""
    healed_by_the_harness(draft)
    drop_events(draft, "fault:0", "rollback")
    draft.note(FAULT + 0.06, "fault:0", Kind.INVOKE, "rollback")
    draft.note(FAULT + 0.07, "fault:0", Kind.OK, "rollback")
    ends_by_plan(draft)


def stayed_on(draft: Draft) -> None:
    """Planned for four seconds, and forgotten by the harness until everything was over."""
    ends_by_plan(draft)


def ends_by_plan(draft: Draft) -> None:
    planned = msgspec.structs.replace(draft.plan.faults[0], lasts=4 * NS)
    draft.plan = msgspec.structs.replace(draft.plan, faults=[planned])


def stood_still(draft: Draft) -> None:
    """In the middle of a step, which nothing of the plan is early or late by."""
    draft.note(12, "runner", Kind.INFO, "late", ns=3 * NS)


def generator_stood_still(draft: Draft) -> None:
    """For a moment of a long run: three requests in 1,600, each answered at once when it was sent."""
    late = [sample for sample in draft.samples if sample[4] == 1 and at(20) <= sample[0]][:3]
    for sample in late:
        sample[1] = sample[0] + NS + 1
        sample[2] = sample[1] + 1_000_000


def another_arm(arm: str) -> Plant:
    def plant(draft: Draft) -> None:
        nobody_came(draft)
        draft.plan = msgspec.structs.replace(draft.plan, arm=arm)

    return plant


def of_before_anybody_gave_account(draft: Draft) -> None:
    unaccounted(*made.OWN_PARTS)(draft)
    draft.run = msgspec.structs.replace(draft.run, own_parts=[])


def account_of_no_numbers(draft: Draft) -> None:
    unaccounted("proxy")(draft)
    draft.note(END + 2.3, "proxy", Kind.OK, "own-errors", counts={"too many open files": "none"})


def sound_at_the_second_asking(draft: Draft) -> None:
    own_error("load")(draft)
    draft.note(END + 2.4, "load", Kind.OK, "own-errors", counts={}, first="")


SOUND = "own-parts-sound"
RATE, WHOLE, REAL = "load-reached-its-rate", "history-whole", "fault-really-happened"
PAGE, AS_PLANNED = "runbook-was-followed", "ran-as-planned"

ADVERSARIES: dict[str, Adversary] = {
    "load silent in the outage": Adversary(silent_load(9, 11.5), INVALID, RATE, "nothing sent to orders for 2.5"),
    "load silent over a fault that then never hurt": Adversary(
        silent_load(6.9, 9.4), INVALID, RATE, "nothing sent to inquiry for 2.", effect=False
    ),
    "load silent in the hold": Adversary(silent_load(END - 1.5, 99), INVALID, RATE, "nothing sent to orders for 1."),
    "load silent in the baseline": Adversary(silent_load(0, 1.5), INVALID, RATE, "nothing sent to orders for 1."),
    "one service silent in the hold": Adversary(silent_service, INVALID, RATE, "; nothing sent to inquiry for 1."),
    "answers before their requests": Adversary(
        answered_before_sent, INVALID, "load-on-time", "answered before they were sent"
    ),
    "answer to what was never sent": Adversary(
        answered_and_never_sent, INVALID, "load-on-time", "; 1 of 1601 answered before they were sent"
    ),
    "no journal": Adversary(no_journal, INVALID, WHOLE, "have no row in the customers' book"),
    "nothing in any book": Adversary(nothing_in_any_book, INVALID, WHOLE, "have no row in the customers' book"),
    "no figure in the journal": Adversary(no_figures, INVALID, WHOLE, "have no row in the customers' book"),
    "one row of the journal gone": Adversary(one_row_gone, INVALID, WHOLE, "1 of 1629 requests have no row"),
    "acted on a figure in no journal": Adversary(
        acted_on_what_nobody_saw, UNKNOWN, "no-wrong-figure-acted-on", "1 actions after the first step on figures"
    ),
    "balances unread": Adversary(balances_unread, UNKNOWN, "figures-right", "the target's book holds no balance"),
    "healed by the harness": Adversary(healed_by_the_harness, INVALID, REAL, "1 undone before the end"),
    "witnessed after it was undone": Adversary(witnessed_too_late, INVALID, REAL, "0 of 1 faults injected and witness"),
    "witnessed before it was injected": Adversary(
        witnessed_beforehand, INVALID, REAL, "0 of 1 faults injected and witnessed"
    ),
    "injected again after it was gone": Adversary(
        injected_again, INVALID, "nothing-still-injected", "1 of 1 faults not seen gone"
    ),
    "injected a fault nobody planned": Adversary(
        injected_unplanned, INVALID, "nothing-still-injected", "1 of 2 faults not seen gone"
    ),
    "a fault nobody planned, undone": Adversary(undone_unplanned, INVALID, REAL, "1 that nobody planned"),
    "undone by the harness at once": Adversary(
        undone_at_once, INVALID, AS_PLANNED, "duration of fault 0 (timeout): planned 4.0 s, was 0.05–0.07 s"
    ),
    "forgotten by the harness": Adversary(
        stayed_on, INVALID, AS_PLANNED, "duration of fault 0 (timeout): planned 4.0 s, was 21.99–22.1 s"
    ),
    "harness stood still": Adversary(
        stood_still, INVALID, "harness-kept-going", "the harness stood still for at most 3.0 s at a time"
    ),
    "nobody looked whether it stood still": Adversary(
        lambda draft: drop_events(draft, "runner", "lateness"), UNKNOWN, "harness-kept-going", "nobody measured"
    ),
    "generator stood still for a moment": Adversary(
        generator_stood_still, INVALID, "load-on-time", "3 of 1601 bad only for being sent late"
    ),
    "baseline said to be good": Adversary(
        baseline_said_to_be_good, INVALID, "baseline-good", "the baseline was not good; orders"
    ),
    "nobody opened the runbook": Adversary(nobody_came, UNKNOWN, PAGE, "nobody opened the runbook"),
    "nobody opened the page, and nothing hurt": Adversary(
        nobody_came, UNKNOWN, PAGE, "nobody opened the runbook", effect=False
    ),
    "nobody began the page": Adversary(nobody_began, UNKNOWN, PAGE, "no step of the runbook was begun"),
    "a wrong page nobody opened": Adversary(another_arm("wrong:x"), UNKNOWN, PAGE, "nobody opened the runbook"),
    "false alarm nobody heard": Adversary(nobody_came, INVALID, PAGE, "nobody opened the runbook", arm="false-alarm"),
    "false alarm nobody followed": Adversary(
        nobody_began, INVALID, PAGE, "no step of the runbook was begun", arm="false-alarm"
    ),
    "a proxy that dropped one customer": Adversary(
        own_error("proxy"), INVALID, SOUND, "proxy: 1 × too many open files; first of proxy: accept on x"
    ),
    "a part that gave no account": Adversary(
        unaccounted("load"), INVALID, SOUND, "no account of their own errors by load"
    ),
    "nobody gave account, and the record asks nobody": Adversary(
        of_before_anybody_gave_account, INVALID, SOUND, "no account of their own errors by harness, load, proxy"
    ),
    "an account of no numbers": Adversary(
        account_of_no_numbers, INVALID, SOUND, "the account of proxy cannot be read"
    ),
    "sound when asked again": Adversary(
        sound_at_the_second_asking, INVALID, SOUND, "load: 1 × too many open files"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ADVERSARIES)
def test_who_would_deceive_the_judge_does_not_pass(name: str) -> None:
    one = ADVERSARIES[name]
    draft = correct(3, one.arm, one.effect)
    one.plant(draft)
    card = score(draft.history(), None)
    said = {check.id: (check.verdict, said_of(check)) for check in card.checks}
    assert card.verdict == one.verdict
    assert card.grade is None
    assert one.cell in said
    assert said[one.cell][0] == one.verdict
    assert one.words in said[one.cell][1]


@pytest.mark.parametrize("part", made.OWN_PARTS)
def test_an_error_of_any_part_of_ours_accuses_nobody_and_passes_nobody_whatever_else_is_taken_away(part: str) -> None:
    """Neither the books nor the objectives count then, for either may be the part's doing."""
    for damage in (lambda _: None, lambda draft: lost_order(draft, draft.rng), nobody_came):
        draft = correct(3)
        damage(draft)
        own_error(part)(draft)
        assert score(draft.history(), None).verdict == INVALID
        unaccounted(part)(draft)
        assert score(draft.history(), None).verdict == INVALID


def test_a_target_that_says_our_words_is_judged_as_any_other() -> None:
    words = "own error: too many open files"
    draft = correct(3)
    draft.note(16, "operator", Kind.INVOKE, "step", id="tell")
    draft.note(16.1, "operator", Kind.FAIL, "step", id="tell", outcome="failed", changed=False, says=words, waited_ns=0)
    draft.note(16.2, "runner", Kind.FAIL, "book", book="own-errors", says=words)
    draft.note(16.3, "monitor", Kind.INFO, "own-errors", counts={"too many open files": 9}, first=words)
    draft.spoil("orders", 14.3, END)
    card = score(draft.history(), None)
    assert card.verdict == FAIL
    assert {each.id: each.verdict for each in card.checks}[SOUND] == Status.PASS


@pytest.mark.parametrize("make", [correct, correct_night], ids=["day", "night"])
@pytest.mark.parametrize("book", ["customers", "exchange", "oms", "world"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.floats(0, 0.9))
def test_a_book_cut_between_two_lines_never_passes(
    make: Callable[[int], Draft], book: str, seed: int, share: float
) -> None:
    """Each line that is left can be read, so only what the others say gives it away."""
    draft = make(seed)
    rows = sorted(getattr(draft, book), key=lambda row: row.t_ns)
    setattr(draft, book, rows[: int(len(rows) * share)])
    assert score(draft.history(), None).verdict in (INVALID, FAIL, UNKNOWN)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32), arm=st.sampled_from(["runbook", "no-fault", "false-alarm", "no-action"]))
def test_ordinary_arrivals_are_no_silence(seed: int, arm: str) -> None:
    verdict = run_check(CHECKS[RATE], correct(seed, arm).history())
    assert (verdict.status, "nothing sent" in said_of(verdict)) == (Status.PASS, False)


def test_a_request_nobody_had_time_for_needs_no_row() -> None:
    draft = correct(3)
    draft.samples.append([at(20), 0, 0, OUTCOMES.index(RequestOutcome.DROPPED), 0, 0])
    assert score(draft.history(), None).verdict == Status.PASS


def test_a_fault_that_ends_by_plan_may_be_undone_while_it_is_watched() -> None:
    draft = correct(3)
    healed_by_the_harness(draft)
    ends_by_plan(draft)
    assert score(draft.history(), None).verdict == Status.PASS


@pytest.mark.parametrize("arm", ["no-fault", "no-action"])
def test_arms_without_a_page_ask_for_none(arm: str) -> None:
    draft = correct(3, arm)
    nobody_came(draft)
    card = score(draft.history(), None)
    assert card.verdict == Status.PASS
    assert PAGE not in {check.id for check in card.checks}


def test_where_nobody_can_follow_a_page_none_is_asked_for() -> None:
    draft = correct(3)
    nobody_came(draft)
    draft.run = msgspec.structs.replace(draft.run, unsupported=[OPERATOR])
    assert PAGE not in {check.id for check in score(draft.history(), None).checks}


def test_a_page_that_was_followed_is_not_spoken_of() -> None:
    for arm in ("runbook", "false-alarm"):
        assert PAGE not in {check.id for check in score(correct(3, arm).history(), None).checks}


def test_a_damaged_baseline_is_told_service_by_service() -> None:
    draft = correct(3)
    for service in made.SERVICES:
        draft.spoil(service, 1, 2, RequestOutcome.ERROR)
    parts = said_of(run_check(CHECKS["baseline-good"], draft.history())).split("; ")[1:]
    assert [part.split()[0] for part in parts] == list(made.SERVICES)
    assert all(part.endswith("served well") for part in parts)
