"""Messages in Alertmanager's form."""

from __future__ import annotations

from targets.brokerage.monitor.evaluate import Alert, Change
from targets.brokerage.monitor.rules import Rule, parse_expr
from targets.brokerage.monitor.webhook import NEVER, active, fingerprint, messages

SECOND = 1_000_000_000
OFFSET = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z


def alert(name: str, link: str, fired_ns: int | None = 2 * SECOND) -> Alert:
    rule = Rule("g", name, parse_expr("m > 1"), 0, {}, {})
    labels = (("alertname", name), ("link", link), ("severity", "page"))
    return Alert(rule, labels, {"summary": f"link {link}", "runbook": "r"}, 2.0, SECOND, fired_ns)


def test_fingerprints_are_prometheuss() -> None:
    labels = (("name", "garland, briggs"), ("fear", "love is not enough"))  # from prometheus/common's own tests
    assert int(fingerprint(labels), 16) == 5799056148416392346
    assert fingerprint(()) == "cbf29ce484222325"


def test_one_message_per_alert_name_with_all_that_fires() -> None:
    a, b, other = alert("Down", "A"), alert("Down", "B"), alert("Late", "A")
    found = messages([Change("firing", b, 2 * SECOND)], [a, b, other], OFFSET, "http://m")
    (message,) = found
    assert (message["version"], message["status"], message["receiver"]) == ("4", "firing", "pager")
    assert message["groupLabels"] == {"alertname": "Down"}
    assert message["commonLabels"] == {"alertname": "Down", "severity": "page"}
    assert message["commonAnnotations"] == {"runbook": "r"}
    assert [(row["labels"]["link"], row["status"], row["endsAt"]) for row in message["alerts"]] == [
        ("A", "firing", NEVER),
        ("B", "firing", NEVER),
    ]
    assert message["alerts"][0]["startsAt"] == "2023-11-14T22:13:22.000Z"


def test_a_resolved_alert_has_an_end() -> None:
    gone = alert("Down", "A")
    (message,) = messages([Change("resolved", gone, 5 * SECOND + 250_000_000)], [], OFFSET, "http://m")
    assert message["status"] == "resolved"
    (row,) = message["alerts"]
    assert (row["status"], row["startsAt"], row["endsAt"]) == (
        "resolved",
        "2023-11-14T22:13:22.000Z",
        "2023-11-14T22:13:25.250Z",
    )


def test_a_group_with_one_left_still_fires() -> None:
    found = messages([Change("resolved", alert("Down", "A"), 5 * SECOND)], [alert("Down", "B")], OFFSET, "http://m")
    assert (found[0]["status"], [row["status"] for row in found[0]["alerts"]]) == ("firing", ["firing", "resolved"])


def test_without_a_change_nothing_is_sent() -> None:
    assert messages([], [alert("Down", "A")], OFFSET, "http://m") == []


def test_active_alerts_say_whether_they_fire_yet() -> None:
    rows = active([alert("Down", "A"), alert("Down", "B", fired_ns=None)], OFFSET)
    assert [(row["state"], row["value"]) for row in rows] == [("firing", "2.0"), ("pending", "2.0")]
