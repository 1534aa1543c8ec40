"""All runbooks that an operator has, and what of them refuses to start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.record.arm import Arm
from drills.spec.drill import catalogue, load_drill
from drills.spec.library import library
from drills.spec.planning import runbook_of

SLUG = "exchange-link-down"
FIRST_STEP = "steps:\n  - id: confirm"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(catalogue()[SLUG].parent, tmp_path / "d")
    (tmp_path / "d" / "runbooks").mkdir()
    return tmp_path / "d"


def known(folder: Path, arm: str = "runbook") -> dict[str, str]:
    """Id -> SHA-256."""
    drill = load_drill(folder)
    followed = runbook_of(drill, Arm.parse(arm))
    assert followed is not None
    return {name: each.sha256 for name, each in library(drill, followed).items()}


def another(folder: Path, **changed: str) -> str:
    text = (folder / "runbook.yaml").read_text(encoding="utf-8")
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_catalogues_runbooks_are_there_and_the_run_s_own_stands_for_the_drill_s(folder: Path) -> None:
    right, wrong = known(folder), known(folder, "wrong:restart-gateway-only")
    assert set(right) == {
        "exchange-link-down",
        "night-batch-lock",
        "log-volume-exhaustion",
        "edge-cert-expiry",
        "campaign-spike",
        "counter-overflow",
        "first-look",
    }
    assert {name for name in right if right[name] != wrong[name]} == {SLUG}


def test_those_beside_the_drill_come_first(folder: Path) -> None:
    before = known(folder)
    (folder / "runbooks" / "mine.yaml").write_text(
        another(folder, **{f"runbook: {SLUG}": "runbook: first-look"}), encoding="utf-8"
    )
    after = known(folder)
    assert {name for name in after if after[name] != before[name]} == {"first-look"}


def test_two_of_one_id_are_refused(folder: Path) -> None:
    for name in ("one", "two"):
        text = another(folder, **{f"runbook: {SLUG}": "runbook: mine"})
        (folder / "runbooks" / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"two\.yaml:1: runbook 'mine' is there twice, also in .*one\.yaml"):
        known(folder)


@pytest.mark.parametrize(("opens", "says"), [
    ("nowhere", r"runbook\.yaml:\d+: open: unknown runbook 'nowhere'"),
    ("first-look", r"\.yaml:\d+: open: .*first-look.* leads back to where it began"),
])  # fmt: skip
def test_a_runbook_opens_what_is_there_and_does_not_lead_back(folder: Path, opens: str, says: str) -> None:
    text = another(folder, **{"expect: {link: A}": f"expect: {{link: A}}\n    open: {opens}"})
    (folder / "runbook.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        known(folder)
