"""The linter: what loading alone cannot see, because it lies between files or is a matter of good pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from drills.spec.files import CATALOGUE
from drills.spec.lint import Finding, lint

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOGUE / "exchange-link-down", tmp_path / "exchange-link-down"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    def change(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def found(folder: Path) -> list[str]:
    return [str(finding).replace(f"{folder}/", "") for finding in lint([folder]) if not finding.note]


def at(folder: Path, name: str, text: str) -> str:
    """``name:line`` of the line that holds the text, as the file now is."""
    lines = (folder / name).read_text().splitlines()
    (line,) = (number for number, line in enumerate(lines, 1) if text in line)
    return f"{name}:{line}"


def test_the_catalogue_is_clean() -> None:
    assert [finding for finding in lint() if not finding.note] == []


def test_every_page_may_not_hold_for_every_phase(folder: Path, edit: Edit) -> None:
    edit("drill.yaml", "phase: D3", "phase: D0")
    place = at(folder, "drill.yaml", "phase: D0")
    assert found(folder) == [f"{place}: the runbook holds for D2, D3, D5, not for phase D0"]


def test_the_alerts_must_lead_to_the_page(folder: Path, edit: Edit) -> None:
    edit("drill.yaml", "alerts: [LinkSilent, ExchangeUnanswered, OrdersBurn]", "alerts: [InquiryBurn]")
    place = at(folder, "drill.yaml", "InquiryBurn")
    known = "LinkSilent, ExchangeUnanswered"
    assert found(folder) == [f"{place}: none of these leads to the runbook, which is for {known}"]


def test_a_main_drill_declares_its_four_arms(folder: Path, edit: Edit) -> None:
    edit("drill.yaml", "  false-alarm: pass\n", "")
    place = at(folder, "drill.yaml", "no-fault: pass")
    assert found(folder) == [f"{place}: arms: nothing is said of false-alarm; without them the drill cannot be trusted"]
    (folder / "drill.yaml").rename(folder / "drill.other.yaml")
    assert found(folder) == []


def test_arms_name_steps_and_variants_that_exist(folder: Path, edit: Edit) -> None:
    edit("drill.yaml", "  runbook: pass\n", "  runbook: pass\n  without:drian: fail\n  wrong:early: fail\n")
    drian, early = found(folder)
    places = [at(folder, "drill.yaml", "without:drian"), at(folder, "drill.yaml", "wrong:early")]
    assert drian.startswith(f"{places[0]}: arms: unknown step 'drian', did you mean 'drain'? known: confirm, ")
    assert early.startswith(f"{places[1]}: arms: unknown variant 'early'; known: reopen-before-reconcile, ")


def test_a_wrong_page_is_caught_by_what_the_drill_judges(folder: Path, edit: Edit) -> None:
    edit("wrong.yaml", "[recover]", "[recover, restore]")
    edit("drill.yaml", "no-action: {verdict: fail, grade: unable}", "no-action: {verdict: fail, by: [available]}")
    arm = at(folder, "drill.yaml", "available")
    page = at(folder, "wrong.yaml", "restore]")
    assert found(folder) == [
        f"{arm}: arms.no-action: 'available' is neither a check nor an objective of drill exchange-link-down",
        f"{page}: expect: 'restore' is neither a check nor an objective of drill exchange-link-down",
    ]


def test_a_whole_wrong_runbook_stands_in_for_the_right_one(folder: Path, edit: Edit) -> None:
    begin = (folder / "wrong.yaml").read_text().index("  edits:")
    end = (folder / "wrong.yaml").read_text().index("resend-unknowns-blindly:")
    text = (folder / "wrong.yaml").read_text()
    (folder / "wrong.yaml").write_text(text[:begin] + "  runbook: wrong-early.yaml\n" + text[end:])
    right = (folder / "runbook.yaml").read_text()
    (folder / "wrong-early.yaml").write_text(right)
    assert found(folder) == []
    (folder / "wrong-early.yaml").write_text(right.replace("runbook: exchange-link-down", "runbook: open-it"))
    assert found(folder) == [
        "wrong.yaml:2: wrong-early.yaml is 'open-it', but it stands in for 'exchange-link-down' behind the alert"
    ]


def test_what_a_wrong_order_takes_out_is_a_note(folder: Path) -> None:
    notes = [str(finding).replace(f"{folder}/", "") for finding in lint([folder]) if finding.note]
    place = at(folder, "wrong.yaml", "switch-without-gap-fill:")
    assert notes == [f"{place}: note: switch-without-gap-fill: step 'open-orders' no longer demands verify"]


def test_reopening_needs_a_step_that_verifies(folder: Path, edit: Edit) -> None:
    edit("runbook.yaml", "needs: [verify, show-balances]", "needs: [show-balances]")
    assert found(folder) == [], "show-balances needs verify"
    edit("runbook.yaml", "needs: [verify]", "needs: [close-orders]")
    known = "batch verify or cert check or cert verify or gateway drain or mail show or numbers duplicates "
    known += "or reconcile or withdrawals inquire"
    says = f"re-opens but needs no step that verifies ({known})"
    assert found(folder) == [
        f"{at(folder, 'runbook.yaml', 'use: show-balances')}: step 'show-balances' {says}",
        f"{at(folder, 'runbook.yaml', 'use: open-orders')}: step 'open-orders' {says}",
    ]


def test_a_step_that_runs_says_what_is_expected(folder: Path, edit: Edit) -> None:
    edit("runbook.yaml", "    expect: {answers: true}\n", "")
    edit("wrong.yaml", "        expect: {run: brokerctl gateway status, reply: {resyncing: false}}\n", "")
    says = "runs a command but says nothing of the expected result"
    assert found(folder) == [
        f"{at(folder, 'runbook.yaml', 'id: verify-link-b')}: step 'verify-link-b' {says}",
        f"{at(folder, 'wrong.yaml', 'id: await-gap-fill')}: step 'await-gap-fill' {says}",
    ]


def test_the_first_step_can_tell_a_false_alarm(folder: Path, edit: Edit) -> None:
    edit("runbook.yaml", "    before: {run: brokerctl gateway status, reply: {session: {not: active}}}\n", "")
    place = at(folder, "runbook.yaml", "id: confirm")
    assert found(folder) == [f"{place}: the first step has no 'before': nothing would end the runbook on a false alarm"]


def test_a_page_forbids_something(folder: Path) -> None:
    text = (folder / "runbook.yaml").read_text()
    begin, end = text.index("prohibited:"), text.index("escalation:")
    (folder / "runbook.yaml").write_text(text[:begin] + text[end:])
    assert found(folder) == ["runbook.yaml:1: 'prohibited' lists nothing; say what must not be done"]


def test_the_role_may_give_the_command(folder: Path) -> None:
    shared = (CATALOGUE / "steps.yaml").read_text()
    (folder / "steps.yaml").write_text(shared.replace("service open orders", "service open orders --force"))
    place = at(folder, "runbook.yaml", "use: open-orders")
    assert found(folder) == [f"{place}: step 'open-orders': role operator may not use --force; it takes duty-manager"]


def test_one_broken_file_is_one_finding(folder: Path, edit: Edit) -> None:
    edit("runbook.yaml", "within: 3s", "within: 3  # no unit")
    (finding,) = found(folder)
    assert finding.startswith(
        f"{at(folder, 'runbook.yaml', '# no unit')}: steps[0].within: found the number 3, expected"
    )


def test_files_that_are_neither(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("a: 1\n")
    assert lint([tmp_path / "notes.yaml", tmp_path / "absent.yaml"]) == [
        Finding(str(tmp_path / "absent.yaml"), 1, "no such file"),
        Finding(
            str(tmp_path / "notes.yaml"),
            1,
            "no drill, runbook, target or schedule: no key of that name",
        ),
    ]
    (tmp_path / "empty").mkdir()
    assert lint([tmp_path / "empty"]) == [Finding(str(tmp_path / "empty"), 1, "no drill or runbook in this folder")]
