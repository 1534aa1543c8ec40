"""JUnit XML: a test suite for each card, a test case for each objective and each check.

Fail is a ``failure``, what could not be judged an ``error``, ``n/a`` is ``skipped``. A card that did not pass always
has at least one red test case, so that no CI shows green for it; but for an attempt that could not judge and was made
once more: all of its cases are skipped and name the run that counts.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from drills.scorecard import CheckCell, ObjectiveCell, Scorecard
from reports.card import as_card, called, superseded
from reports.figures import amount, measured

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: a log's control characters, for instance."""

PROPERTIES = ("evidence", "seed", "arm", "run", "verdict", "grade", "target", "operator", "kunren", "subject")
RED = ("failure", "error")


def junit_bytes(documents: Iterable[object]) -> bytes:
    """The document for scorecards (records or decoded JSON), in their order; UTF-8."""
    root = ET.Element("testsuites", name="kunren")
    cards = [as_card(document) for document in documents]
    again = superseded(cards)
    suites = [_suite(card, again.get(card.run)) for card in cards]
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(card: Scorecard, again: str | None) -> ET.Element:
    """``again`` is the run that was made in place of this one."""
    suite = ET.Element("testsuite", name=_clean(f"{called(card)} {card.arm} seed {card.seed}"), timestamp=card.started)
    properties = ET.SubElement(suite, "properties")
    for name in PROPERTIES:
        value = getattr(card, name)
        if value is not None:
            ET.SubElement(properties, "property", name=name, value=_clean(str(value)))
    cases = [*(_objective(card, one) for one in card.objectives), *(_check(card, one) for one in card.checks)]
    if card.verdict != "pass" and not any(case.find(name) is not None for case in cases for name in RED):
        cases.append(_case(card, "verdict", card.verdict, f"the card's verdict is {card.verdict}"))
    if again is not None:
        cases = [_skipped(case, f"{card.verdict}, made once more: {again}") for case in cases]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for plural, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(name) is not None for case in cases)))
    suite.set("time", "0" if card.cost.wall_s is None else f"{card.cost.wall_s:.3f}")
    return suite


def _objective(card: Scorecard, one: ObjectiveCell) -> ET.Element:
    word = "at least" if one.at_least else "at most"
    limit = amount(one.limit, one.unit)
    if one.measured is None:
        return _case(card, one.id, one.verdict, f"not measured, or did not happen; allowed is {word} {limit}")
    return _case(card, one.id, one.verdict, f"{measured(one.measured, one.unit)}, allowed is {word} {limit}")


def _check(card: Scorecard, one: CheckCell) -> ET.Element:
    return _case(card, one.id, one.verdict, one.says, ", ".join(str(item) for item in one.evidence))


def _case(card: Scorecard, name: str, verdict: str, says: str, evidence: str = "") -> ET.Element:
    case = ET.Element("testcase", classname=_clean(called(card)), name=_clean(name), time="0")
    text = _clean(says)
    if verdict == "n/a":
        ET.SubElement(case, "skipped", message=text or "not judged in this arm")
    elif verdict == "fail":
        ET.SubElement(case, "failure", type="fail", message=text).text = _body(text, evidence)
    elif verdict != "pass":
        ET.SubElement(case, "error", type=_clean(verdict), message=text).text = _body(text, evidence)
    elif text:
        ET.SubElement(case, "system-out").text = text
    return case


def _skipped(case: ET.Element, why: str) -> ET.Element:
    """The same case, judged by nobody; what it said stays readable."""
    said = [child.get("message") or child.text or "" for child in case]
    for child in list(case):
        case.remove(child)
    ET.SubElement(case, "skipped", message=_clean(why))
    if any(said):
        ET.SubElement(case, "system-out").text = "\n".join(said)
    return case


def _body(text: str, evidence: str) -> str:
    return f"{text}\nevidence: {_clean(evidence)}" if evidence else text


def _clean(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
