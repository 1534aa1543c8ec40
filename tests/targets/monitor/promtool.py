"""Prometheus's own tool as the judge: the embedded monitor's alerts become the expectations of its unit tests."""

from __future__ import annotations

import json
import math
import re
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .embedded import Firing
from .series import STEP_NS, Series, Value

TIMEOUT_S = 60
STEP_MS = STEP_NS // 1_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """Series and what is expected to fire after each evaluation."""

    name: str
    series: Sequence[Series]
    firing: Sequence[Sequence[Firing]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What promtool answered."""

    agrees: bool
    said: str


class Promtool:
    """The program, and a folder for the files it reads."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def config(self, path: Path) -> Verdict:
        """Whether a Prometheus would start with this configuration and the rule files it names."""
        return self._run("check", "config", str(path))

    def rules(self, *paths: Path) -> Verdict:
        """Whether a Prometheus would load these rule files."""
        return self._run("check", "rules", *map(str, paths))

    def test(self, rules: Sequence[Path], names: Sequence[str], cases: Sequence[Case]) -> Verdict:
        """Whether Prometheus's evaluator agrees: of each alert name, exactly the expected alerts at each evaluation."""
        path = self._folder / f"{uuid.uuid4()}.yml"
        content = {
            "rule_files": [*map(str, rules)],
            "evaluation_interval": f"{STEP_MS}ms",
            "tests": [_group(case, names) for case in cases],
        }
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")  # YAML takes JSON
        return self._run("test", "rules", str(path))

    def written(self, text: str) -> Path:
        """A rule file with this text."""
        path = self._folder / f"{uuid.uuid4()}.rules.yml"
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def _run(self, *words: str) -> Verdict:
        done = subprocess.run([self._program, *words], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode in (0, 1), done.stderr
        return Verdict(done.returncode == 0, done.stdout + done.stderr)


def count(verdict: Verdict) -> int:
    """How many rules ``check rules`` found in all its files."""
    found = re.findall(r"SUCCESS: (\d+) rules found", verdict.said)
    assert verdict.agrees, verdict.said
    assert found, verdict.said
    return sum(map(int, found))


def _group(case: Case, names: Sequence[str]) -> dict[str, object]:
    return {
        "name": case.name,
        "interval": f"{STEP_MS}ms",
        "input_series": [{"series": selector(each), "values": " ".join(notation(each.values))} for each in case.series],
        "alert_rule_test": [
            {"eval_time": f"{step * STEP_MS}ms", "alertname": name, "exp_alerts": _expected(name, alerts)}
            for step, alerts in enumerate(case.firing)
            for name in names
        ],
    }


def _expected(name: str, alerts: Sequence[Firing]) -> list[dict[str, object]]:
    return [
        {
            "exp_labels": {label: value for label, value in alert.labels.items() if label != "alertname"},
            "exp_annotations": dict(alert.annotations),
        }
        for alert in alerts
        if alert.labels["alertname"] == name
    ]


def selector(series: Series) -> str:
    """``metric{label="value"}``."""
    labels = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in series.labels.items())
    return f"{series.metric}{{{labels}}}"


def notation(values: Sequence[Value]) -> Iterator[str]:
    """promtool's notation. A scrape that lacks a series it had before marks it as stale, as Prometheus does."""
    before: Value = None
    for value in values:
        if value is None:
            yield "_" if before is None else "stale"
        else:
            yield number(value)
        before = value


def number(value: float) -> str:
    """A float as PromQL reads it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return repr(value)
