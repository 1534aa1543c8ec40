"""JUnit XML: a test suite for each card, a test case for each objective and each check.

Fail is a ``failure``, what could not be judged an ``error``, ``n/a`` is ``skipped``. A card that did not pass always
has at least one red test case, so that no CI shows green for it; but for an attempt that could not judge and was made
once more: all of its cases are skipped and name the run that counts. In a run that cannot judge no case is green: what
kept it from that is an ``error`` with its own words, what nobody can answer therefore one that names the cause, and
what was answered all the same is ``skipped``.

A case is told from all others of the document by class and name, for some CI servers know it by nothing else. The class
is drill, arm and seed, so that the same case of the next run is found again; what tells apart runs that share all three
comes after them.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter

from drills.judge.scorecard import CheckCell, ObjectiveCell, Scorecard
from reports.card import as_card, called, judges, superseded
from reports.figures import amount, measured
from reports.unjudged import cause
from reports.words import sentence

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: a log's control characters, for instance."""

PROPERTIES = (
    "evidence", "seed", "arm", "run", "verdict", "grade", "target", "operator.kind", "kunren", "subject",
)  # fmt: skip
"""Fields of the card; a part of one has the name of the whole in the document."""

RED = ("failure", "error")


def junit_bytes(documents: Iterable[object]) -> bytes:
    """The document for scorecards (records or decoded JSON), in their order; UTF-8."""
    root = ET.Element("testsuites", name="kunren")
    cards = [as_card(document) for document in documents]
    again = superseded(cards)
    classes = _classes(cards)
    suites = [_suite(card, name, again.get(card.run)) for card, name in zip(cards, classes, strict=True)]
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _classes(cards: Sequence[Scorecard]) -> list[str]:
    """A class for each card: drill, arm, seed; attempt, start or a number only where that tells apart what is alike."""
    classes = [f"{called(card)}.{card.arm}.seed-{card.seed}" for card in cards]
    attempts = [f".attempt-{card.attempts}" for card in cards]
    starts = [f".{_start(card)}" for card in cards]
    numbers = [f".{number}" for number in range(1, len(cards) + 1)]
    for more in (attempts, starts, numbers):
        pairs = list(zip(classes, more, strict=True))
        kinds = Counter(name for name, _ in set(pairs))
        classes = [name + end if kinds[name] > 1 else name for name, end in pairs]
    return classes


def _start(card: Scorecard) -> str:
    """The start of the run as its folder has it; a full stop in it would begin another class."""
    return card.run.rpartition("/")[2].partition("-")[0].replace(".", "_")


def _suite(card: Scorecard, classname: str, again: str | None) -> ET.Element:
    """``classname`` of its cases; ``again`` is the run that was made in place of this one."""
    suite = ET.Element("testsuite", name=_clean(f"{called(card)} {card.arm} seed {card.seed}"), timestamp=card.started)
    properties = ET.SubElement(suite, "properties")
    for field in PROPERTIES:
        value = attrgetter(field)(card)
        if value is not None:
            ET.SubElement(properties, "property", name=field.partition(".")[0], value=_clean(str(value)))
    cases = [*(_objective(card, one) for one in card.objectives), *(_check(card, one) for one in card.checks)]
    if card.verdict != "pass" and not any(case.find(name) is not None for case in cases for name in RED):
        why = f"the card's verdict is {card.verdict}" + ("" if judges(card) else f": {cause(card, 'en')}")
        cases.append(_case("verdict", card.verdict, why))
    for number, case in enumerate(cases):
        case.set("classname", _clean(classname))
        alike = sum(case.get("name") == before.get("name") for before in cases[:number])
        case.set("name", f"{case.get('name')}.{alike + 1}" if alike else case.get("name", ""))
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
    if not judges(card) and one.verdict != "n/a":
        return _case(one.id, card.verdict, f"cannot be judged: {cause(card, 'en')}; allowed is {word} {limit}")
    if one.measured is None:
        return _case(one.id, one.verdict, f"not measured, or did not happen; allowed is {word} {limit}")
    return _case(one.id, one.verdict, f"{measured(one.measured, one.unit)}, allowed is {word} {limit}")


def _check(card: Scorecard, one: CheckCell) -> ET.Element:
    evidence = ", ".join(str(item) for item in one.evidence)
    says = sentence("en", one)
    if card.cannot_judge is None or one.verdict == "n/a" or one.id in card.cannot_judge.causes:
        return _case(one.id, one.verdict, says, evidence)
    if one.verdict in ("unknown", "invalid"):
        return _case(one.id, card.verdict, f"cannot be judged: {cause(card, 'en')}")
    return _skipped(_case(one.id, one.verdict, says, evidence), f"not counted, the run is {card.verdict}")


def _case(name: str, verdict: str, says: str, evidence: str = "") -> ET.Element:
    case = ET.Element("testcase", classname="", name=_clean(name), time="0")
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
