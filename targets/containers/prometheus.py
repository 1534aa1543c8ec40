"""Prometheus and Alertmanager of one stack: their configuration, and reading how far they are."""

from __future__ import annotations

import re
import time
from pathlib import Path

import yaml

from targets.brokerage.config import Address, Config
from targets.brokerage.monitor.service import watched
from targets.brokerage.topology import TOPOLOGY

RULES = "{}.rules.yml"
"""Of a component, beside the configuration."""

COUNT = re.compile(r"^prometheus_rule_group_iterations_total\{[^}]*\} (\S+)$", re.MULTILINE)
LAST = re.compile(r"^prometheus_rule_group_last_evaluation_timestamp_seconds\{[^}]*\} (\S+)$", re.MULTILINE)


def write(folder: Path, config: Config) -> None:
    """``prometheus.yml``, ``alertmanager.yml`` and the very rules that the embedded monitor reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rules in TOPOLOGY.rules.items():
        (folder / RULES.format(name)).write_bytes(rules.read_bytes())
    for name, content in (("prometheus.yml", _prometheus(config)), ("alertmanager.yml", _alertmanager(config))):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def heartbeat(metrics: str) -> tuple[int, int] | None:
    """(evaluations, CLOCK_MONOTONIC ns of the last) of the group that is furthest behind; None before the first.

    Prometheus stamps with the wall clock, which is put on the monotonic one by what the two differ now.
    """
    counts, lasts = COUNT.findall(metrics), LAST.findall(metrics)
    if not counts or not lasts:
        return None
    last_s = min(map(float, lasts))
    if last_s <= 0:
        return None
    return int(min(map(float, counts))), int(last_s * 1e9) - (time.time_ns() - time.monotonic_ns())


def _prometheus(config: Config) -> dict[str, object]:
    every, within = (f"{round(each * 1000)}ms" for each in (config.monitor.scrape_interval_s, config.monitor.timeout_s))
    alertmanager = _shown(config.at("alertmanager"))
    return {
        "global": {"scrape_interval": every, "scrape_timeout": within, "evaluation_interval": every},
        "rule_files": [RULES.format(name) for name in TOPOLOGY.rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [_shown(where)]}]}
            for job, where in watched(config).items()
        ],
    }


def _alertmanager(config: Config) -> dict[str, object]:
    pager = f"http://{_shown(config.at('pager'))}/webhook"
    return {
        "route": {
            "receiver": "pager",
            "group_by": ["..."],  # each alert by itself: one of a known group would wait for the group's next turn
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "pager", "webhook_configs": [{"url": pager, "send_resolved": True}]}],
    }


def _shown(where: Address) -> str:
    return f"{where.host}:{where.port}"
