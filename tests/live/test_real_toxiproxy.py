"""A drill on the embedded target with every link through the real Toxiproxy: judged as through the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targets.proxy_engine import RELEASE

from ..faults.proxy.original import program_or_skip
from .test_exchange_link_down import run

pytestmark = pytest.mark.long


@pytest.fixture
def _real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUNREN_TOXIPROXY", str(program_or_skip()))


@pytest.mark.usefixtures("_real")
def test_the_right_runbook_recovers(tmp_path: Path) -> None:
    _, code, card, shown = run(tmp_path, "--proxy", "toxiproxy")
    assert (code, card["verdict"], card["grade"]) == (0, "pass", "performed"), shown
    assert card["heal"] == {"injected": 1, "undone": 1, "verified_removed": 1}
    assert card["engines"]["proxy"] == f"toxiproxy {RELEASE}"
    assert f"proxy toxiproxy {RELEASE}" in shown
    events = (tmp_path / "runs" / card["run"] / "events.jsonl").read_text().splitlines()
    assert [each["kind"] for each in map(json.loads, events) if each["what"] == "verify_effect"] == ["ok"]
