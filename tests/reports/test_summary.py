from __future__ import annotations

import json

import msgspec

from drills.scorecard import Scorecard
from drills.store import card_bytes
from reports.summary import summary

from .cards import failed, invalid, passed


def test_cards_stand_as_they_are_and_the_numbers_beside_them() -> None:
    record = msgspec.convert(passed(), Scorecard)
    document = json.loads(card_bytes(summary([record, failed()])))
    assert document["schema"] == "kunren.summary/1"
    assert document["cards"][0] == json.loads(card_bytes(record))
    assert document["five_numbers"] == {
        "objectives": {"met": 8, "of": 10},
        "harm": {"lost": 0, "duplicated": 9, "phantom": 0, "wrong_figures_acted_on": 12, "exposed": 1606},
        "detection": {"by_alert": 2, "of": 2, "worst_s": 0.9, "false_pages_per_hour": None},
        "runbook_effect": None,
        "drills": {"run": 1, "of": None},
    }


def test_what_one_card_does_not_know_the_sum_does_not_know() -> None:
    numbers = summary([passed(), invalid()])["five_numbers"]
    assert numbers["harm"] == dict.fromkeys(("lost", "duplicated", "phantom", "wrong_figures_acted_on", "exposed"))
    assert numbers["objectives"] == {"met": 5, "of": 10}
    assert numbers["detection"]["by_alert"] == 1
    assert numbers["detection"]["of"] == 2


def test_alerts_in_control_runs_are_false_pages() -> None:
    control = passed() | {"arm": "no-fault", "cost": {"wall_s": 41.0, "mandatory_s": 36.0}}
    numbers = summary([control, control | {"alerts": []}])["five_numbers"]
    assert numbers["detection"] == {"by_alert": 0, "of": 0, "worst_s": None, "false_pages_per_hour": 50.0}
