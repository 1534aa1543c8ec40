"""Scorecards made by hand, as decoded JSON, and a history that fits their strips."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drills.record.history import (
    NS,
    OUTCOMES,
    Event,
    History,
    Kind,
    Objective,
    Plan,
    PlannedFault,
    RequestOutcome,
    RunEnd,
    RunRecord,
    Samples,
    Slo,
)

T0 = 1_000 * NS
RUN = Path("runs/exchange-link-down/20261122T100600.250Z-runbook-7")

Value = list[float] | float | None


def metric(name: str, unit: str, value: Value, **parts: Value) -> dict[str, Any]:
    values = [{"window": window, "of": None, "value": each} for window, each in {"all": value, **parts}.items()]
    return {"id": name, "unit": unit, "values": values}


def objective(
    name: str, limit: float, unit: str, measured: Value, *, window: str = "all", at_least: bool = False
) -> dict[str, Any]:
    id_ = name if window == "all" else f"{name}.{window}"
    return {
        "id": id_, "metric": name, "window": window, "of": None, "limit": limit, "unit": unit, "at_least": at_least,
        "measured": measured, "headroom": None, "because": None, "verdict": "pass",
    }  # fmt: skip


def put(card: dict[str, Any], name: str, value: Value, **parts: Value) -> None:
    """Another value of a metric, in the whole of the run and in its parts."""
    (cell,) = (each for each in card["metrics"] if each["id"] == name)
    values = {each["window"]: each["value"] for each in cell["values"]} | {"all": value, **parts}
    cell |= metric(name, cell["unit"], **{("value" if key == "all" else key): each for key, each in values.items()})


PASSED: dict[str, Any] = {
    "schema": "kunren.scorecard/2",
    "drill": "exchange-link-down",
    "variant": None,
    "title": {"en": "The link to the exchange goes silent", "ja": "取引所回線の無応答"},
    "sources": ["rkt-05"],
    "drill_sha256": "d" * 64,
    "runbook_sha256": "e" * 64,
    "arm": "runbook",
    "operator": {
        "kind": "robot",
        "name": None,
        "role": None,
        "pace": "robot",
        "reaction_s": 1.0,
        "opened": [
            {
                "runbook": "exchange-link-down",
                "alert": "LinkSilent",
                "source": None,
                "from": 14.0,
                "to": 28.0,
                "ended": "done",
            },
        ],
    },
    "seed": 7,
    "attempts": 1,
    "run": "exchange-link-down/20261122T100600.250Z-runbook-7",
    "started": "2026-11-22T10:06:00Z",
    "subject": None,
    "kunren": "0.1.0",
    "rules": 1,
    "evidence": "3f9c" * 16,
    "clock": {"compression": 60, "monitor_interval_s": 0.25},
    "governing": {
        "id": "window-full",
        "words": {
            "en": "unanswered orders a second ({load.orders}) × seconds = {left} > window {right}",
            "ja": "未回答注文(毎秒{load.orders}件) × 秒 = {left} > 窓 {right}",
        },
        "numbers": {"load.orders": 12.0, "gateway.window": 16},
        "left": 24,
        "right": 16,
    },
    "target": "local",
    "engines": {"proxy": "embedded 2.12.0"},
    "fidelity": "F",
    "limits": [
        {"words": {"en": words, "ja": ""}}
        for words in ("one exchange only", "no clearing house", "0 of 0 repairs, not exercised", "loopback has no loss")
    ],
    "verdict": "pass",
    "grade": "performed",
    "prevented": False,
    "instants": {
        "t_reconciled": None,
        "t_recovered": [29.4, 29.5],
        "t_inject": [12.031, 12.044],
        "t_impact": [12.2, 12.21],
        "t_alert": [13.0, 13.0],
        **dict.fromkeys(("t_declared", "t_runbook", "t_contained", "t_available", "t_restored")),
    },
    "objectives": [
        objective("detect", 5, "s", [0.81, 0.92]),
        objective("contain", 15, "s", [4.0, 4.0]),
        objective("recover", 30, "s", [17.2, 17.3]),
        objective("wrong_figures_acted_on", 0, "count", [0, 0], window="after_first_step"),
        objective("served_ratio", 0.6, "ratio", [0.81, 0.81], at_least=True),
    ],
    "accepted": [{"metric": "wrong_figures_shown", "reason": {"en": "nobody can know", "ja": "把握できない"}}],
    "no_limit": [],
    "checks": [
        {
            "id": "cash-conserved",
            "invariant": "I-01",
            "verdict": "pass",
            "counts": [],
            "reasons": [{"id": "803 postings", "values": {}}],
            "evidence": [],
            "validity": False,
        },
        {
            "id": "executions-one-to-one",
            "invariant": "I-04",
            "verdict": "pass",
            "counts": [],
            "reasons": [{"id": "640 of 640", "values": {}}],
            "evidence": [],
            "validity": False,
        },
        {
            "id": "no-duplicates",
            "invariant": "I-05",
            "verdict": "pass",
            "counts": [],
            "reasons": [{"id": "0 of 803", "values": {}}],
            "evidence": [],
            "validity": False,
        },
        {
            "id": "notices-complete",
            "invariant": "I-06",
            "verdict": "pass",
            "counts": [],
            "reasons": [{"id": "640 of 640", "values": {}}],
            "evidence": [],
            "validity": False,
        },
    ],
    "load": {
        "rate": 60,
        "intended": 2400,
        "sent": 2400,
        "good": 2000,
        "bad": 380,
        "indeterminate": 20,
        "lateness_p99_ms": 1.4,
        "dropped": 0,
    },
    "metrics": [
        metric("detect", "s", [0.8, 0.9]),
        metric("detect_from_inject", "s", [0.95, 0.97]),
        metric("decide", "s", None),
        metric("contain", "s", None),
        metric("available", "s", None),
        metric("restore", "s", None),
        metric("reconcile", "s", None),
        metric("recover", "s", [17.2, 17.3]),
        metric("service_s", "s", 9.8, after_alert=8.9),
        metric("planned_closure_s", "s", 6.0),
        metric("served_ratio", "ratio", 0.81),
        metric("unbalanced_yen", "yen", 0),
        metric("acknowledged_orders", "count", 803),
        metric("acknowledged_orders_lost", "count", 0),
        metric("duplicated", "count", 0),
        metric("phantom_orders", "count", 0),
        metric("late_notices", "count", 0),
        metric("wrong_figures_shown", "count", 3, after_alert=1),
        metric("wrong_figures_acted_on", "count", 0, after_alert=0, after_first_step=0),
        metric("not_current_s", "s", 13.1),
        metric("undecidable_figures", "count", 0),
        metric("harmful_actions", "count", 0, after_alert=0),
        metric("affected_yen", "yen", 0, after_alert=0),
    ],
    "alerts": [
        {
            "rule": "LinkSilent",
            "t": 13.0,
            "severity": "page",
            "layer": "cause",
            "runbook": "exchange-link-down",
            "for_this_fault": True,
            "synthetic": False,
            "opened": ["exchange-link-down"],
            "ended": "done",
        }
    ],
    "runbook": {
        "id": "exchange-link-down",
        "reaction_s": 1.0,
        "steps": [
            {"id": "close-orders", "start": 14.0, "end": 14.2, "outcome": "ok"},
            {"id": "probe-b", "start": 14.2, "end": 14.4, "outcome": "ok"},
            {"id": "use-b", "start": 15.0, "end": 17.5, "outcome": "ok"},
            {"id": "open-orders", "start": 24.0, "end": 24.1, "outcome": "ok"},
        ],
    },
    "heal": {"injected": 1, "undone": 1, "verified_removed": 1},
    "cost": {"wall_s": 41.0, "mandatory_s": 40.2},
}


def passed() -> dict[str, Any]:
    return copy.deepcopy(PASSED)


def failed() -> dict[str, Any]:
    card = passed()
    card |= {"verdict": "fail", "grade": "unable", "arm": "wrong:resend-unknowns-blindly"}
    card["objectives"][2] |= {"measured": None, "verdict": "fail"}
    card["objectives"][3] |= {"measured": [12, 12], "verdict": "fail"}
    card["checks"][2] |= {
        "verdict": "fail",
        "counts": [],
        "reasons": [{"id": "9 orders stand twice at the exchange", "values": {}}],
        "evidence": ["exchange:O-120", "exchange:O-133", "exchange:O-140"],
    }
    card["checks"][1] |= {
        "verdict": "unknown",
        "counts": [],
        "reasons": [{"id": "book oms is cut off", "values": {}}],
        "evidence": ["events:412"],
    }
    put(card, "duplicated", 9)
    put(card, "wrong_figures_acted_on", 12, after_alert=12, after_first_step=12)
    put(card, "affected_yen", 2_512_000, after_alert=2_512_000)
    card["no_limit"] = ["affected_yen"]
    react(card, 6.0)
    return card


def react(card: dict[str, Any], seconds: float) -> None:
    """Let the operator have reacted in so long."""
    card["runbook"] = card["runbook"] | {"reaction_s": seconds}
    card["operator"] = card["operator"] | {"reaction_s": seconds}


def nobody(kind: str) -> dict[str, Any]:
    """Of this kind, who opened nothing."""
    return {"kind": kind, "reaction_s": 1.0, "name": None, "role": None, "pace": "robot", "opened": []}


def invalid() -> dict[str, Any]:
    """The load could not keep its rate: nothing was measured, so there is nothing to claim."""
    card = passed()
    card |= {"verdict": "invalid", "grade": None, "evidence": None, "alerts": [], "governing": None, "limits": []}
    card["instants"] = dict.fromkeys(card["instants"])
    card |= {"accepted": [], "no_limit": []}
    for each in card["metrics"]:
        put(card, each["id"], None, **{cell["window"]: None for cell in each["values"] if cell["window"] != "all"})
    for objective in card["objectives"]:
        objective |= {"measured": None, "verdict": "unknown"}
    card["checks"] = [
        {
            "id": "load-reached-its-rate",
            "invariant": "",
            "validity": True,
            "verdict": "invalid",
            "counts": [],
            "reasons": [{"id": "send lateness p99 81 ms > 50 ms", "values": {}}],
            "evidence": [],
        },
        {
            "id": "no-page",
            "invariant": "",
            "validity": True,
            "verdict": "n/a",
            "counts": [],
            "reasons": [{"id": "", "values": {}}],
            "evidence": [],
        },
    ]
    card["runbook"] = None
    card["operator"] = nobody("robot")
    return card


def history(card: dict[str, Any]) -> History:
    """40 s of requests, ten a second and service: bad from 12.2 s to 14.2 s, closed to 24 s, then good."""
    seconds = np.arange(5.0, 40.0, 0.1)
    intended = np.repeat(np.int64(T0) + (seconds * NS).astype(np.int64), 2)
    name = np.tile(np.array([0, 1], np.uint8), len(seconds))
    at = (intended - T0) / NS
    outcome = np.full(len(intended), OUTCOMES.index(RequestOutcome.OK), np.uint8)
    outcome[(name == 0) & (at > 12.2) & (at < 14.2)] = OUTCOMES.index(RequestOutcome.TIMEOUT)
    outcome[(name == 0) & (at >= 14.2) & (at < 24.0)] = OUTCOMES.index(RequestOutcome.CLOSED)
    samples = Samples(
        intended, intended, intended + 5_000_000, outcome, name, np.arange(len(intended)), ("orders", "inquiry")
    )
    events = (
        Event(0, T0, "runner", Kind.INFO, "started"),
        Event(1, T0 + 12_031_000_000, "fault:0", Kind.INVOKE, "inject"),
        Event(2, T0 + 12_044_000_000, "fault:0", Kind.OK, "inject"),
        Event(3, T0 + 40 * NS, "runner", Kind.INVOKE, "snapshot"),
        Event(4, T0 + 41 * NS, "fault:0", Kind.OK, "rollback"),
    )
    return History(_record(card), events, samples, {})


def without_load(card: dict[str, Any]) -> History:
    return History(_record(card), (), Samples.empty(("orders", "inquiry")), {})


def _record(card: dict[str, Any]) -> RunRecord:
    plan = Plan(
        drill=card["drill"],
        variant=None,
        title=card["title"],
        sources=[],
        phase="D3",
        fidelity="F",
        limits=[],
        governing=None,
        arm=card["arm"],
        operator="auto",
        reaction=NS,
        seed=7,
        slo=Slo(latency=NS, hold=5 * NS, grace=NS, notice=10 * NS, monitor_gap=2 * NS),
        services={"orders": 10.0, "inquiry": 10.0},
        alerts=["LinkSilent"],
        objectives=[Objective("recover", 30, "s")],
        checks=[],
        faults=[PlannedFault(0, "timeout", 7 * NS, None, {})],
        baseline=5 * NS,
        cap=40 * NS,
        drill_sha256="",
        runbook_sha256=None,
    )
    return RunRecord(
        schema="kunren.run/2",
        run=card["run"],
        plan=plan,
        started=card["started"],
        t0=T0,
        kunren="0.1.0",
        subject=None,
        target="local",
        engines={},
        machine={},
        clock={},
        end=RunEnd(T0 + 42 * NS, "judged"),
    )


def as_json(card: dict[str, Any]) -> bytes:
    return msgspec.json.encode(card)
