"""Planned against actual: each quantity at its tolerance, a moment beyond on either side, and without evidence."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from drills.cards import score
from drills.judge.checks.planned import EARLY, LATE
from drills.record.history import NS, CheckResult, Kind, PlannedFault, Status
from drills.record.unsupported import ALERTS, OPERATOR
from reports.words import sentence

from .plants import Plant
from .synthetic import END, FAULT, Draft, alert, asked, at, correct
from .words import said as said_of

CHECK = "ran-as-planned"
PASS, UNKNOWN, INVALID = Status.PASS, Status.UNKNOWN, Status.INVALID
KILLED, UNDONE = FAULT + 0.01, FAULT + 2.01
"""Of a second fault, planned for a second at the same time as the first: its injection answered, its undo was begun."""

ENGLISH = re.compile(r"[a-z]{4,}")
NAMES = ("(timeout)", "(kill)")


def ruled(draft: Draft) -> CheckResult:
    return asked(CHECK, draft)


def moved(what: str, by: int, actor: str = "runner", kind: Kind | None = None) -> Plant:
    """Events of this name come ``by`` ns later."""

    def plant(draft: Draft) -> None:
        for n, (t, *event) in enumerate(draft.events):
            if event[0] == actor and event[2] == what and kind in (None, event[1]):
                draft.events[n] = (t + by, *event)

    return plant


def opened(by: int) -> Plant:
    """The page was opened later."""
    return moved("runbook", by, "operator", Kind.INVOKE)


def gone(actor: str, what: str, kind: Kind | None = None) -> Plant:
    def plant(draft: Draft) -> None:
        draft.events = [
            event for event in draft.events if not (event[1] == actor and event[3] == what and kind in (None, event[2]))
        ]

    return plant


def then(*plants: Plant) -> Plant:
    def plant(draft: Draft) -> None:
        for one in plants:
            one(draft)

    return plant


def ended(draft: Draft, reason: str) -> Draft:
    assert draft.run.end is not None
    draft.run = msgspec.structs.replace(draft.run, end=msgspec.structs.replace(draft.run.end, reason=reason))
    return draft


def brief(arm: str = "no-action", link: bool = False) -> Draft:
    """A run with a second fault that was planned for two seconds, and lasted so long."""
    draft = correct(3, arm)
    params = {"link": "exchange-a"} if link else {"service": "api"}
    second = PlannedFault(1, "kill", 2 * NS, 2 * NS, params)
    draft.plan = msgspec.structs.replace(draft.plan, faults=[*draft.plan.faults, second])
    for t, kind, what in (
        (FAULT, Kind.INVOKE, "inject"), (KILLED, Kind.OK, "inject"), (KILLED, Kind.OK, "verify_effect"),
        (UNDONE, Kind.INVOKE, "rollback"), (UNDONE + 0.2, Kind.OK, "rollback"),
        (UNDONE + 0.3, Kind.OK, "verify_removed"),
    ):  # fmt: skip
        draft.note(t, "fault:1", kind, what)
    return draft


# -- at its tolerance, and a nanosecond beyond ------------------------------------------------------------------------

BASELINE = moved("baseline", LATE, kind=Kind.OK)
SPANS: dict[str, tuple[Callable[[], Draft], Callable[[int], Plant], int | None, int | None, str]] = {
    # the run; what moves the instant that ends it; by how much at least and at most (None: as much as it likes); words
    "onset": (
        lambda: correct(3, "no-action"), lambda by: moved("inject", by, "fault:0"), -EARLY, LATE,
        "onset of fault 0 (timeout): planned 2.0 s",
    ),
    "duration": (
        brief, lambda by: moved("rollback", by, "fault:1"), -EARLY, LATE - 10_000_000,
        "duration of fault 1 (kill): planned 2",
    ),
    "duration on a link, up to the end of its undo": (
        lambda: brief(link=True), lambda by: moved("rollback", by, "fault:1"), -EARLY, LATE - 210_000_000,
        "duration of fault 1 (kill): planned 2",
    ),
    "false alarm": (
        lambda: correct(3, "false-alarm"),
        lambda by: then(moved("false-alarm", by - NS // 10), opened(by - NS // 10)), -EARLY, LATE,
        "false alarm: planned 3.0 s",
    ),
    "reaction": (lambda: correct(3), opened, -EARLY, LATE, "reaction: planned 0.2 s"),
    "reaction to a false alarm": (
        lambda: correct(3, "false-alarm"), opened, -EARLY, LATE, "reaction: planned 0.2 s",
    ),
    "cap": (
        lambda: ended(correct(3, "no-action"), "cap"), lambda by: moved("snapshot", by), -EARLY, LATE,
        "observation: planned 19.0 s",
    ),
    "quiet where nothing is broken": (
        lambda: correct(3, "no-fault"), lambda by: moved("snapshot", by), -EARLY, LATE, "observation: planned 11.0 s",
    ),
    "end of what was judged": (
        lambda: correct(3), lambda by: moved("snapshot", by), -4_200_000_000 - EARLY, NS + LATE, "planned at ",
    ),
    "cap of a run that had not been quiet": (
        lambda: ended(correct(3), "cap"), lambda by: moved("snapshot", by + NS), -EARLY, LATE,
        "observation: planned 20.0 s",
    ),
    "cap of one that was stopped": (
        lambda: ended(correct(3, "no-action"), "stop_if"), lambda by: moved("snapshot", by), None, LATE,
        "observation: planned at most 19.0 s",
    ),
    "quiet after the page": (
        lambda: correct(3), lambda by: moved("runbook", -by, "operator", Kind.OK), -4_200_000_000 - EARLY, None,
        "quiet after the runbook: planned at least 7.5 s",
    ),
    "false alarm watched to its end without a page": (
        lambda: correct(3, "false-alarm"),
        lambda by: then(moved("runbook", 8 * NS, "operator", Kind.OK), moved("snapshot", by + 2_200_000_000)),
        -EARLY, LATE, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPANS)
def test_a_span_is_as_planned_up_to_its_tolerance_and_not_a_moment_beyond(name: str) -> None:
    make, move, least, most, words = SPANS[name]
    for by, beyond in ((least, -1), (most, 1)):
        inside, outside = make(), make()
        if by is None:
            move(3 * NS * beyond)(inside)
            assert ruled(inside).status == PASS
            continue
        move(by)(inside)
        move(by + beyond)(outside)
        assert (ruled(inside).status, ruled(outside).status) == (PASS, INVALID), by
        assert words in said_of(ruled(outside))
        assert score(outside.history(), None).verdict != PASS


@pytest.mark.parametrize("name", ["onset", "duration", "reaction", "quiet where nothing is broken"])
def test_a_run_that_did_not_go_as_planned_cannot_judge(name: str) -> None:
    make, move, _, most, _ = SPANS[name]
    draft = make()
    assert score(draft.history(), None).verdict == PASS
    move((most or 0) + 1)(draft)
    assert score(draft.history(), None).verdict == INVALID


@pytest.mark.parametrize(("by", "status"), [
    (-EARLY - 1, INVALID), (-EARLY, PASS), (LATE, PASS), (LATE + 1, INVALID),
])  # fmt: skip
def test_a_baseline_is_as_long_as_planned(by: int, status: Status) -> None:
    """What counts from its end moves with it."""
    draft = correct(3, "no-action")
    then(moved("baseline", by, kind=Kind.OK), moved("inject", by, "fault:0"), moved("snapshot", by))(draft)
    verdict = ruled(draft)
    assert verdict.status == status
    assert status == PASS or said_of(verdict).startswith("baseline: planned 5.0 s, was ")


def test_the_fault_of_a_millisecond_is_told_in_numbers() -> None:
    """As the harness used to undo a fault whose injection came late."""
    draft = brief()
    moved("rollback", round(-1.956 * NS), "fault:1")(draft)
    verdict = ruled(draft)
    assert (verdict.status, said_of(verdict)) == (
        INVALID, "duration of fault 1 (kill): planned 2.0 s, was 0.044–0.054 s",
    )  # fmt: skip
    history = draft.history()
    shown = {history.events[int(row.removeprefix("events:"))].actor for row in verdict.evidence}
    assert shown == {"fault:1"}


def test_a_short_fault_may_have_lasted_at_most_twice_as_long() -> None:
    planned = NS // 5
    for by, status in ((planned - 10_000_000, PASS), (planned - 9_999_999, INVALID)):
        draft = brief()
        faults = [draft.plan.faults[0], msgspec.structs.replace(draft.plan.faults[1], lasts=planned)]
        draft.plan = msgspec.structs.replace(draft.plan, faults=faults)
        moved("rollback", planned - 2 * NS + by, "fault:1")(draft)
        assert ruled(draft).status == status


def test_how_long_a_service_takes_to_start_again_is_its_own_affair() -> None:
    draft = brief()
    moved("rollback", 4 * NS, "fault:1", Kind.OK)(draft)
    assert ruled(draft).status == PASS


def test_an_injection_that_took_long_to_answer_may_have_struck_long_before() -> None:
    for by, status in ((-LATE + 10_000_000, PASS), (-LATE + 9_999_999, INVALID)):
        draft = brief()
        draft.plan = msgspec.structs.replace(
            draft.plan, faults=[draft.plan.faults[0], msgspec.structs.replace(draft.plan.faults[1], at=2 * NS + by)]
        )
        moved("inject", by, "fault:1", Kind.INVOKE)(draft)
        assert ruled(draft).status == status


def test_a_fault_whose_first_undo_failed_lasted_until_the_one_that_did_it() -> None:
    for later, status in ((LATE - 10_000_000, PASS), (LATE - 9_999_999, INVALID)):
        draft = brief()
        moved("rollback", later, "fault:1")(draft)
        draft.note(UNDONE, "fault:1", Kind.INVOKE, "rollback")
        draft.note(UNDONE + 0.1, "fault:1", Kind.FAIL, "rollback")
        verdict = ruled(draft)
        assert verdict.status == status
        assert status == PASS or "was 2.0–2.5" in said_of(verdict)


def test_a_fault_cut_short_by_stop_if_was_planned_to_be() -> None:
    for reason, t, status in (
        ("stop_if", UNDONE - 1, PASS), ("stop_if", UNDONE - 0.5, INVALID), ("cap", UNDONE - 1, INVALID),
    ):  # fmt: skip
        draft = ended(brief(), reason)
        moved("rollback", -NS, "fault:1")(draft)
        moved("snapshot", at(t) - at(END))(draft)
        verdict = ruled(draft)
        assert verdict.status == status
        assert ("duration" in said_of(verdict)) or status != PASS


def test_the_snapshot_s_own_word_on_why_it_ended_comes_first() -> None:
    draft = correct(3, "no-action")
    moved("snapshot", -NS)(draft)
    assert ruled(draft).status == INVALID
    for _, _, kind, what, data in draft.events:
        if (kind, what) == (Kind.INVOKE, "snapshot"):
            data["reason"] = "stop_if"
    assert ruled(draft).status == PASS


def test_quiet_counts_from_the_last_of_the_harness_s_own_acts_as_well() -> None:
    """A fault that ended after the page did has its hold too."""
    for by, status in ((END - 7.5 - UNDONE - 0.2, PASS), (END - 7.5 - UNDONE - 0.1, INVALID)):
        draft = brief("runbook")
        draft.plan = msgspec.structs.replace(
            draft.plan,
            faults=[draft.plan.faults[0], msgspec.structs.replace(draft.plan.faults[1], lasts=round((2 + by) * NS))],
        )
        moved("rollback", round(by * NS), "fault:1")(draft)
        verdict = ruled(draft)
        assert verdict.status == status
        assert "quiet after the runbook: planned at least 7.5 s" in said_of(verdict)


def test_what_is_watched_counts_from_the_first_of_several_faults() -> None:
    draft = correct(3, "no-action")
    later = PlannedFault(1, "kill", 9 * NS, None, {"service": "api"})
    draft.plan = msgspec.structs.replace(draft.plan, faults=[later, *draft.plan.faults])
    draft.note(14, "fault:1", Kind.INVOKE, "inject")
    assert ruled(draft).status == PASS


def test_what_was_opened_late_counts_from_the_first_page() -> None:
    """Of whatever rule and wherever it leads; a ticket before it calls nobody away from what he does."""
    draft = correct(3)
    alert(draft, 7.2, "DiskFull")
    assert said_of(ruled(draft)) == "reaction: planned 0.2 s, was 1.1 s"
    for _, _, _, what, data in draft.events:
        if what == "alert" and data["rule"] == "DiskFull":
            data["severity"] = "ticket"
    assert ruled(draft).status == PASS


# -- evidence removed -------------------------------------------------------------------------------------------------

REMOVED: dict[str, tuple[Callable[[], Draft], Plant, str]] = {
    "beginning of the baseline": (
        lambda: correct(3), gone("runner", "baseline", Kind.INVOKE), "baseline: planned 5.0 s, not on record",
    ),
    "injection": (
        lambda: correct(3), gone("fault:0", "inject"), "onset of fault 0 (timeout): planned 2.0 s, not on record",
    ),
    "answer of the injection": (
        brief, gone("fault:1", "inject", Kind.OK), "duration of fault 1 (kill): planned 2.0 s, not on record",
    ),
    "rollback": (brief, gone("fault:1", "rollback"), "duration of fault 1 (kill): planned 2.0 s, not on record"),
    "beginning of the undo": (
        brief, gone("fault:1", "rollback", Kind.INVOKE), "duration of fault 1 (kill): planned 2.0 s, not on record",
    ),
    "answer of the undo": (
        brief, gone("fault:1", "rollback", Kind.OK), "duration of fault 1 (kill): planned 2.0 s, not on record",
    ),
    "false alarm": (
        lambda: correct(3, "false-alarm"), gone("runner", "false-alarm"),
        "false alarm: planned 3.0 s, not on record; reaction: planned 0.2 s, not on record",
    ),
    "page": (lambda: correct(3), gone("operator", "runbook", Kind.INVOKE),
        "reaction: planned 0.2 s, not on record; quiet after the runbook: planned at least 7.5 s, not on record"),
    "alert": (lambda: correct(3), gone("monitor", "alert"), "reaction: planned 0.2 s, not on record"),
    "end of the page": (
        lambda: correct(3), gone("operator", "runbook", Kind.OK),
        "quiet after the runbook: planned at least 7.5 s, not on record",
    ),
    "end of the observation": (
        lambda: correct(3), gone("runner", "snapshot"),
        "observation: planned at most 20.0 s, not on record"
        "; quiet after the runbook: planned at least 7.5 s, not on record",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REMOVED)
def test_what_is_not_on_record_was_not_as_planned(name: str) -> None:
    make, remove, says = REMOVED[name]
    draft = make()
    assert ruled(draft).status == PASS
    remove(draft)
    verdict = ruled(draft)
    assert (verdict.status, said_of(verdict)) == (UNKNOWN, says)
    assert score(draft.history(), None).verdict != PASS


def test_without_the_end_of_the_baseline_nothing_can_be_compared() -> None:
    draft = correct(3)
    gone("runner", "baseline", Kind.OK)(draft)
    verdict = ruled(draft)
    assert verdict.status == UNKNOWN
    assert said_of(verdict) == (
        "baseline: planned 5.0 s, not on record; onset of fault 0 (timeout): planned 2.0 s, not on record"
        "; observation: planned at most 20.0 s, not on record"
    )


def test_what_is_off_comes_before_what_is_not_on_record() -> None:
    draft = correct(3)
    then(gone("operator", "runbook", Kind.OK), moved("inject", NS, "fault:0"))(draft)
    verdict = ruled(draft)
    assert verdict.status == INVALID
    assert said_of(verdict) == (
        "onset of fault 0 (timeout): planned 2.0 s, was 3.0 s"
        "; quiet after the runbook: planned at least 7.5 s, not on record"
    )


# -- what is asked of whom --------------------------------------------------------------------------------------------


def spoken_of(draft: Draft) -> list[str]:
    return [part.partition(":")[0] for part in said_of(ruled(draft)).split("; ")]


ONSET = "onset of fault 0 (timeout)"


@pytest.mark.parametrize(("arm", "names"), [
    ("runbook", ["baseline", ONSET, "reaction", "observation", "quiet after the runbook"]),
    ("no-action", ["baseline", ONSET, "observation"]),
    ("no-fault", ["baseline", "observation"]),
    ("false-alarm", ["baseline", "false alarm", "reaction", "observation", "quiet after the runbook"]),
])  # fmt: skip
def test_each_arm_is_asked_for_what_it_plans(arm: str, names: list[str]) -> None:
    verdict = ruled(correct(3, arm))
    assert (verdict.status, verdict.evidence) == (PASS, [])
    assert spoken_of(correct(3, arm)) == names


@pytest.mark.parametrize(("arm", "lacks", "asked_for"), [
    ("runbook", OPERATOR, False), ("runbook", ALERTS, False), ("false-alarm", ALERTS, True),
])  # fmt: skip
def test_where_nobody_can_be_called_there_is_no_reaction(arm: str, lacks: str, asked_for: bool) -> None:
    draft = correct(3, arm)
    draft.run = msgspec.structs.replace(draft.run, unsupported=[lacks])
    assert ("reaction" in spoken_of(draft)) == asked_for


def test_all_of_it_is_said_in_japanese() -> None:
    drafts = [correct(3, arm) for arm in ("runbook", "no-action", "no-fault", "false-alarm")] + [brief()]
    for make, remove, _ in REMOVED.values():
        drafts.append(make())
        remove(drafts[-1])
    for draft in drafts:
        said = sentence("ja", ruled(draft))
        for name in NAMES:
            said = said.replace(name, "")
        assert not ENGLISH.search(said), said


def test_an_alert_that_needs_nobody_takes_a_reaction_of_its_own() -> None:
    draft = correct(3)
    alert(draft, 7.2, "DiskFull", runbook="unknown")
    draft.note(8.1, "operator", Kind.INFO, "not-opened", rule="DiskFull", runbook="unknown", reason="no-such-runbook")
    assert ruled(draft).status == PASS
    draft.note(9, "operator", Kind.INFO, "not-opened", rule="DiskFull", runbook="unknown", reason="followed-before")
    assert ruled(draft).status == PASS  # it came after the runbook was opened
