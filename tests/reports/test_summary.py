from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import msgspec

from drills.judge.scorecard import Scorecard
from drills.record.folder import card_bytes
from reports.card import as_card
from reports.junit import junit_bytes
from reports.summary import summary
from reports.terminal import render_card

from .cards import RUN, failed, invalid, passed


def test_cards_stand_as_they_are_and_the_numbers_beside_them() -> None:
    record = msgspec.convert(passed(), Scorecard)
    document = json.loads(card_bytes(summary([record, failed()])))
    assert document["schema"] == "kunren.summary/1"
    assert document["cards"][0] == json.loads(card_bytes(record))
    assert document["five_numbers"] == {
        "objectives": {"met": 8, "of": 10},
        "harm": {
            "lost": 0,
            "duplicated": 9,
            "phantom": 0,
            "wrong_figures_acted_on": 12,
            "others": {"wrong_figures_shown": 6},
            "exposed": 1606,
        },
        "detection": {"by_alert": 2, "of": 2, "worst_s": 0.9, "false_pages_per_hour": None},
        "runbook_effect": None,
        "drills": {"run": 1, "of": None},
    }


def test_what_one_card_does_not_know_the_sum_does_not_know() -> None:
    numbers = summary([passed(), invalid()])["five_numbers"]
    unknown = dict.fromkeys(("lost", "duplicated", "phantom", "wrong_figures_acted_on", "exposed"))
    assert {name: count for name, count in numbers["harm"].items() if name != "others"} == unknown
    assert numbers["objectives"] == {"met": 5, "of": 10}
    assert numbers["detection"]["by_alert"] == 1
    assert numbers["detection"]["of"] == 2


def test_harm_that_only_some_drills_know_is_summed_over_those() -> None:
    slower = passed() | {"metrics": [metric("shared_numbers", 41), metric("late_notices", 0)]}
    others = summary([passed(), slower, slower])["five_numbers"]["harm"]["others"]
    assert others["shared_numbers"] == 82
    assert "unlogged_orders" not in others


def metric(name: str, value: int) -> dict[str, Any]:
    return {"id": name, "unit": "count", "values": [{"window": "all", "of": None, "value": value}]}


def test_alerts_in_control_runs_are_false_pages() -> None:
    control = passed() | {"arm": "no-fault", "cost": {"wall_s": 41.0, "mandatory_s": 36.0}}
    numbers = summary([control, control | {"alerts": []}])["five_numbers"]
    assert numbers["detection"] == {"by_alert": 0, "of": 0, "worst_s": None, "false_pages_per_hour": 50.0}


def made_once_more() -> tuple[dict[str, Any], dict[str, Any]]:
    """An attempt that could not judge, and the one that counts."""
    first, second = invalid(), passed() | {"attempts": 2, "run": "exchange-link-down/later-runbook-7"}
    second["earlier"] = [
        {
            "run": first["run"],
            "evidence": "3f9c",
            "verdict": "invalid",
            "causes": [{"check": "load-on-time", "counts": [], "reasons": [{"id": "send lateness"}]}],
        }
    ]
    return first, second


def test_an_attempt_that_was_made_once_more_is_shown_and_counts_in_nothing() -> None:
    first, second = made_once_more()
    document = summary([first, second])
    assert [as_card(card).run for card in document["cards"]] == [first["run"], second["run"]]
    assert document["five_numbers"] == summary([second])["five_numbers"]
    assert summary([first])["five_numbers"]["objectives"] == {"met": 0, "of": 5}


def test_in_junit_it_is_skipped_and_names_the_run_that_counts() -> None:
    first, second = made_once_more()
    root = ET.fromstring(junit_bytes([first, second]))
    suite, counted = root.findall("testsuite")
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert suite.get("skipped") == suite.get("tests") == str(len(suite.findall("testcase")))
    assert {case.get("message") for case in suite.iter("skipped")} == {f"invalid, made once more: {second['run']}"}
    assert any("send lateness p99 81 ms" in (out.text or "") for out in suite.iter("system-out"))
    assert counted.get("skipped") == "0"
    assert ET.fromstring(junit_bytes([first])).get("errors") != "0"


def test_the_card_of_the_second_attempt_tells_of_the_first() -> None:
    _, second = made_once_more()
    text = render_card(second, None, RUN, width=200).plain
    assert f"before this: invalid, send lateness ({invalid()['run']})" in text
