"""What every system does that can be drilled, whoever describes it and whichever way it runs."""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.record.unsupported import THINGS
from drills.spec.target import system
from faults import FAULTS
from faults.scope import from_intent, to_intent
from targets.accounts import accounts
from targets.registry import cleanup
from targets.target import Capabilities, Target, Unlabelled

from ..shapes import misfits
from .systems import PARTS, SYSTEMS, customers_connection, customers_link, unsupported, until

pytestmark = pytest.mark.contract

needs = pytest.mark.needs


def healthy(target: Target) -> bool:
    return all(each.healthy for each in target.services().values())


def each_part(capabilities: Capabilities) -> Iterator[str]:
    yield from (part for part in PARTS if not unsupported(capabilities, (part,)))


# -- the offer itself ---------------------------------------------------------------------------------------------


def test_whatever_can_be_offered_is_a_part_that_tests_may_need() -> None:
    beside = {"unsupported", "rules", "accounts"}  # what is said of the others, and the names of alerts and accounts
    beside |= {"settings", "adjustable", "monitor_interval_s"}  # numbers of its configuration
    beside |= {"own_books", "volumes"}  # which of the books are its own; which volumes may be limited
    assert set(PARTS) == {field.name for field in dataclasses.fields(Capabilities)} - beside


def test_every_part_has_tests() -> None:
    texts = [file.read_text() for file in Path(__file__).parent.glob("test_*.py")]
    assert [part for part in PARTS if not any(f'@needs("{part}"' in text for text in texts)] == []


def test_what_it_lacks_it_says_itself(name: str) -> None:
    """So nothing can be left out of a drill, or of these tests, that the system has not declared."""
    capabilities = system(SYSTEMS[name].way).capabilities()
    assert set(capabilities.unsupported) == set(unsupported(capabilities, THINGS))
    assert bool(capabilities.rules) == capabilities.alerts


def test_the_table_of_facts_knows_all_that_is_offered(name: str) -> None:
    facts = SYSTEMS[name]
    known = {"operator": facts.tool, "alerts": facts.noticed, "books": facts.rows, "plantable": facts.planting}
    offered = set(each_part(system(facts.way).capabilities()))
    assert {part for part, fact in known.items() if fact is not None} == offered & set(known)
    assert set(facts.planting or ()) == set(system(facts.way).capabilities().plantable)


# -- what it is and shows -----------------------------------------------------------------------------------------


@needs("services")
def test_all_services_are_up_and_have_processes(up: Any) -> None:
    services = up.target.services()
    assert set(services) == set(up.target.capabilities().services)
    assert all(each.healthy and each.pid for each in services.values())


def test_it_offers_what_its_runtime_says_before_anything_is_started(up: Any) -> None:
    assert up.target.capabilities() == up.way.capabilities()


def test_it_has_the_optional_parts_that_it_offers(up: Any) -> None:
    target, offers = up.target, up.target.capabilities()
    parts = (target.alerts, target.operator_tool, target.books, target.conditions, target.partitioning)
    offered = (offers.alerts, offers.operator, offers.books, offers.plantable, offers.partitionable)
    assert [part is not None for part in parts] == [bool(part) for part in offered]


def test_it_shows_that_it_is_a_drill_target(up: Any) -> None:
    assert up.target.handshake().ok


