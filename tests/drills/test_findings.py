"""What failed becomes a finding by itself; three passes with drawn seeds close it, and a recurrence opens it again."""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.archive.index import indexed
from drills.errors import BadInput, Refused
from drills.findings.derive import declared_to_pass
from drills.findings.retests import passes_in_a_row
from drills.findings.state import ACCEPTED, CLOSED, LAPSED, OPEN, OVERDUE, UNOWNED, by_urgency, standing
from drills.findings.store import HEADER, Store, rendered
from drills.findings.sync import Synced, synced
from drills.record.entries import RETEST
from drills.record.register import read_register
from drills.spec.findingsfile import Acceptance, Attempt, Finding, load_findings
from targets.visible import visible_line

from .kept import keep

WEEK = timedelta(days=7)
FAILED = "fail-objective"
ROBOT = {"kind": "robot", "reaction_s": 0.2, "name": None, "role": None, "pace": "robot", "opened": []}
HUMAN = {**ROBOT, "kind": "human", "name": "Sato", "role": "operator", "reaction_s": None, "pace": "person"}


def sync(runs: Path, known: tuple[Finding, ...] | list[Finding] = ()) -> Synced:
    found = indexed(runs)
    return synced(known, found.rows, read_register(runs), declared_to_pass(runs, found.rows), unread=found.unread)


def only(found: Synced) -> Finding:
    (finding,) = found.findings
    return finding


def retested(runs: Path, day: float, **changed: Any) -> str:
    return keep(runs, day, drawn=True, purpose=RETEST, limit=4, **changed)


# -- what becomes a finding -----------------------------------------------------------------------------------------


def test_an_objective_that_was_missed(tmp_path: Path) -> None:
    run = keep(tmp_path, 0, which=FAILED)
    found = sync(tmp_path)
    finding = only(found)
    assert found.new == [finding.id]
    assert (finding.kind, finding.about, finding.severity) == ("objective", "recover", "medium")
    assert finding.detail == "5.968 to 7.359 s, limit 4 s"
    assert (finding.first_seen.run, finding.first_seen.date, finding.times) == (run, date(2026, 11, 1), 1)
    assert (finding.drill, finding.arm, finding.target, finding.operator, finding.pace) == (
        "link-down", "runbook", "local", "robot", "robot",
    )  # fmt: skip
    assert {limit.id: limit.at_most for limit in finding.limits}["recover"] == 4
    assert (finding.owner, finding.due, finding.is_open) == (None, None, True)


def test_a_check_of_customers_and_money_is_critical(tmp_path: Path) -> None:
    keep(tmp_path, 0, which="fail-integrity")
    found = {finding.about: finding.severity for finding in sync(tmp_path).findings if finding.kind == "check"}
    assert found
    assert set(found.values()) == {"critical"}


@pytest.mark.parametrize(
    ("which", "arm", "arms"),
    [
        ("pass", "runbook", None),
        ("unknown", "runbook", None),
        ("invalid-unwitnessed", "runbook", None),
        (FAILED, "no-action", None),
        (FAILED, "wrong:late", None),
        (FAILED, "runbook", "title: no arms\n"),
        (FAILED, "runbook", "arms: {runbook: fail}\n"),
        (FAILED, "runbook", "arms: [runbook]\n"),
        (FAILED, "runbook", "arms: {runbook: {verdict: pass, reaction_up_to: 100ms}}\n"),
    ],
)
def test_what_was_not_declared_to_pass_or_did_not_fail_is_none(
    tmp_path: Path, which: str, arm: str, arms: str | None
) -> None:
    keep(tmp_path, 0, which=which, arm=arm, **({} if arms is None else {"arms": arms}))
    assert sync(tmp_path).findings == []


def test_a_reaction_up_to_which_it_must_pass(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED, arms="arms: {runbook: {verdict: pass, reaction_up_to: 1s}}\n")
    assert only(sync(tmp_path)).about == "recover"


