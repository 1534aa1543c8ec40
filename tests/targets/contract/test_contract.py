"""What every runtime's targets do, whichever way they run."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from faults import FAULTS
from faults.scope import from_intent, to_intent
from targets.brokerage.postgres import dsn
from targets.target import Unlabelled

pytestmark = pytest.mark.contract

RESTARTED = ("api", "gateway", "exchange", "bank", "valuation", "batch", "mail", "monitor", "pager", "postgres")


def until(seen: Callable[[], Any], within_s: float = 20.0) -> Any:
    """The first true answer; the test fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (found := seen()):
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.05)
    return found


def healthy(target: Any) -> bool:
    return all(each.healthy for each in target.services().values())


def test_all_services_are_up_and_have_processes(up: Any) -> None:
    services = up.target.services()
    assert set(services) == set(up.target.offer().services)
    assert all(each.healthy and each.pid for each in services.values())


def test_it_shows_that_it_is_a_drill_target(up: Any) -> None:
    assert up.target.handshake().ok


def test_a_system_that_shows_another_token_is_refused(up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    monkeypatch.setattr(up.target, "config", msgspec.structs.replace(up.target.config, token="another"))
    with pytest.raises(Unlabelled):
        up.target.handshake()


def test_its_engines_have_versions(up: Any) -> None:
    engines = {name: said for name, said in up.target.engines().items() if name != "customers"}  # how they come in
    assert {"proxy", "database"} <= set(engines)
    assert all(any(letter.isdigit() for letter in version) for version in engines.values())


def test_every_link_accepts_and_can_be_closed_and_opened(up: Any) -> None:
    proxies = up.target.proxies()
    assert set(up.target.links()) == set(up.target.offer().links)
    for name, link in up.target.links().items():
        host, _, port = link.listen.rpartition(":")
        socket.create_connection((host, int(port)), timeout=2).close()
        proxies.set_enabled(name, False)
        assert not proxies.enabled(name)
        proxies.set_enabled(name, True)
    until(lambda: healthy(up.target))


def test_a_toxic_is_felt_and_leaves_nothing(up: Any) -> None:
    fault = FAULTS["timeout"](link="exchange-b")  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    seen = fault.witness(up.target)
    assert seen.ok
    assert seen.data["effect_seen"] is True
    assert fault.undo(up.target).ok
    assert fault.gone(up.target).ok


def test_a_closed_link_refuses(up: Any) -> None:
    fault = FAULTS["down"](link="client-api")  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    seen = fault.witness(up.target)
    assert seen.ok, seen
    assert seen.data["through"]["end"] == "refused"
    assert fault.undo(up.target).ok
    assert fault.gone(up.target).ok


def asked(target: Any, link: str) -> bool:
    """Whether a peer of the database gets an answer through its link."""
    host, _, port = target.links()[link].listen.rpartition(":")
    try:
        with psycopg.connect(dsn(int(port), host), connect_timeout=2, options="-c statement_timeout=2000") as session:
            return session.execute("select 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def test_a_partitioned_service_is_cut_off_and_comes_back(up: Any) -> None:
    fault = FAULTS["partition"](service="postgres")  # type: ignore[call-arg]
    until(lambda: healthy(up.target))
    assert asked(up.target, "api-pg")
    assert not fault.witness(up.target).ok
    injected = fault.inject(up.target)
    try:
        assert injected.ok, injected
        assert {"api-pg", "gateway-pg", "batch-pg"} == set(injected.data["links"])
        seen = fault.witness(up.target)
        assert seen.ok, seen
        assert seen.data["effect_seen"] is True
        assert not fault.gone(up.target).ok
        assert up.target.services()["postgres"].pid  # it runs
        assert not asked(up.target, "api-pg")
        until(lambda: not up.target.services()["gateway"].healthy)
    finally:  # by a process that knows no more than what the journal and the stack's folder say
        another = up.way.attach(up.target.intent())
        undone = from_intent(to_intent(fault)).undo(another)
    assert undone.ok
    assert fault.gone(another).ok
    assert fault.undo(up.target).ok
    until(lambda: asked(up.target, "api-pg"))
    until(lambda: healthy(up.target))


def test_whom_a_partition_does_not_reach_stays(up: Any) -> None:
    fault = FAULTS["partition"](service="bank")  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    try:
        assert fault.witness(up.target).data["effect_seen"] is True
        assert asked(up.target, "api-pg")
    finally:
        assert fault.undo(up.target).ok
    assert fault.gone(up.target).ok


@pytest.mark.parametrize("service", RESTARTED)
def test_a_killed_service_is_down_until_it_is_started(up: Any, service: str) -> None:
    fault = FAULTS["kill"](service=service)  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    until(lambda: up.target.services()[service].pid is None)
    up.target.start(service)
    assert up.target.services()[service].healthy
    until(lambda: healthy(up.target))


def test_a_paused_service_goes_on(up: Any) -> None:
    fault = FAULTS["pause"](service="mail")  # type: ignore[call-arg]
    before = up.target.services()["mail"].pid
    assert fault.inject(up.target).ok
    assert not up.target.services()["mail"].healthy
    assert fault.undo(up.target).ok
    until(lambda: up.target.services()["mail"].healthy)
    assert up.target.services()["mail"].pid == before


def test_the_operator_is_answered_and_refused_by_role(up: Any) -> None:
    seen = up.target.operator(("brokerctl", "status"), "viewer", 20)
    assert (seen.exit, seen.changed) == (0, False)
    assert "processes" in seen.data
    assert up.target.operator(("brokerctl", "service", "close", "orders"), "viewer", 20).exit == 1


def test_the_operator_can_restart_a_service(up: Any) -> None:
    before = up.target.services()["mail"].pid
    done = up.target.operator(("brokerctl", "host", "restart", "mail"), "operator", 30)
    assert done.exit == 0, done.says
    assert up.target.services()["mail"].pid != before


def test_the_operator_can_kill_a_process_by_its_number(up: Any) -> None:
    pid = up.target.services()["mail"].pid
    done = up.target.operator(("brokerctl", "host", "kill", "--signal", "KILL", str(pid)), "operator", 20)
    assert (done.exit, done.data["service"]) == (0, "mail"), done.says
    until(lambda: up.target.services()["mail"].pid is None)
    up.target.start("mail")


def test_a_process_of_nobody_is_not_killed(up: Any) -> None:
    done = up.target.operator(("brokerctl", "host", "kill", "--signal", "KILL", "1"), "operator", 20)
    assert done.exit == 1, done.says
    assert "no process of this brokerage" in done.says


def test_a_service_that_is_down_raises_an_alert_and_its_end_resolves_it(up: Any) -> None:
    before = len(up.target.alerts(0))
    up.target.signal("bank", 9)
    fired = until(lambda: [each for each in up.target.alerts(before) if each.labels.get("job") == "bank"])
    assert (fired[0].rule, fired[0].status, fired[0].runbook) == ("ServiceDown", "firing", "first-look")
    up.target.start("bank")
    until(lambda: [each for each in up.target.alerts(before) if each.status == "resolved"])


def test_the_heartbeat_counts_on(up: Any) -> None:
    n, t_ns = until(up.target.heartbeat)
    later = until(lambda: (beat := up.target.heartbeat()) and beat[0] > n and beat)
    assert later[1] > t_ns
    assert abs(later[1] - time.monotonic_ns()) < 60e9  # on our clock, not on another


def test_every_book_can_be_read(up: Any) -> None:
    rows = {name: list(up.target.book(name)) for name in up.target.offer().books}
    assert {row["kind"] for row in rows["oms"]} >= {"balance"}


def test_lots_can_be_planted_and_taken_out_again(up: Any) -> None:
    wanted = {"account": "C-0001", "outlasts": 1.0}
    assert up.target.plant("lots", wanted).ok
    assert up.target.planted("lots", wanted).data["added"]
    assert up.target.unplant("lots", wanted).ok
    assert not up.target.planted("lots", wanted).data["added"]


def test_another_process_can_attach(up: Any) -> None:
    attached = up.way.attach(up.target.intent())
    assert attached.handshake().ok
    assert up.way.owned(up.target.intent())
    assert up.target.intent() not in up.way.abandoned()
