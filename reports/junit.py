"""JUnit XML: a test suite for each card, a test case for each objective and each check.

Fail is a ``failure``, what could not be judged an ``error``, ``n/a`` is ``skipped``. A card that did not pass always
has at least one red test case, so that no CI shows green for it; but for an attempt that could not judge and was made
once more: all of its cases are skipped and name the run that counts. In a run that cannot judge no case is green: what
kept it from that is an ``error`` with its own words, what nobody can answer therefore one that names the cause, and
what was answered all the same is ``skipped``.

A case is told from all others of the document by class and name, for some CI servers know it by nothing else. The class
is drill, arm and target, the name that of objective or check, with a number where the same was run several times: so
the next run continues the history of this one, whatever its seed, which is a property and stands in what failed.

``verification_bytes`` has a suite a drill instead, and a case an arm, which is green where it behaved as declared. The
form is what Jenkins' schema allows (``junit-10.xsd``).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from drills.judge.scorecard import CheckCell, ObjectiveCell, Scorecard
from drills.spec.places import Places
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


Where = Callable[[Scorecard], Places | None]
"""Where a card's drill is written; None: nobody knows."""


def junit_bytes(documents: Iterable[object], where: Where = lambda card: None) -> bytes:
    """The document for scorecards (records or decoded JSON), in their order; UTF-8."""
    cards = [as_card(document) for document in documents]
    again = superseded(cards)
    names = zip(cards, _repeats(cards, again), strict=True)
    return _document(_suite(card, repeat, again.get(card.run), where(card)) for card, repeat in names)


@dataclass(frozen=True, slots=True)
class ArmCase:
    """An arm that was held against its declaration: what came of it (``pass``, ``fail``, else an error), in words."""

    classname: str
    name: str
    verdict: str
    says: str
    wall_s: float | None


def verification_bytes(suites: Mapping[str, Sequence[ArmCase]]) -> bytes:
    """The document for drills, each with its arms, by the drill's file; UTF-8."""
    return _document(_arms(file, arms) for file, arms in suites.items())


def _arms(file: str, arms: Sequence[ArmCase]) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(arms[0].classname), file=_clean(file))
    cases = [_case(arm.name, arm.verdict, arm.says) for arm in arms]
    for case, arm in zip(cases, arms, strict=True):
        case.set("classname", _clean(arm.classname))
        case.set("time", "0" if arm.wall_s is None else f"{arm.wall_s:.3f}")
    return _filled(suite, cases, sum(arm.wall_s or 0 for arm in arms))


def _document(suites: Iterable[ET.Element]) -> bytes:
    root = ET.Element("testsuites", name="kunren")
    root.extend(suites)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _class(card: Scorecard) -> str:
    """A full stop in the target's name would begin another class."""
    return _clean(f"{called(card)}.{card.arm}.{card.target.replace('.', '_')}")


def _repeats(cards: Sequence[Scorecard], again: Collection[str]) -> Iterator[str]:
    """What is added to the names of a card's cases: where its class was run several times, which of them it is."""
    classes = [_class(card) for card in cards]
    counting = Counter(name for card, name in zip(cards, classes, strict=True) if card.run not in again)
    seen: Counter[str] = Counter()
    for card, name in zip(cards, classes, strict=True):
        kind = "attempt" if card.run in again else "repeat"
        seen[f"{name} {kind}"] += 1
        number = seen[f"{name} {kind}"]
        yield f" ({kind} {number})" if kind == "attempt" or counting[name] > 1 else ""


def _suite(card: Scorecard, repeat: str, again: str | None, where: Places | None) -> ET.Element:
    """``repeat`` ends the names of its cases; ``again`` is the run that was made in place of this one."""
    suite = ET.Element("testsuite", name=_clean(f"{called(card)} {card.arm} seed {card.seed}"), timestamp=card.started)
    if where is not None:
        suite.set("file", _clean(where.file))
    _add_properties(suite, card)
    cases = [*(_objective(card, one) for one in card.objectives), *(_check(card, one) for one in card.checks)]
    if card.verdict != "pass" and not any(case.find(name) is not None for case in cases for name in RED):
        why = f"the card's verdict is {card.verdict}" + ("" if judges(card) else f": {cause(card, 'en')}")
        cases.append(_case("verdict", card.verdict, why))
    ids = [case.get("name", "") for case in cases]
    for number, (id_, case) in enumerate(zip(ids, cases, strict=True)):
        alike = ids[:number].count(id_)
        case.attrib |= {"classname": _class(card), "name": id_ + (f".{alike + 1}" if alike else "") + repeat}
        _say_where(case, id_, card, where)
    if again is not None:
        cases = [_skipped(case, f"{card.verdict}, made once more: {again}") for case in cases]
    return _filled(suite, cases, card.cost.wall_s)


def _filled(suite: ET.Element, cases: Sequence[ET.Element], wall_s: float | None) -> ET.Element:
    """The suite with its cases, their counts, and how long it took."""
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for plural, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(name) is not None for case in cases)))
    suite.set("time", "0" if wall_s is None else f"{wall_s:.3f}")
    return suite


def _add_properties(suite: ET.Element, card: Scorecard) -> None:
    properties = ET.SubElement(suite, "properties")
    for field in PROPERTIES:
        value = attrgetter(field)(card)
        if value is not None:
            ET.SubElement(properties, "property", name=field.partition(".")[0], value=_clean(str(value)))


def _say_where(case: ET.Element, id_: str, card: Scorecard, where: Places | None) -> None:
    """To what is red: the seed of the run, and the line of the drill that asks for it."""
    for red in case:
        if red.tag in RED:
            place = "" if where is None else f"{where.place(id_)}\n"
            red.text = f"{red.text or ''}\n{_clean(place)}seed {card.seed}, run {_clean(card.run)}".strip()


def _objective(card: Scorecard, one: ObjectiveCell) -> ET.Element:
    word = "at least" if one.at_least else "at most"
    limit = amount(one.limit, one.unit)
    if not judges(card) and one.verdict != "n/a":
        return _case(one.id, card.verdict, f"cannot be judged: {cause(card, 'en')}; allowed is {word} {limit}")
    if one.measured is None:
        return _case(one.id, one.verdict, f"not measured, or did not happen; allowed is {word} {limit}")
    case = _case(one.id, one.verdict, f"{measured(one.measured, one.unit)}, allowed is {word} {limit}")
    if one.unit == "s" and isinstance(one.measured, tuple):
        case.set("time", f"{max(one.measured[1], 0):.3f}")
    return case


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
