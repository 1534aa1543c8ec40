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
DURATIONS = ("contain", "detect_from_inject", "decide", "available", "restore", "reconcile")
RUN = Path("runs/exchange-link-down/20261122T100600.250Z-runbook-7")

PASSED: dict[str, Any] = {
    "schema": "kunren.scorecard/2",
    "drill": "exchange-link-down",
    "variant": None,
    "title": {"en": "The link to the exchange goes silent", "ja": "取引所回線の無応答"},
    "sources": ["rkt-05"],
    "drill_sha256": "d" * 64,
    "runbook_sha256": "e" * 64,
    "arm": "runbook",
    "operator": "auto",
    "seed": 7,
    "attempts": 1,
    "run": "exchange-link-down/20261122T100600.250Z-runbook-7",
    "started": "2026-11-22T10:06:00Z",
    "subject": None,
    "kunren": "0.1.0",
    "rules": 1,
    "evidence": "3f9c" * 16,
    "clock": {"compression": 60, "monitor_interval_s": 0.25},
    "condition": {
        "en": "unanswered orders a second × seconds = 24 > window 16",
        "ja": "未回答注文/秒 × 秒 = 24 > 窓 16",
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
    "durations": {"detect": [0.8, 0.9], "recover": [17.2, 17.3], **dict.fromkeys(DURATIONS)},
    "objectives": [
        {"id": "detect", "limit": 5, "unit": "s", "measured": [0.81, 0.92], "verdict": "pass", "at_least": False},
        {"id": "contain", "limit": 15, "unit": "s", "measured": [4.0, 4.0], "verdict": "pass", "at_least": False},
        {"id": "recover", "limit": 30, "unit": "s", "measured": [17.2, 17.3], "verdict": "pass", "at_least": False},
        {
            "id": "wrong_figures_acted_on",
            "limit": 0,
            "unit": "count",
            "measured": [0, 0],
            "verdict": "pass",
            "at_least": False,
        },
        {
            "id": "served_ratio",
            "limit": 0.6,
            "unit": "ratio",
            "measured": [0.81, 0.81],
            "verdict": "pass",
            "at_least": True,
        },
    ],
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
    "loss": {
        "service_s": 9.8,
        "by_service": {"orders": 9.8, "inquiry": 0.0},
        "not_current_s": 13.1,
        "planned_closure_s": 6.0,
        "acknowledged_orders": {"exposed": 803, "lost": 0},
        "undecidable_figures": 0,
        "phantom_orders": 0,
        "duplicated": 0,
        "unbalanced_yen": 0,
        "late_notices": 0,
        "wrong_figures_shown": 3,
        "wrong_figures_acted_on": 0,
        "harmful_actions": 0,
        "yen_to_restore": 0,
        "after_alert": {
            "service_s": 8.9,
            "wrong_figures_shown": 1,
            "wrong_figures_acted_on": 0,
            "harmful_actions": 0,
            "yen_to_restore": 0,
        },
    },
    "alerts": [{"rule": "LinkSilent", "t": 13.0, "runbook": "exchange-link-down", "for_this_fault": True}],
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
    "heal": {"injected": 1, "undone": 1, "verified_gone": 1},
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
    card["loss"] |= {"duplicated": 9, "wrong_figures_acted_on": 12, "yen_to_restore": 2_512_000}
    card["loss"]["after_alert"] |= {"wrong_figures_acted_on": 12, "yen_to_restore": 2_512_000}
    card["runbook"]["reaction_s"] = 6.0
    return card


def invalid() -> dict[str, Any]:
    """The load could not keep its rate: nothing was measured, so there is nothing to claim."""
    card = passed()
    card |= {"verdict": "invalid", "grade": None, "evidence": None, "alerts": [], "condition": None, "limits": []}
    card["instants"] = dict.fromkeys(card["instants"])
    card["durations"] = dict.fromkeys(card["durations"])
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
    card["loss"] = {
        **dict.fromkeys(card["loss"]),
        "service_s": 0.0,
        "planned_closure_s": 0.0,
        "by_service": {},
        "acknowledged_orders": {"exposed": None, "lost": None},
    }
    card["runbook"] = None
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
        Event(4, T0 + 41 * NS, "fault:0", Kind.OK, "undo"),
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
        condition=None,
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
        schema="kunren.run/1",
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
