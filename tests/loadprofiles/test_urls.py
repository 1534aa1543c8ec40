"""A load by URL: no log-in, no world, the expected status is good and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from load_fake import Asked, FakeBrokerage, Says
from load_rig import run

from drills.domains.customers.rows import Reply, Request
from loadprofiles import Url, by_url
from loadprofiles.profiles import LEAST_VISITORS, MOST_VISITORS
from loadprofiles.samples import OutcomeCode

PAGES, MOVED = Url("GET", "/pages?n=1", 200), Url("POST", "/moved", 302)


def answers(asked: Asked) -> Says:
    return Says(200, {}) if asked.path == PAGES.path else Says(404, {})


def test_the_status_decides_and_nobody_logs_in(tmp_path: Path) -> None:
    profile = by_url("reading", {"pages": 60.0, "moved": 30.0}, {"pages": PAGES, "moved": MOVED})
    world = tmp_path / "world.jsonl"
    world.write_text("")
    with FakeBrokerage(script=answers) as fake:
        ran = run(tmp_path / "work", fake, profile, world=world)
    assert {(each.method, each.path) for each in fake.asked} == {("GET", "/pages?n=1"), ("POST", "/moved")}
    assert not any("authorization" in each.headers for each in fake.asked)
    assert set(ran.outcomes(0)) == {OutcomeCode.OK}
    assert set(ran.outcomes(1)) == {OutcomeCode.ERROR}
    assert len(ran.samples) == len(ran.of(Request)) == len(ran.of(Reply)) == ran.summary["intended"]
    assert {row.action for row in ran.of(Request)} == {"fetch"}
    assert {row.status for row in ran.of(Reply)} == {200, 404}
    assert (ran.summary["unrated"], ran.summary["abandoned"]) == (0, 0)


def test_visitors_outnumber_those_who_may_be_waiting() -> None:
    assert by_url("x", {"pages": 1.0}, {"pages": PAGES}).customers == LEAST_VISITORS
    assert by_url("x", {"pages": 30.0}, {"pages": PAGES}).customers == 480
    assert by_url("x", {"a": 1000.0, "b": 500.0}, {"a": PAGES, "b": PAGES}).customers == MOST_VISITORS
    with pytest.raises(ValueError, match="unknown service 'orders'; known: pages"):
        by_url("x", {"orders": 1.0}, {"pages": PAGES})
