"""Target files: what they say, and that whatever else stands in them is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills import planning
from drills.definition.lint import lint
from drills.definition.targetfile import load_target
from drills.definition.vocabulary import vocabulary
from drills.errors import BadInput, MissingMeans, UnknownName
from drills.spec import CATALOGUE, Drill, load_drill
from drills.systems import system
from targets.description import Description, Handshake, Hooked, Proxied
from targets.target import Fetch

EXAMPLE = CATALOGUE.with_name("examples") / "datasette"

GOOD = """\
target: notes
services:
  db: {start: ["{here}/db.sh", "{port}"], health: tcp, port: 5999}
  web: {start: [notes, --port, "{port}", --db, "{link.web-db}"], health: /healthz, stop: [notes, stop], within: 20s}
links:
  front: {upstream: web, listen: 8000}
  web-db: {upstream: db}
  old-db: {upstream: "127.0.0.1:5432"}
customers: front
loads:
  reading:
    pages: {get: /notes, rate: 20}
    writes: {post: "/notes?text=x", rate: 2.5, expect: 201}
handshake: {service: web, path: /drill-target.json}
not_offered: [books, operator, alerts]
prepare: [[make, "{shared}/notes", 3]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "target.yaml"
    path.write_text(GOOD)
    return path


def test_what_it_says(file: Path) -> None:
    found, source = load_target(file)
    assert source == GOOD.encode()
    assert found == Description(
        name="notes",
        here=str(file.parent),
        sha256=found.sha256,
        services={
            "db": Hooked(start=("{here}/db.sh", "{port}"), health="tcp", port=5999),
            "web": Hooked(
                start=("notes", "--port", "{port}", "--db", "{link.web-db}"),
                health="/healthz",
                stop=("notes", "stop"),
                within_s=20.0,
            ),
        },
        links={"front": Proxied("web", 8000), "web-db": Proxied("db"), "old-db": Proxied("127.0.0.1:5432")},
        customers="front",
        handshake=Handshake("web", "/drill-target.json"),
        loads={
            "reading": {"pages": Fetch("GET", "/notes", 200, 20.0), "writes": Fetch("POST", "/notes?text=x", 201, 2.5)}
        },
        not_offered=("books", "operator", "alerts"),
        prepare=(("make", "{shared}/notes", "3"),),
    )


BAD = {
    "unknown key": ("customers:", "customer:", 9, "unknown key 'customer', did you mean 'customers'?"),
    "no handshake": ("handshake: {service: web, path: /drill-target.json}\n", "", 1, "missing key 'handshake'"),
    "handshake of nobody": (
        "{service: web, path",
        "{service: wep, path",
        14,
        "handshake.service: unknown service",
    ),
    "all is offered": (
        "[books, operator, alerts]",
        "[operator, alerts]",
        15,
        "not_offered: books cannot be taken",
    ),
    "a thing nobody knows": ("[books, ", "[cooks, books, ", 15, "not_offered[0]: unknown thing 'cooks'"),
    "a link to elsewhere": (
        "127.0.0.1:5432",
        "10.0.0.1:5432",
        8,
        "links.old-db.upstream: unknown service",
    ),
    "a name for an address": ("127.0.0.1:5432", "localhost:5432", 8, "links.old-db.upstream: unknown service"),
    "customers of no link": ("customers: front", "customers: web", 9, "customers: unknown link 'web'"),
    "a shell's line": (
        "[notes, stop]",
        "notes stop",
        4,
        "services.web.stop: found 'notes stop', expected a command",
    ),
    "a name in braces": ("{link.web-db}", "{link.web}", 4, "services.web.start[4]: unknown name in braces 'link.web'"),
    "a port of nobody": ("{shared}/notes", "{port}", 16, "prepare[0][1]: unknown name in braces 'port'"),
    "no path": (
        "health: /healthz",
        "health: healthz",
        4,
        "services.web.health: found 'healthz', expected tcp",
    ),
    "two verbs": (
        "{get: /notes, rate: 20}",
        "{get: /a, post: /a, rate: 20}",
        12,
        "loads.reading.pages: exactly one",
    ),
    "too fast": ("rate: 20}", "rate: 5000}", 12, "loads.reading.pages.rate: found the number 5000, expected"),
    "a port twice": ("listen: 8000", "listen: 5999", 6, "links.front.listen: port 5999 stands twice"),
    "a port of the system": ("listen: 8000", "listen: 80", 6, "links.front.listen: found the number 80"),
    "the proxy's name": ("  db: {", "  toxiproxy: {", 3, "services: 'toxiproxy' is the proxy server's own name"),
    "slow to start": ("within: 20s", "within: 20m", 4, "services.web.within: found '20m', expected at most 120s"),
}


@pytest.mark.parametrize(("before", "after", "line", "says"), BAD.values(), ids=list(BAD))
def test_refused_with_its_line(file: Path, before: str, after: str, line: int, says: str) -> None:
    assert before in GOOD
    file.write_text(GOOD.replace(before, after))
    with pytest.raises(BadInput) as caught:
        load_target(file)
    assert str(caught.value).startswith(f"{file}:{line}: {says}")


def test_a_targets_name_may_be_a_file(file: Path) -> None:
    assert system(str(file)).offer().links == {"front", "web-db", "old-db"}
    assert system("local").source is None
    with pytest.raises(UnknownName, match="unknown target 'staging'; known: local, compose, or a FILE"):
        system("staging")
    with pytest.raises(BadInput, match=r"absent\.yaml:1: no such file"):
        system(str(file.with_name("absent.yaml")))


# -- drills for it ------------------------------------------------------------------------------------------------

DRILL = """\
drill: web-dies
title: {en: The web process dies, ja: Webプロセスの異常終了}
load: reading
baseline: 5s
timeline:
  - {at: 1s, for: 4s, fault: {kind: kill, service: web}}
objectives: {recover: 9s, detect: 3s}
arms: {no-fault: pass, no-action: pass}
cap: 18s
"""


def drill_for(file: Path, text: str = DRILL) -> Drill:
    path = file.with_name("drill.yaml")
    path.write_text(text)
    return load_drill(path, vocabulary(system(str(file)).offer()))


def test_a_drill_need_not_speak_of_what_is_not_offered(file: Path) -> None:
    drill = drill_for(file)
    assert (drill.sources, drill.phase, drill.alerts, drill.runbook) == ((), "", (), None)
    assert drill.services == {"pages": 20.0, "writes": 2.5}
    offer = system(str(file)).offer()
    assert planning.missing(drill, offer) == ()
    assert planning.known_arms(drill) == ("no-fault", "no-action")
    assert planning.usual_arm(drill) == "no-action"
    with pytest.raises(UnknownName, match="unknown arm 'runbook'; known: no-fault, no-action"):
        planning.runbook_file(drill, "runbook")
    assert planning.plan(drill, "no-action", 7).runbook_sha256 is None


DRILL_BAD = {
    "a link of another target": ("kind: kill, service: web", "kind: down, link: api-pg", 6, "unknown link 'api-pg'"),
    "a service of another target": ("service: web", "service: postgres", 6, "unknown service 'postgres'"),
    "a load of another target": ("load: reading", "load: day-session", 3, "unknown load profile 'day-session'"),
    "an alert": ("cap: 18s", "cap: 18s\nalerts: [OrdersBurn]", 10, "unknown alert 'OrdersBurn'"),
    "nothing to judge": ("{recover: 9s, ", "{", 7, "objectives: none can be judged"),
    "somebody who acts": ("no-action: pass", "runbook: pass", 8, "arms.runbook: somebody acts in it"),
    "stop where nobody orders": (
        "cap: 18s", "cap: 18s\nstop_if: {order_failure_ratio: {above: 0.5, for: 5s}}", 10,
        "stop_if.order_failure_ratio: load reading has no orders",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "line", "says"), DRILL_BAD.values(), ids=list(DRILL_BAD))
def test_a_drill_speaks_of_its_own_target(file: Path, before: str, after: str, line: int, says: str) -> None:
    assert before in DRILL
    with pytest.raises(BadInput) as caught:
        drill_for(file, DRILL.replace(before, after))
    assert caught.value.line == line
    assert says in caught.value.says


def test_a_drill_of_the_catalogue_does_not_fit(file: Path) -> None:
    with pytest.raises(BadInput, match="unknown load profile 'day-session'; known: reading"):
        load_drill("exchange-link-down", vocabulary(system(str(file)).offer()))


def test_who_acts_needs_to_be_told_and_to_have_a_tool(file: Path) -> None:
    brokerage = load_drill("exchange-link-down")
    offer = system(str(file)).offer()
    planning.refuse_arm(brokerage, "no-action", offer, "x.yaml")
    with pytest.raises(MissingMeans) as caught:
        planning.refuse_arm(brokerage, "runbook", offer, "x.yaml")
    assert caught.value.lacks == ("the target has no operator tool", "the target sends no alerts")
    with pytest.raises(MissingMeans) as caught:
        planning.refuse_arm(brokerage, "false-alarm", offer, "x.yaml")
    assert caught.value.lacks == ("the target has no operator tool",)


def test_the_example_is_well_formed_and_short() -> None:
    target = EXAMPLE / "target.yaml"
    assert lint([EXAMPLE], vocabulary(system(str(target)).offer())) == []
    described = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    assert len(described) <= 20
