"""The rule reader: what Prometheus would understand the same way is read, everything else is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets.brokerage.monitor.rules import (
    Expr,
    Matcher,
    RuleError,
    expand,
    load_all,
    load_rules,
    parse_duration,
    parse_expr,
    parse_rules,
)
from targets.brokerage.monitor.service import RULES

HEAD = "groups:\n  - name: g\n    rules:\n"


def one(rule: str) -> str:
    return HEAD + "".join(f"      {line}\n" for line in rule.splitlines())


def test_the_brokerages_own_rules_load() -> None:
    rules = {rule.alert: rule for group in load_all(RULES) for rule in group.rules}
    numbers = {"NumbersRunOut", "ExchangeRefusesOrders"}
    crowd = {"OrdersExceedTheSession", "OrdersWaitInLine", "ExchangeWindowFull"}
    withdrawals = {"WithdrawalUnanswered", "WithdrawalsUnacknowledged"}
    volume = {"LogVolumeFilling", "LogVolumeNearlyFull", "LogVolumeFullSoon", "DeletedLogHeldOpen"}
    certificate = {"InventoryChainEnding", "ServedChainEnding", "ServedChainNearlyOver", "HandshakesFail"}
    spool = {"MailSpoolRefuses", "MailSpoolNearlyFull", "MailSpoolFilling"}
    assert set(rules) == {
        "LinkSilent",
        "ExchangeUnanswered",
        "ExecutionsQueued",
        "LockWait",
        "BatchOverrun",
        "OpeningAtRisk",
        "ServiceDown",
        "NoticesLate",
        "OrdersBurn",
        "RepaymentBurn",
        "InquiryBurn",
        "WithdrawalBurn",
        *volume,
        "TransactionLogRefused",
        *certificate,
        *numbers,
        *crowd,
        *withdrawals,
        *spool,
    }
    linked = {name: rule.annotations["runbook"] for name, rule in rules.items()}
    incident = {"LinkSilent", "ExchangeUnanswered"}
    pages = dict.fromkeys(rules, "first-look") | dict.fromkeys(incident, "exchange-link-down")
    pages |= dict.fromkeys(volume | {"TransactionLogRefused"}, "log-volume-exhaustion")
    pages |= dict.fromkeys(certificate, "edge-cert-expiry")
    pages |= dict.fromkeys(numbers, "counter-overflow")
    pages |= dict.fromkeys(crowd, "campaign-spike")
    pages |= dict.fromkeys(withdrawals, "ack-loss-core-continues")
    pages |= dict.fromkeys(spool, "mail-spool-file-limit")
    assert linked == pages | {"LockWait": "night-batch-lock"}
    assert {rule.labels["severity"] for rule in rules.values()} == {"page", "ticket"}
    tickets = {name for name, rule in rules.items() if rule.labels["severity"] == "ticket"}
    early = {"LogVolumeFilling", "DeletedLogHeldOpen", "InventoryChainEnding", "ServedChainEnding"}
    assert tickets == {"NoticesLate", "BatchOverrun", "OpeningAtRisk"} | early
    causes = {name for name, rule in rules.items() if rule.labels["layer"] == "cause"}
    named = {"NumbersRunOut", "WithdrawalUnanswered"} | crowd | spool | volume | certificate - {"HandshakesFail"}
    assert causes == {"LinkSilent", "ExchangeUnanswered", "LockWait", "ServiceDown", "TransactionLogRefused"} | named
    assert {rule.labels["layer"] for rule in rules.values()} == {"cause", "symptom"}
    assert all(rule.annotations["summary"] for rule in rules.values())


@pytest.mark.parametrize(
    ("text", "ns"),
    [("250ms", 250_000_000), ("2s", 2_000_000_000), ("1h30m", 5_400_000_000_000), ("1s500ms", 1_500_000_000), ("0", 0)],
)
def test_durations(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize("text", ["", "1", "2 s", "0.5s", "1m1h", "-1s", "s", "1µs", "1\u0661s", "293y"])
def test_not_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("up == 0", Expr("up", (), "==", 0.0)),
        ("up{}==0", Expr("up", (), "==", 0.0)),
        (" a:b_c >= -1.5e3 ", Expr("a:b_c", (), ">=", -1500.0)),
        ('m{a="x", b!="y"} < .5', Expr("m", (Matcher("a", True, "x"), Matcher("b", False, "y")), "<", 0.5)),
        ('m{a="x,y=}"} != 3', Expr("m", (Matcher("a", True, "x,y=}"),), "!=", 3.0)),
        ("m <= 1.", Expr("m", (), "<=", 1.0)),
    ],
)
def test_expressions(text: str, expr: Expr) -> None:
    assert parse_expr(text) == expr


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "rate(x[1m]) > 1",
        "a > 1 and b > 1",
        'm{a=~"x.*"} > 1',
        "m{a='x'} > 1",
        'm{a="x",} > 1',
        'm{a="x" b="y"} > 1',
        r'm{a="\n"} > 1',
        '{__name__="m"} > 1',
        'm{__name__="n"} > 1',
        "1 < m",
        "m > bool 1",
        "m > 010",
        "m > 1e999",
        "m > Inf",
        "m = 1",
        "m > 1 > 2",
        "m offset 5m > 1",
        "NaN > 1",
        "m > n",
        "m\u00a0> 1",
        "m\v> 1",
        'm{\u2003a="x"} > 1',
        "m > 1\u0661",
    ],
)
def test_expressions_outside_the_subset(text: str) -> None:
    with pytest.raises(ValueError, match=r"subset|before the braces|too large"):
        parse_expr(text)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "empty"),
        ("groups: [\n", 2, "not YAML"),
        ("rules: []\n", 1, "'rules' is outside the subset"),
        ("- groups\n", 1, "expected a mapping"),
        ("groups: {}\n", 1, "expected a list"),
        ("groups:\n  - rules: []\n", 2, "'name' is missing"),
        ("groups:\n  - {name: g, rules: []}\n  - {name: g, rules: []}\n", 2, "appears twice"),
        ("groups:\n  - name: g\n    interval: 0s\n    rules: []\n", 3, "longer than 0"),
        ("groups:\n  - name: g\n    limit: 3\n    rules: []\n", 3, "'limit' is outside"),
        (one("- alert: A"), 4, "'expr' is missing"),
        (one("- record: a\n  expr: up == 0"), 4, "'record' is outside"),
        (one("- alert: A\n  expr: sum(up) > 1"), 5, "outside the subset"),
        (one("- alert: A\n  expr: up == 0\n  for: soon"), 6, "not a duration"),
        (one("- alert: A\n  expr: up == 0\n  keep_firing_for: 1s"), 6, "'keep_firing_for' is outside"),
        (one("- alert: A\n  expr: up == 0\n  expr: up == 1"), 6, "appears twice"),
        (one("- alert:\n  expr: up == 0"), 4, "not empty"),
        (one("- alert: A\n  expr: up == 0\n  labels: {alertname: B}"), 6, "set by the monitor"),
        (one("- alert: A\n  expr: up == 0\n  labels: {a-b: c}"), 6, "not a label name"),
        (one('- alert: A\n  expr: up == 0\n  labels: {a: "{{ $labels.x }}"}'), 6, "annotations only"),
        (one('- alert: A\n  expr: up == 0\n  annotations: {a: "{{ $value }}"}'), 6, "only template"),
        (one('- alert: A\n  expr: up == 0\n  annotations: {a: "{{{ $labels.x }}"}'), 6, "only template"),
        (one('- alert: A\n  expr: up == 0\n  annotations: {a: "{{\u00a0$labels.x }}"}'), 6, "only template"),
        (one('- alert: A\n  expr: up == 0\n  labels: {a: "\\ud800"}'), 6, "surrogate"),
    ],
)
def test_refusals_name_file_and_line(text: str, line: int, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(text, "r.yml")
    assert str(caught.value).startswith(f"r.yml:{line}: ")
    assert says in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file"):
        load_rules(tmp_path / "none.yml")


def test_templates() -> None:
    assert expand("{{\n$labels.link\t}}}", {"link": "A"}) == "A}"
    assert expand("link {{ $labels.link }}{{$labels.none}}!", {"link": "A"}) == "link A!"


def test_an_absent_label_is_the_empty_string() -> None:
    assert Matcher("a", True, "").accepts({})
    assert Matcher("a", False, "x").accepts({})
    assert not Matcher("a", False, "").accepts({})
