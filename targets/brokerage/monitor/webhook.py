"""Alerts as Alertmanager's webhook (version 4) words them, so that a real Alertmanager can take the monitor's place.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Alerts are grouped by ``alertname``; a
message holds what of its group has just changed and whatever else of it fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from targets.brokerage.monitor.evaluate import Alert, Change, Labels

RECEIVER = "pager"
NEVER = "0001-01-01T00:00:00Z"
"""``endsAt`` of an alert that still fires."""

_FNV_OFFSET, _FNV_PRIME, _SEPARATOR = 0xCBF29CE484222325, 0x100000001B3, b"\xff"


def messages(changes: Iterable[Change], firing: Iterable[Alert], wall_offset_ns: int, url: str) -> list[dict[str, Any]]:
    """One message per alert name that changed, in order of first change.

    ``firing`` are all alerts firing after the change; ``wall_offset_ns`` turns monotonic stamps into wall time; ``url``
    is where the monitor itself can be asked.
    """
    resolved: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        rows = resolved.setdefault(change.alert.rule.alert, [])
        if change.status == "resolved":
            rows.append(_alert(change.alert, change.t_ns, wall_offset_ns, url))
    still = list(firing)
    return [
        _message(name, [_alert(a, None, wall_offset_ns, url) for a in still if a.rule.alert == name] + gone, url)
        for name, gone in resolved.items()
    ]


def fingerprint(labels: Labels) -> str:
    """Prometheus's label-set fingerprint: 64-bit FNV-1a over sorted names and values, as 16 hex digits."""
    data = b"".join(name.encode() + _SEPARATOR + value.encode() + _SEPARATOR for name, value in sorted(labels))
    return f"{reduce(lambda h, byte: (h ^ byte) * _FNV_PRIME % 2**64, data, _FNV_OFFSET):016x}"


def single(labels: Mapping[str, str], annotations: Mapping[str, str], wall_ns: int) -> dict[str, Any]:
    """A message with one alert that has just begun to fire, whoever made it up."""
    alert = {
        "status": "firing",
        "labels": dict(labels),
        "annotations": dict(annotations),
        "startsAt": _wall(wall_ns),
        "endsAt": NEVER,
        "generatorURL": "",
        "fingerprint": fingerprint(tuple(sorted(labels.items()))),
    }
    return _message(labels["alertname"], [alert], "")


def _message(name: str, alerts: list[dict[str, Any]], url: str) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "receiver": RECEIVER,
        "groupLabels": {"alertname": name},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": url,
        "alerts": alerts,
    }


def _alert(alert: Alert, ended_ns: int | None, wall_offset_ns: int, url: str) -> dict[str, Any]:
    fired_ns = alert.active_ns if alert.fired_ns is None else alert.fired_ns
    return {
        "status": "firing" if ended_ns is None else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": _wall(fired_ns + wall_offset_ns),
        "endsAt": NEVER if ended_ns is None else _wall(ended_ns + wall_offset_ns),
        "generatorURL": f"{url}/api/v1/alerts",
        "fingerprint": fingerprint(alert.labels),
    }


def _common(sets: list[dict[str, str]]) -> dict[str, str]:
    shared: set[tuple[str, str]] = set.intersection(*(set(each.items()) for each in sets))
    return dict(sorted(shared))


def _wall(ns: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def active(alerts: Iterable[Alert], wall_offset_ns: int) -> list[dict[str, Any]]:
    """The active alerts as Prometheus's ``/api/v1/alerts`` lists them."""
    return [
        {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "state": "pending" if alert.fired_ns is None else "firing",
            "activeAt": _wall(alert.active_ns + wall_offset_ns),
            "value": repr(alert.value),
        }
        for alert in alerts
    ]
