"""What a monitoring system is told of the last runs: what is not known has no sample."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reports.openmetrics import openmetrics_bytes

from .cards import failed, invalid, passed

LABELS = {"drill": "exchange-link-down", "arm": "runbook", "target": "local", "operator": "robot", "pace": "robot"}


def samples(*cards: object) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = openmetrics_bytes(cards).decode()
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(one.name, frozenset(one.labels.items())): one.value for one in found}


def of(name: str, **more: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"kunren_drill_{name}", frozenset({**LABELS, **more}.items())


def test_verdict_limits_and_measures_of_a_run() -> None:
    found = samples(passed())
    assert found[of("judged")] == found[of("passed")] == 1
    assert found[of("objective_met", objective="recover")] == 1
    assert found[of("span_seconds", metric="detect")] > 0
    assert found[of("amount", metric="acknowledged_orders_lost")] == 0


def test_what_did_not_happen_has_no_sample() -> None:
    found = samples(failed())
    arm = failed()["arm"]
    assert found[of("passed", arm=arm)] == 0
    assert found[of("objective_met", arm=arm, objective="recover")] == 0
    never = {"id": "recover", "unit": "s", "values": [{"window": "all", "of": None, "value": None}]}
    assert not [name for name, _ in samples(failed() | {"metrics": [never]}) if name.endswith("span_seconds")]


def test_a_run_that_could_not_judge_says_that_alone() -> None:
    names = {name: value for (name, _), value in samples(invalid()).items()}
    assert names.keys() == {"kunren_drill_judged", "kunren_drill_started_timestamp_seconds"}
    assert names["kunren_drill_judged"] == 0


def test_the_last_run_of_its_kind_counts() -> None:
    later = passed() | {"started": "2026-11-23T10:00:00Z", "verdict": "fail"}
    assert samples(later, passed())[of("passed")] == samples(passed(), later)[of("passed")] == 0


def test_hostile_labels_stay_labels() -> None:
    hostile = passed() | {"target": 'a"b\\c\nd'}
    assert samples(hostile)[of("judged", target='a"b\\c\nd')] == 1


@pytest.mark.real
def test_promtool_takes_it() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        lacks = "no promtool on PATH; it is in Debian's package prometheus"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)
    text = openmetrics_bytes([passed(), failed(), invalid()])
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
