from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import junitparser
import msgspec
import pytest

from drills.judge.scorecard import Scorecard
from drills.spec.drill import catalogue
from drills.spec.places import Places, places
from reports.junit import ArmCase, junit_bytes, verification_bytes

from .cards import failed, invalid, passed


def suite(card: dict[str, Any]) -> ET.Element:
    found = ET.fromstring(junit_bytes([card])).find("testsuite")
    assert found is not None
    return found


def outcomes(card: dict[str, Any]) -> dict[str | None, str]:
    marks = {}
    for case in suite(card).iter("testcase"):
        marks[case.get("name")] = next((child.tag for child in case if child.tag != "system-out"), "pass")
    return marks


def test_one_case_for_each_objective_and_check() -> None:
    card = failed()
    assert outcomes(card) == {
        "detect": "pass",
        "contain": "pass",
        "recover": "failure",
        "wrong_figures_acted_on.after_first_step": "failure",
        "served_ratio": "pass",
        "cash-conserved": "pass",
        "executions-one-to-one": "error",
        "no-duplicates": "failure",
        "notices-complete": "pass",
    }
    found = suite(card)
    assert {case.get("classname") for case in found.iter("testcase")} == {
        "exchange-link-down.wrong:resend-unknowns-blindly.local"
    }
    assert {name: found.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "9",
        "failures": "3",
        "errors": "1",
        "skipped": "0",
        "time": "41.000",
    }


def test_reasons_and_evidence_are_in_the_failure() -> None:
    cases = {case.get("name"): case for case in suite(failed()).iter("testcase")}
    names = ("no-duplicates", "recover", "wrong_figures_acted_on.after_first_step")
    doubled, late, acted = (cases[name].find("failure") for name in names)
    assert doubled is not None
    assert late is not None
    assert acted is not None
    assert doubled.get("message") == "9 orders stand twice at the exchange"
    assert doubled.text is not None
    assert "evidence: exchange:O-120, exchange:O-133, exchange:O-140\n" in doubled.text
    assert doubled.text.endswith(f"seed 7, run {failed()['run']}")
    assert late.get("message") == "not measured, or did not happen; allowed is at most 30 s"
    assert acted.get("message") == "12, allowed is at most 0"


def test_properties_identify_the_run() -> None:
    found = {item.get("name"): item.get("value") for item in suite(passed()).iter("property")}
    assert found["evidence"] == "3f9c" * 16
    assert found["seed"] == "7"
    assert found["arm"] == "runbook"
    assert "subject" not in found


def test_what_cannot_be_judged_is_an_error_and_na_is_skipped() -> None:
    marks = outcomes(invalid())
    assert marks["load-reached-its-rate"] == "error"
    assert marks["detect"] == "error"
    assert marks["no-page"] == "skipped"


@pytest.mark.parametrize("verdict", ["fail", "unknown", "invalid"])
def test_no_green_suite_for_a_card_that_did_not_pass(verdict: str) -> None:
    assert ("failure" if verdict == "fail" else "error") in outcomes(passed() | {"verdict": verdict}).values()
    assert set(outcomes(passed()).values()) == {"pass"}


def test_a_card_without_a_red_cell_has_a_case_for_its_verdict() -> None:
    assert outcomes(passed() | {"verdict": "fail"})["verdict"] == "failure"
    nothing = passed() | {"verdict": "unknown", "objectives": [], "checks": []}
    (case,) = suite(nothing).iter("testcase")
    assert [error.get("message") for error in case] == ["the card's verdict is unknown: nothing was judged"]
    assert "verdict" not in outcomes(passed())


def test_hostile_text_stays_valid_xml() -> None:
    card = failed()
    card["checks"][2]["reasons"] = [{"id": 'a "<b>" & ]]> \x00\x1b[31m 約定 \ud800'}]
    found = {case.get("name"): case for case in suite(card).iter("testcase")}["no-duplicates"].find("failure")
    assert found is not None
    assert found.get("message") == 'a "<b>" & ]]> \ufffd\ufffd[31m 約定 \ufffd'


def test_several_cards_are_several_suites_and_records_do_as_well_as_json() -> None:
    record = msgspec.convert(passed(), Scorecard)
    root = ET.fromstring(junit_bytes([record, failed()]))
    assert [one.get("name") for one in root.iter("testsuite")] == [
        "exchange-link-down runbook seed 7",
        "exchange-link-down wrong:resend-unknowns-blindly seed 7",
    ]
    assert root.get("tests") == "18"