def test_robot_and_person_are_apart(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    keep(tmp_path, 1, which=FAILED, operator=HUMAN)
    assert {finding.operator for finding in sync(tmp_path).findings} == {"robot", "human"}


def test_it_is_counted_once_a_run_however_often_it_is_looked_at(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    first = sync(tmp_path)
    assert sync(tmp_path, first.findings) == Synced(first.findings)
    keep(tmp_path, 1, which=FAILED)
    second = sync(tmp_path, first.findings)
    assert (only(second).times, second.seen_again, second.new) == (2, [only(first).id], [])
    assert only(second).first_seen == only(first).first_seen
    assert sync(tmp_path).findings == second.findings  # all at once gives the same


def test_what_persons_set_stays(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    mine = {"owner": "sato", "due": date(2026, 12, 31), "ticket": "OPS-1", "cause": "slow", "note": "n"}
    known = msgspec.structs.replace(only(sync(tmp_path)), **mine)
    keep(tmp_path, 1, which=FAILED)
    after = only(sync(tmp_path, [known]))
    assert {name: getattr(after, name) for name in mine} == mine


def test_findings_outlive_their_runs(tmp_path: Path) -> None:
    run = keep(tmp_path, 0, which=FAILED)
    known = sync(tmp_path).findings
    shutil.rmtree(tmp_path / run)
    assert sync(tmp_path, known).findings == known


def test_a_failed_run_that_was_thrown_away_is_one_all_the_same(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    run = keep(tmp_path, 1, which=FAILED)
    for arm, which in (("no-action", FAILED), ("runbook", "pass")):  # declared to fail; passed
        shutil.rmtree(tmp_path / keep(tmp_path, 2, arm=arm, which=which))
    assert only(sync(tmp_path)).about == "recover"
    shutil.rmtree(tmp_path / run)
    finding = only(sync(tmp_path))
    assert (finding.kind, finding.about, finding.severity) == ("run", "verdict", "high")
    assert (finding.last_seen.run, finding.detail) == (run, "major-challenges")
    assert sync(tmp_path, [finding]) == Synced([finding])


# -- limits that were loosened --------------------------------------------------------------------------------------


def dropped(runs: Path, day: float, what: str) -> None:
    """A run whose card has one thing less than the others."""
    run = keep(runs, day)
    card = json.loads((runs / run / "scorecard.json").read_text())
    card[what] = card[what][:-1]
    (runs / run / "scorecard.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("loosen", "about", "detail"),
    [
        (lambda runs: keep(runs, 1, limit=99), "recover", "15 s before, 99 s now"),
        (lambda runs: dropped(runs, 1, "objectives"), "served_ratio", "limit removed, was at least 0.5"),
    ],
)
def test_a_loosened_limit_is_a_finding(
    tmp_path: Path, loosen: Callable[[Path], object], about: str, detail: str
) -> None:
    keep(tmp_path, 0)
    loosen(tmp_path)
    finding = only(sync(tmp_path))
    assert (finding.kind, finding.about, finding.detail, finding.severity) == ("limit", about, detail, "medium")
    assert sync(tmp_path, [finding]) == Synced([finding])


def test_it_closes_when_it_is_as_tight_again_and_opens_when_it_is_loosened_anew(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    keep(tmp_path, 1, limit=99)
    loose = only(sync(tmp_path))
    keep(tmp_path, 2, limit=50)
    assert sync(tmp_path, [loose]).closed == []
    tight = keep(tmp_path, 3, limit=15)
    closed = sync(tmp_path, [loose])
    assert closed.closed == [loose.id]
    assert only(closed).closed.by == (tight,)  # type: ignore[union-attr]
    keep(tmp_path, 4, limit=16)
    assert sync(tmp_path, closed.findings).reopened == [loose.id]


def test_a_tightened_limit_and_another_pace_are_none(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    keep(tmp_path, 1, limit=10)
    keep(tmp_path, 2, limit=900, operator=HUMAN)
    assert sync(tmp_path).findings == []


# -- retests --------------------------------------------------------------------------------------------------------


def after_three(tmp_path: Path, *middle: Callable[[], object]) -> Finding:
    """Seen, then retested three times; ``middle``: what happened between the second and the third."""
    keep(tmp_path, 0, which=FAILED, operator=ROBOT)
    retested(tmp_path, 1)
    retested(tmp_path, 2)
    for each in middle:
        each()
    retested(tmp_path, 4)
    return next(each for each in sync(tmp_path).findings if each.about == "recover")


def test_three_passes_in_a_row_close_it(tmp_path: Path) -> None:
    finding = after_three(tmp_path)
    assert finding.closed is not None
    assert (finding.closed.date, len(finding.closed.by)) == (date(2026, 11, 5), 3)
    assert [each.result for each in finding.retests] == ["pass"] * 3


def test_two_do_not(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    retested(tmp_path, 1)
    retested(tmp_path, 2)
    assert only(sync(tmp_path)).is_open


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "failed": (lambda runs: retested(runs, 3, which=FAILED), "fail"),
    "thrown away": (lambda runs: shutil.rmtree(runs / retested(runs, 3, which=FAILED)), "no-card"),
    "a pass thrown away": (lambda runs: shutil.rmtree(runs / retested(runs, 3)), "no-card"),
    "cannot tell": (lambda runs: retested(runs, 3, which="unknown"), "unknown"),
}


@pytest.mark.parametrize(("between", "result"), BREAKS.values(), ids=list(BREAKS))
def test_what_breaks_the_row(tmp_path: Path, between: Callable[[Path], object], result: str) -> None:
    finding = after_three(tmp_path, lambda: between(tmp_path))
    assert finding.is_open
    assert [each.result for each in finding.retests] == ["pass", "pass", result, "pass"]


def test_a_run_that_somebody_ended_breaks_the_row(tmp_path: Path) -> None:
    def cut() -> None:
        retested(tmp_path, 3, which="invalid-unwitnessed")
        register = tmp_path / "register.jsonl"
        lines = register.read_text().splitlines(keepends=True)
        register.write_text("".join(lines[:-1]) + lines[-1].replace('"judged"', '"interrupted"'))

    finding = after_three(tmp_path, cut)
    assert finding.is_open
    assert [each.result for each in finding.retests] == ["pass", "pass", "cut-short", "pass"]


NEUTRAL: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "could not judge": (lambda runs: retested(runs, 3, which="invalid-unwitnessed"), "cannot-judge"),
    "a chosen seed": (lambda runs: keep(runs, 3, limit=4, purpose=RETEST), None),
    "no retest": (lambda runs: keep(runs, 3, limit=4, drawn=True), None),
    "another arm": (lambda runs: retested(runs, 3, arm="no-fault"), None),
    "another target": (lambda runs: retested(runs, 3, target="compose"), None),
    "a person": (lambda runs: retested(runs, 3, operator=HUMAN), None),
    "another pace": (lambda runs: retested(runs, 3, operator={**ROBOT, "pace": "person"}), None),
    "another drill": (lambda runs: retested(runs, 3, drill="other"), None),
    "a quicker robot": (lambda runs: retested(runs, 3, operator={**ROBOT, "reaction_s": 0.1}), "reaction-quicker"),
}


@pytest.mark.parametrize(("other", "result"), NEUTRAL.values(), ids=list(NEUTRAL))
def test_what_neither_counts_nor_breaks_the_row(
    tmp_path: Path, other: Callable[[Path], object], result: str | None
) -> None:
    keep(tmp_path, 0, which=FAILED, operator=ROBOT)
    retested(tmp_path, 1)
    retested(tmp_path, 2)
    other(tmp_path)
    finding = next(each for each in sync(tmp_path).findings if each.about == "recover" and each.kind == "objective")
    assert finding.is_open
    assert [each.result for each in finding.retests] == ["pass", "pass", *([] if result is None else [result])]
    retested(tmp_path, 4)
    assert not next(each for each in sync(tmp_path).findings if each.id == finding.id).is_open


def test_passes_under_looser_limits_show_nothing(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    for day in range(1, 4):
        keep(tmp_path, day, drawn=True, purpose=RETEST, limit=99)
    found = {finding.kind: finding for finding in sync(tmp_path).findings}
    assert found["objective"].is_open
    assert {each.result for each in found["objective"].retests} == {"limits-looser"}
    assert found["limit"].about == "recover"


def test_a_recurrence_opens_it_again_and_its_due_date_goes(tmp_path: Path) -> None:
    closed = msgspec.structs.replace(after_three(tmp_path), owner="sato", due=date(2026, 11, 4))
    assert not closed.is_open
    again = keep(tmp_path, 5, which=FAILED)
    found = sync(tmp_path, [closed])
    finding = only(found)
    assert found.reopened == [closed.id]
    assert (finding.is_open, finding.owner, finding.due) == (True, "sato", None)
    assert [seen.run for seen in finding.recurrences] == [again]
    retested(tmp_path, 6)
    assert only(sync(tmp_path, [finding])).is_open  # what was shown before does not count
    assert sync(tmp_path, [finding]).findings[0].retests[-1].result == "pass"


def test_a_failure_known_only_later_opens_what_was_closed_before_it(tmp_path: Path) -> None:
    keep(tmp_path, 0, which=FAILED)
    for day in range(1, 4):
        retested(tmp_path, day)
    closed = only(sync(tmp_path))
    assert closed.closed is not None
    keep(tmp_path, 2.5, which=FAILED)
    assert only(sync(tmp_path, [closed])).is_open


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["pass", "fail", "no-card", "cannot-judge", "unknown", "limits-looser"]), max_size=12))
def test_a_row_ends_with_passes_alone(results: list[str]) -> None:
    found = [Attempt(run=f"d/{n}-", date=date(2026, 1, 1), seed=n, result=each) for n, each in enumerate(results)]
    counting = [each for each in results if each not in ("cannot-judge", "limits-looser")]
    trailing = len(counting) - next((n for n in range(len(counting), 0, -1) if counting[n - 1] != "pass"), 0)
    assert len(passes_in_a_row(found)) == trailing


# -- how it stands --------------------------------------------------------------------------------------------------


def made(**changed: Any) -> Finding:
    seen = {"run": "link-down/20261101T100000.000Z-runbook-7", "date": "2026-11-01", "evidence": "e"}
    whole: dict[str, Any] = {
        "id": "F-00000001", "drill": "link-down", "arm": "runbook", "target": "local", "operator": "robot",
        "pace": "robot", "kind": "objective", "about": "recover", "severity": "medium", "first_seen": seen,
        "last_seen": seen, "times": 1,
    }  # fmt: skip
    whole |= {name: value for name, value in changed.items() if isinstance(value, str | int)}
    plain = msgspec.convert(whole, Finding, dec_hook=_read)
    others = {name: value for name, value in changed.items() if not isinstance(value, str | int)}
    return msgspec.structs.replace(plain, **others)


def _read(kind: Any, value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) and value[:3] == "202" else value


RISK = Acceptance(reason="r", until=date(2026, 12, 1), approver="suzuki", since=date(2026, 11, 2))
OWNED = {"owner": "sato", "due": date(2026, 11, 20)}


@pytest.mark.parametrize(
    ("finding", "today", "state"),
    [
        (made(), date(2026, 11, 8), OPEN),
        (made(), date(2026, 11, 9), UNOWNED),
        (made(owner="sato"), date(2026, 11, 9), UNOWNED),
        (made(**OWNED), date(2026, 11, 20), OPEN),
        (made(**OWNED), date(2026, 11, 21), OVERDUE),
        (made(accepted=RISK, **OWNED), date(2026, 12, 1), ACCEPTED),
        (made(accepted=RISK, **OWNED), date(2026, 12, 2), LAPSED),
    ],
)
def test_states(finding: Finding, today: date, state: str) -> None:
    found = standing(finding, today, WEEK)
    assert (found.state, found.late) == (state, state in (UNOWNED, OVERDUE, LAPSED))


def test_what_is_late_comes_first_then_the_most_severe() -> None:
    findings = [
        made(id="F-00000001", **OWNED),
        made(id="F-00000002", severity="critical", owner="sato", due=date(2026, 12, 31)),
        made(id="F-00000003", owner="sato", due=date(2026, 11, 1)),
    ]
    found = by_urgency(findings, date(2026, 11, 10), WEEK)
    assert [one.finding.id for one in found] == ["F-00000003", "F-00000002", "F-00000001"]
    assert CLOSED not in [one.state for one in found]


# -- the file -------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "findings.yaml"
    finding = msgspec.structs.replace(after_three(tmp_path / "runs"), **OWNED, accepted=RISK)
    assert Store.read(file).write([finding])
    assert load_findings(file) == (finding,)
    assert not Store.read(file).write([finding])
    text = file.read_text()
    assert text.startswith(HEADER)
    assert "  due: 2026-11-20\n" in text


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_comes_back(text: str) -> None:
    shown = visible_line(text).strip()
    if not shown:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "findings.yaml"
        file.write_bytes(rendered([made(note=shown, owner=shown)]))
        (found,) = load_findings(file)
        assert (found.note, found.owner) == (shown, shown)


ODD = [
    *shlex.split("true null ~ 0123 1:30 2026-11-22 1e5 +5 = '<<' 5. .5 '*a' '&a' !t 訓練 - '- a' 'a: b' 'a #b'"),
    "#x",
]


@pytest.mark.parametrize("text", ODD)
def test_words_that_yaml_takes_for_something_else_come_back(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.yaml").write_bytes(rendered([made(note=text)]))
    assert load_findings(tmp_path / "f.yaml")[0].note == text


def test_the_first_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"# ours\n\n" + rendered([made()], ""))
    store = Store.read(file)
    store.write([made(owner="sato")])
    assert file.read_text().startswith("# ours\n\nschema: kunren.findings/1\n")


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    Store.read(file).write([made()])
    mine, theirs = Store.read(file), Store.read(file)
    theirs.write([made(owner="suzuki")])
    with pytest.raises(Refused, match="was changed by somebody else meanwhile"):
        mine.write([made(owner="sato")])
    assert load_findings(file)[0].owner == "suzuki"


def test_a_file_larger_than_any_drill_is_read(tmp_path: Path) -> None:
    many = [made(id=f"F-{n:08x}", note="word " * 8000) for n in range(10)]
    (tmp_path / "f.yaml").write_bytes(rendered(many))
    assert len(load_findings(tmp_path / "f.yaml")) == 10


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("kunren.findings/1", "kunren.findings/9", "unknown schema 'kunren.findings/9'"),
        ("owner: sato", "ownr: sato", "unknown key 'ownr', did you mean 'owner'?"),
        ("due: 2026-11-20", "due: soon", "expected a date such as 2026-12-01, from 2000 to 2099"),
        ("due: 2026-11-20", "due: 2026-13-40", "expected a date such as 2026-12-01, from 2000 to 2099"),
        ("severity: medium", "severity: bad", "unknown severity 'bad'; known: critical, high, medium"),
        ("id: F-00000001", "id: 17", "expected the id of a finding, such as F-3f9c21aa"),
        ("times: 1", "times: often", "expected a whole number"),
        ("owner: sato", "owner:", "expected text"),
        (
            "owner: sato",
            "owner: sato\n  closed: {date: 2026-11-20, by: [a, a, a]}",
            "closed by three passes in a row",
        ),
        (
            "owner: sato",
            "owner: sato\n  accepted: {reason: r, until: 2026-12-01, approver: ' SATO', since: 2026-11-01}",
            "the approver must be somebody else than the owner",
        ),
        ("owner: sato", "owner: sato\n  limits: [{id: recover}]", "say either at_most or at_least"),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    file = tmp_path / "f.yaml"
    text = rendered([made(**OWNED)], "").decode()
    assert text.count(old) == 1
    text = text.replace(old, new)
    file.write_text(text)
    line = text[: text.index(new) + len(new)].count("\n") + 1
    with pytest.raises(BadInput) as refused:
        load_findings(file)
    assert str(refused.value).startswith(f"{file}:{line}: "), refused.value
    assert says in str(refused.value)


def test_an_id_that_stands_twice(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(rendered([made(), made()]))
    with pytest.raises(BadInput, match="F-00000001 stands twice"):
        load_findings(tmp_path / "f.yaml")