def test_a_system_that_shows_another_token_is_refused(up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = getattr(up.target, up.facts.keeps)
    monkeypatch.setattr(up.target, up.facts.keeps, msgspec.structs.replace(kept, token="another"))
    with pytest.raises(Unlabelled):
        up.target.handshake()


def test_its_engines_have_versions(up: Any) -> None:
    how = ("customers", "volume")  # how these come in, what limits that
    engines = {name: said for name, said in up.target.engines().items() if name not in how}
    assert up.facts.engines <= set(engines)
    assert all(any(letter.isdigit() for letter in version) for version in engines.values())


def test_the_parts_of_ours_beside_it_run_and_have_logs_in_which_nothing_went_wrong(up: Any) -> None:
    parts = up.target.own_parts()
    assert {each.name for each in parts} <= {"proxy", "launcher", "operator's tool", "volumes"}
    assert "proxy" in {each.name for each in parts}
    assert all(each.pid for each in parts)
    told = dict(accounts(parts, up.target.own_parts()))
    assert {name: its.counts for name, its in told.items()} == {each.name: {} for each in parts}


@needs("loads")
def test_what_customers_ask_for_is_answered_as_declared(up: Any) -> None:
    for load in up.target.capabilities().loads.values():
        for service, wanted in load.items():
            connection = customers_connection(up.target, 10)
            connection.request(wanted.method, wanted.path)
            assert (service, connection.getresponse().status) == (service, wanted.expect)
            connection.close()


@needs("links")
def test_every_link_accepts_and_can_be_closed_and_opened(up: Any) -> None:
    proxies = up.target.proxies()
    assert set(up.target.links()) == set(up.target.capabilities().links)
    for name, link in up.target.links().items():
        host, _, port = link.listen.rpartition(":")
        socket.create_connection((host, int(port)), timeout=2).close()
        proxies.set_enabled(name, False)
        assert not proxies.enabled(name)
        proxies.set_enabled(name, True)
    until(lambda: healthy(up.target))


def test_every_service_has_a_log(up: Any) -> None:
    assert set(up.target.logs()) >= up.target.capabilities().services


# -- faults -------------------------------------------------------------------------------------------------------


@needs("links")
def test_a_toxic_is_felt_and_leaves_nothing(up: Any) -> None:
    fault = FAULTS["timeout"](link=customers_link(up.target))  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    seen = fault.verify_effect(up.target)
    assert seen.ok
    assert seen.data["effect_seen"] is True
    assert fault.rollback(up.target).ok
    assert fault.verify_removed(up.target).ok


@needs("links")
def test_a_closed_link_refuses(up: Any) -> None:
    fault = FAULTS["down"](link=customers_link(up.target))  # type: ignore[call-arg]
    assert fault.inject(up.target).ok
    seen = fault.verify_effect(up.target)
    assert seen.ok, seen
    assert seen.data["through"]["end"] == "refused"
    assert fault.rollback(up.target).ok
    assert fault.verify_removed(up.target).ok


@needs("partitionable")
def test_a_partitioned_service_is_cut_off_and_comes_back(up: Any) -> None:
    service, answers = up.facts.parted.service, up.facts.parted.answers
    fault = FAULTS["partition"](service=service)  # type: ignore[call-arg]
    until(lambda: healthy(up.target))
    assert answers(up.target)
    assert not fault.verify_effect(up.target).ok
    injected = fault.inject(up.target)
    try:
        assert injected.ok, injected
        assert {name for name, link in up.target.links().items() if service in link.ends} == set(injected.data["links"])
        seen = fault.verify_effect(up.target)
        assert seen.ok, seen
        assert seen.data["effect_seen"] is True
        assert not fault.verify_removed(up.target).ok
        assert up.target.services()[service].pid  # it runs
        assert not answers(up.target)
        for peer in up.facts.parted.missed_by:
            until(lambda peer=peer: not up.target.services()[peer].healthy)
    finally:  # by a process that knows no more than what the journal and the system's folder say
        another = cleanup(up.target.intent().target).attach(up.target.intent())
        undone = from_intent(to_intent(fault)).rollback(another)
    assert undone.ok
    assert fault.verify_removed(another).ok
    assert fault.rollback(up.target).ok
    until(lambda: answers(up.target))
    until(lambda: healthy(up.target))


@needs("partitionable")
def test_whom_a_partition_does_not_reach_stays(up: Any) -> None:
    for other in up.facts.parted.others:
        fault = FAULTS["partition"](service=other)  # type: ignore[call-arg]
        assert fault.inject(up.target).ok
        try:
            assert fault.verify_effect(up.target).data["effect_seen"] is True
            assert up.facts.parted.answers(up.target)
        finally:
            assert fault.rollback(up.target).ok
        assert fault.verify_removed(up.target).ok


@needs("services")
def test_each_service_that_is_killed_is_down_until_it_is_started(up: Any, subtests: pytest.Subtests) -> None:
    for service in sorted(up.target.capabilities().services):
        with subtests.test(service=service):
            fault = FAULTS["kill"](service=service)  # type: ignore[call-arg]
            assert fault.inject(up.target).ok
            until(lambda service=service: up.target.services()[service].pid is None)
            up.target.start(service)
            assert up.target.services()[service].healthy
            until(lambda: healthy(up.target))


@needs("services")
def test_a_paused_service_goes_on(up: Any) -> None:
    spare = up.facts.spare
    fault = FAULTS["pause"](service=spare)  # type: ignore[call-arg]
    before = up.target.services()[spare].pid
    assert fault.inject(up.target).ok
    assert fault.verify_effect(up.target).data["effect_seen"]
    assert not fault.verify_removed(up.target).ok
    assert fault.rollback(up.target).ok
    assert fault.verify_removed(up.target).ok
    assert up.target.services()[spare].pid == before


@needs("plantable")
def test_what_can_be_planted_can_be_taken_out_again(up: Any) -> None:
    for what, wanted in up.facts.planting.items():
        assert up.target.conditions.plant(what, wanted).ok
        assert up.target.conditions.look(what, wanted, wait=False).there
        assert up.target.conditions.unplant(what, wanted).ok
        assert not up.target.conditions.look(what, wanted, wait=False).there


# -- the operator's tool ------------------------------------------------------------------------------------------


@needs("operator")
def test_the_operator_is_answered_and_refused_by_role(up: Any) -> None:
    tool = up.facts.tool
    seen = up.target.operator_tool.run_command(tool.query, "viewer", 20)
    assert (seen.exit, seen.changed) == (0, False)
    assert tool.answers in seen.data
    assert up.target.operator_tool.run_command(tool.change, "viewer", 20).exit == 1


@needs("operator", "services")
def test_the_operator_can_restart_a_service(up: Any) -> None:
    spare = up.facts.spare
    before = up.target.services()[spare].pid
    done = up.target.operator_tool.run_command((*up.facts.tool.restart, spare), "operator", 30)
    assert done.exit == 0, done.says
    assert up.target.services()[spare].pid != before


@needs("operator", "services")
def test_the_operator_can_kill_a_process_by_its_number(up: Any) -> None:
    spare = up.facts.spare
    pid = up.target.services()[spare].pid
    done = up.target.operator_tool.run_command((*up.facts.tool.kill, str(pid)), "operator", 20)
    assert (done.exit, done.data["service"]) == (0, spare), done.says
    until(lambda: up.target.services()[spare].pid is None)
    up.target.start(spare)


@needs("operator")
def test_what_the_operator_is_answered_is_what_each_command_declares(up: Any) -> None:
    tool = up.target.capabilities().operator
    for argv in up.facts.tool.day:
        done = up.target.operator_tool.run_command(argv, tool.roles[-1], 30)
        assert done.exit == 0, f"{' '.join(argv)}: {done.says}"
        assert misfits(tool.command(argv).reply, done.data) == [], argv


@needs("operator")
def test_a_process_of_nobody_is_not_killed(up: Any) -> None:
    done = up.target.operator_tool.run_command((*up.facts.tool.kill, "1"), "operator", 20)
    assert done.exit == 1, done.says
    assert up.facts.tool.nobodys in done.says


# -- the monitor --------------------------------------------------------------------------------------------------


@needs("alerts", "services")
def test_a_service_that_is_down_raises_an_alert_and_its_end_resolves_it(up: Any) -> None:
    noticed = up.facts.noticed
    before = len(up.target.alerts.received(0))
    up.target.signal(noticed.service, 9)
    fired = until(lambda: [each for each in up.target.alerts.received(before) if noticed.told_by(each)])
    assert (fired[0].rule, fired[0].status, fired[0].runbook) == (noticed.rule, "firing", noticed.runbook)
    assert noticed.rule in up.target.capabilities().rules
    up.target.start(noticed.service)
    until(lambda: [each for each in up.target.alerts.received(before) if each.status == "resolved"])


@needs("alerts")
def test_the_heartbeat_counts_on(up: Any) -> None:
    n, t_ns = until(up.target.alerts.heartbeat)
    later = until(lambda: (beat := up.target.alerts.heartbeat()) and beat[0] > n and beat)
    assert later[1] > t_ns
    assert abs(later[1] - time.monotonic_ns()) < 60e9  # on our clock, not on another


# -- books, and who else may look ---------------------------------------------------------------------------------


@needs("books")
def test_every_book_can_be_read(up: Any) -> None:
    rows = {name: list(up.target.books.book(name)) for name in up.target.capabilities().books}
    for book, kinds in up.facts.rows.items():
        assert {row["kind"] for row in rows[book]} >= kinds


@needs("limited", "operator")
def test_a_limited_volume_is_full_when_it_is_full_and_outlives_who_writes_to_it(up: Any) -> None:
    def run(*words: str) -> Any:
        return up.target.run_command((up.target.capabilities().operator.name, *words), "operator", 40)

    before = run("volume", "show", "relay-log").data
    assert before["size"] == 3840 * 1024
    assert 0 < before["inodes_used"] < 0.1
    for _ in range(9):  # copies of copies, until there is no room left
        last = run("volume", "copy", "relay-log", "*transactions-*")
    assert "No space left on device" in last.says
    assert run("volume", "show", "relay-log").data["bytes_used"] == 1
    assert run("volume", "remove", "relay-log", "copy-*").exit == 0
    assert run("host", "restart", "relay").exit == 0
    after = run("volume", "show", "relay-log").data
    assert {each["name"] for each in after["files"]} == {each["name"] for each in before["files"]}


def test_another_process_can_attach(up: Any) -> None:
    intent = up.target.intent()
    keeper = cleanup(intent.target)
    assert keeper.attach(intent).handshake().ok
    assert keeper.owned(intent)
    assert intent not in keeper.abandoned()