def cases(*cards: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    root = ET.fromstring(junit_bytes(cards))
    return [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]


def other(**fields: Any) -> dict[str, Any]:
    return passed() | fields


LATER = "exchange-link-down/20261122T110000.250Z-runbook-7"
BESIDE: dict[str, dict[str, Any]] = {
    "another arm": other(arm="no-action", run="exchange-link-down/20261122T110000.250Z-no-action-7"),
    "another seed": other(seed=8, run="exchange-link-down/20261122T110000.250Z-runbook-8"),
    "a variant": other(variant="mail", run=LATER),
    "a second attempt": other(attempts=2, run=LATER),
    "the same once more": other(run=LATER),
    "the very same run": passed(),
}


@pytest.mark.parametrize("name", BESIDE)
def test_class_and_name_of_a_case_stand_once_in_a_document(name: str) -> None:
    found = cases(passed(), BESIDE[name])
    assert len(found) == 2 * len(cases(passed()))
    assert len(set(found)) == len(found)


def test_an_objective_and_a_check_of_one_name_are_two_cases() -> None:
    card = passed()
    card["checks"][0] |= {"id": "detect"}
    found = cases(card)
    assert len(set(found)) == len(found)


def test_the_next_run_of_the_same_arm_has_the_same_cases_whatever_its_seed() -> None:
    assert cases(passed()) == cases(other(run=LATER, seed=8, started="2026-11-22T11:00:00Z"))


def test_of_several_runs_of_an_arm_each_case_has_its_number() -> None:
    names = [name for _, name in cases(passed(), other(run=LATER, seed=8)) if name and name.startswith("recover")]
    assert names == ["recover (repeat 1)", "recover (repeat 2)"]


def test_what_took_its_time_has_a_duration_of_its_own() -> None:
    times = {case.get("name"): case.get("time") for case in suite(failed()).iter("testcase")}
    assert times["detect"] == "0.920"
    assert times["served_ratio"] == times["no-duplicates"] == "0"


def test_what_is_red_names_the_line_that_asks_for_it() -> None:
    where = Places("drills/x/drill.yaml", {"recover": 21, "wrong_figures_acted_on": 22, "no-duplicates": 30})
    root = ET.fromstring(junit_bytes([failed()], lambda card: where))
    assert [one.get("file") for one in root.iter("testsuite")] == ["drills/x/drill.yaml"]
    texts = {case.get("name"): red.text or "" for case in root.iter("testcase") for red in case.iter("failure")}
    assert texts["recover"].startswith(
        "not measured, or did not happen; allowed is at most 30 s\ndrills/x/drill.yaml:21\n"
    )
    assert "drill.yaml:22\n" in texts["wrong_figures_acted_on.after_first_step"]
    assert "drill.yaml:30\n" in texts["no-duplicates"]


def test_lines_of_a_drill() -> None:
    found = places(catalogue()["night-batch-lock"])
    source = catalogue()["night-batch-lock"].read_text().splitlines()
    for id_ in ("recover", "wrong_figures_acted_on.after_first_step", "figures-right"):
        line = int(found.place(id_).rpartition(":")[2])
        assert id_.partition(".")[0] in source[line - 1]
    assert found.place("load-on-time") == found.file
    assert places(Path("no/such/drill.yaml")).place("recover") == "no/such/drill.yaml"


ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package",
        "file", "log", "url",
    },
    "testcase": {"name", "time", "classname", "group"},
    "properties": set(),
    "property": {"name", "value"},
    **{name: {"type", "message"} for name in ("failure", "error", "skipped")},
    "system-out": set(),
}  # fmt: skip
"""What Jenkins' schema of such documents has: element -> its attributes (``junit-10.xsd`` of its xUnit plugin)."""

NEEDED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}, "property": {"name", "value"}}
ARMS = [
    ArmCase("x.local", "no-action", "fail", "pass, declared fail", 41.0),
    ArmCase("x.local", "runbook", "pass", "", None),
]
DOCUMENTS = {
    "cards": lambda: junit_bytes([passed(), failed(), invalid()], lambda card: Places("drill.yaml", {})),
    "arms": lambda: verification_bytes({"drill.yaml": ARMS}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_that_jenkins_does_not_know(name: str) -> None:
    for element in ET.fromstring(DOCUMENTS[name]()).iter():
        assert set(element.attrib) <= ALLOWED[element.tag]
        assert NEEDED.get(element.tag, set()) <= set(element.attrib)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_another_reader_counts_the_same(name: str) -> None:
    read = junitparser.JUnitXml.fromstring(DOCUMENTS[name]())
    root = ET.fromstring(DOCUMENTS[name]())
    counted = (read.tests, read.failures, read.errors)
    assert counted == tuple(int(root.get(each, "")) for each in ("tests", "failures", "errors"))
    results = [result for one in read for case in one for result in case.result]
    kinds = (junitparser.Failure, junitparser.Error)
    assert tuple(sum(isinstance(each, kind) for each in results) for kind in kinds) == counted[1:]


def test_an_arm_is_green_where_it_behaved_as_declared() -> None:
    root = ET.fromstring(verification_bytes({"drill.yaml": ARMS}))
    first, second = root.iter("testcase")
    assert [child.tag for child in first] == ["failure"]
    assert list(second) == []
    assert (first.get("time"), root.get("failures")) == ("41.000", "1")
