"""Malformed drill files: each is refused with its own line and says what was found and what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from drills.errors import BadInput
from drills.spec.drill import load_drill
from drills.spec.vocabulary import Vocabulary, standing
from faults.fault import FaultRecord
from targets.references import LinkName, ServiceName


class Cut(FaultRecord, frozen=True):
    link: LinkName
    stream: Literal["upstream", "downstream", "both"] = "both"
    timeout: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0


class Kill(FaultRecord, frozen=True):
    service: ServiceName
    signal: int = 9

    def __post_init__(self) -> None:
        if self.service == "gateway" and self.signal == 0:
            raise ValueError("signal 0 does nothing to the gateway")


WORDS = Vocabulary(
    faults={"timeout": Cut, "kill": Kill},
    checks=("cash-conserved", "no-duplicates", *standing()),
    loads={"day-session": {"orders": 25.0, "inquiry": 35.0}},
    links=("exchange-a", "exchange-b"),
    services=("api", "gateway"),
    alerts=("LinkSilent", "OrdersBurn"),
    adjustable={"gateway.window": 16, "api.pool_wait_s": 2.0},
)

GOOD = """\
drill: link-down
title: {en: The link goes silent, ja: 回線の無応答}
sources: [rkt-05, fsa-t05]
phase: D3
load: day-session
slo: {latency: 1s, hold: 5s}
baseline: 5s
timeline:
  - at: {between: [2s, 6s]}
    for: until-judged
    fault: {kind: timeout, link: exchange-a, stream: both}
alerts: [LinkSilent]
runbook: runbook.yaml
objectives: {detect: 3s, duplicated: 0, served_ratio: {at_least: 0.5}}
checks: [cash-conserved]
arms:
  no-fault: pass
  no-action: {verdict: fail, grade: unable}
stop_if: {failure_ratio: {service: orders, above: 0.95, for: 30s}}
cap: 20s
"""

REQUIRED = "drill, title, sources, phase, load, baseline, timeline, alerts, runbook, objectives, checks, arms, cap"
ALL = f"{REQUIRED}, slo, stop_if, fidelity, limits, accepts, governing, business_start, settings, pace"
METRICS = ", ".join(DOMAINS.metrics)
CHECKS = ", ".join(WORDS.checks)
PHASES = "E1, N1, N2, N3, D0, D1, D2, D3, D4, D5, W"
A_TIME = "a time with its unit, such as 5s; units: ms, s, m, h"

CASES = {
    # name: (text to replace, replacement, line, message)
    "unknown key": ("baseline:", "basline:", 7, f"unknown key 'basline', did you mean 'baseline'? known: {ALL}"),
    "missing key": ("cap: 20s\n", "", 1, f"missing key 'cap'; required: {REQUIRED}"),
    "key twice": ("cap: 20s", "cap: 20s\nphase: D3", 21, "key 'phase' stands twice, first in line 4"),
    "name with a slash": (
        "drill: link-down",
        "drill: ../etc",
        1,
        "drill: found '../etc', expected a name of lower-case letters, digits and hyphens, at most 64",
    ),
    "no Japanese title": (", ja: 回線の無応答", "", 2, "title: missing key 'ja'; required: en, ja"),
    "blank title": ("ja: 回線の無応答", 'ja: " "', 2, "title.ja: found blank text, expected Japanese text"),
    "no source": ("[rkt-05, fsa-t05]", "[]", 3, "sources: found an empty list, expected a list of sources"),
    "source of no catalogue": (
        "fsa-t05",
        "see wiki",
        3,
        "sources[1]: found 'see wiki', expected an id of the incident catalogue, such as rkt-05",
    ),
    "source twice": ("fsa-t05", "rkt-05", 3, "sources[1]: source 'rkt-05' stands twice"),
    "unknown phase": ("phase: D3", "phase: D9", 4, f"phase: unknown phase 'D9'; known: {PHASES}"),
    "phase that YAML 1.1 calls false": ("phase: D3", "phase: off", 4, f"phase: unknown phase 'off'; known: {PHASES}"),
    "unknown load": (
        "load: day-session",
        "load: day-sesion",
        5,
        "load: unknown load profile 'day-sesion', did you mean 'day-session'? known: day-session",
    ),
    "unknown slo": (
        "hold: 5s",
        "holds: 5s",
        6,
        "slo: unknown key 'holds', did you mean 'hold'? known: latency, hold, grace, notice, monitor_gap",
    ),
    "time without unit": ("baseline: 5s", "baseline: 5", 7, f"baseline: found the number 5, expected {A_TIME}"),
    "sexagesimal": ("baseline: 5s", "baseline: 1:30", 7, f"baseline: found '1:30', expected {A_TIME}"),
    "unknown unit": (
        "baseline: 5s",
        "baseline: 5sec",
        7,
        "baseline: unknown unit 'sec'; known: ms, s, m, h (found '5sec')",
    ),
    "zero baseline": ("baseline: 5s", "baseline: 0s", 7, "baseline: found '0s', expected more than zero"),
    "longer than a day": ("cap: 20s", "cap: 999h", 20, "cap: found '999h', expected at most 24h"),
    "timeline no list": (
        "  - at:",
        "    at:",
        9,
        "timeline: found a mapping of at, for, fault, expected a list of faults",
    ),
    "no onset": (
        "  - at: {between: [2s, 6s]}\n    for",
        "  - for",
        9,
        "timeline[0]: missing key 'at'; required: at, for, fault",
    ),
    "between of one": (
        "[2s, 6s]",
        "[2s]",
        9,
        "timeline[0].at.between: found a list of 1, expected a list of two, [lowest, highest]",
    ),
    "between backwards": (
        "[2s, 6s]",
        "[6s, 2s]",
        9,
        "timeline[0].at.between: the first must be less than the second",
    ),
    "between of words": (
        "link: exchange-a",
        "link: {between: [exchange-a, exchange-b]}",
        11,
        "timeline[0].fault.link.between[0]: found 'exchange-a'; only numbers and times have a between",
    ),
    "until never": (
        "until-judged",
        "until-juged",
        10,
        "timeline[0].for: found 'until-juged', expected a time such as 5s, or until-judged",
    ),
    "unknown fault kind": (
        "kind: timeout",
        "kind: timeot",
        11,
        "timeline[0].fault.kind: unknown fault kind 'timeot', did you mean 'timeout'? known: timeout, kill",
    ),
    "no fault kind": ("kind: timeout, ", "", 11, "timeline[0].fault: missing key 'kind'; known kinds: timeout, kill"),
    "unknown field of a fault": (
        "stream: both",
        "streem: both",
        11,
        "timeline[0].fault: unknown key 'streem', did you mean 'stream'? known: kind, link, stream, timeout",
    ),
    "field missing in a fault": (
        ", link: exchange-a",
        "",
        11,
        "timeline[0].fault: missing key 'link'; required: kind, link",
    ),
    "unknown link": (
        "link: exchange-a",
        "link: exchange-c",
        11,
        "timeline[0].fault.link: unknown link 'exchange-c', did you mean 'exchange-b'? known: exchange-a, exchange-b",
    ),
    "unknown link in an enumeration": (
        "link: exchange-a",
        "link: [exchange-a, nowhere]",
        11,
        "timeline[0].fault.link[1]: unknown link 'nowhere'; known: exchange-a, exchange-b",
    ),
    "unknown service": (
        "{kind: timeout, link: exchange-a, stream: both}",
        "{kind: kill, service: gatewy}",
        11,
        "timeline[0].fault.service: unknown service 'gatewy', did you mean 'gateway'? known: api, gateway",
    ),
    "fields that do not go together": (
        "{kind: timeout, link: exchange-a, stream: both}",
        "{kind: kill, service: [api, gateway], signal: 0}",
        11,
        "timeline[0].fault: signal 0 does nothing to the gateway",
    ),
    "unknown stream": (
        "stream: both",
        "stream: up",
        11,
        "timeline[0].fault.stream: unknown stream 'up'; known: both, downstream, upstream",
    ),
    "wrong type in a fault": (
        "stream: both",
        "timeout: soon",
        11,
        "timeline[0].fault.timeout: Expected int, got str",
    ),
    "out of a fault's bounds": (
        "stream: both",
        "timeout: {between: [1, 60001]}",
        11,
        "timeline[0].fault.timeout.between[1]: Expected int <= 60000",
    ),
    "strikes after the cap": (
        "alerts:",
        "  - {at: 22s, for: 1s, fault: {kind: kill, service: api}}\nalerts:",
        12,
        "timeline[1]: may strike after the cap",
    ),
    "lasts beyond the cap": (
        "alerts:",
        "  - {at: 5s, for: 17s, fault: {kind: kill, service: api}}\nalerts:",
        12,
        "timeline[1]: may last beyond the cap",
    ),
    "unknown alert": (
        "[LinkSilent]",
        "[LinkSilnt]",
        12,
        "alerts[0]: unknown alert 'LinkSilnt', did you mean 'LinkSilent'? known: LinkSilent, OrdersBurn",
    ),
    "no alert": ("[LinkSilent]", "[]", 12, "alerts: found an empty list, expected a list of alerts"),
    "no such runbook": ("runbook.yaml", "runbok.yaml", 13, "runbook: no such file: {folder}/runbok.yaml"),
    "runbook elsewhere": ("runbook.yaml", "/etc/passwd", 13, "runbook: /etc/passwd lies outside of {folder}"),
    "unknown metric": (
        "detect: 3s",
        "detct: 3s",
        14,
        f"objectives: unknown metric 'detct', did you mean 'detect'? known: {METRICS}",
    ),
    "duration as a number": (
        "detect: 3s",
        "detect: 3",
        14,
        f"objectives.detect: found the number 3, expected {A_TIME}",
    ),
    "count as a time": (
        "duplicated: 0",
        "duplicated: 0s",
        14,
        "objectives.duplicated: found '0s', expected a whole number of at least 0",
    ),
    "negative count": (
        "duplicated: 0",
        "duplicated: -1",
        14,
        "objectives.duplicated: found the number -1, expected a whole number of at least 0",
    ),
    "ratio that may be anything": (
        "{at_least: 0.5}",
        "0.5",
        14,
        "objectives.served_ratio: found the number 0.5, expected {at_least: …}, because more is better",
    ),
    "ratio above one": (
        "at_least: 0.5",
        "at_least: 50",
        14,
        "objectives.served_ratio.at_least: found the number 50, expected a number from 0 to 1",
    ),
    "at least so late": (
        "detect: 3s",
        "detect: {at_least: 3s}",
        14,
        "objectives.detect: unknown key 'at_least', did you mean 'at_most'? known: at_most, because, approved_by",
    ),
    "objective that cannot be missed": (
        "detect: 3s",
        "detect: 30s",
        14,
        "objectives.detect: longer than the cap; it could never be missed",
    ),
    "no objective": (
        "{detect: 3s, duplicated: 0, served_ratio: {at_least: 0.5}}",
        "{}",
        14,
        "objectives: found an empty mapping, expected at least one objective",
    ),
    "unknown check": (
        "[cash-conserved]",
        "[cash-conservd]",
        15,
        f"checks[0]: unknown check 'cash-conservd', did you mean 'cash-conserved'? known: {CHECKS}",
    ),
    "unknown arm": (
        "no-fault: pass",
        "nofault: pass",
        17,
        "arms: unknown arm 'nofault'; known: no-fault, false-alarm, no-action, runbook, without:STEP, wrong:NAME",
    ),
    "unknown verdict": (
        "no-fault: pass",
        "no-fault: passed",
        17,
        "arms.no-fault: unknown verdict 'passed', did you mean 'pass'? known: pass, fail, unknown",
    ),
    "unknown grade": (
        "grade: unable",
        "grade: bad",
        18,
        "arms.no-action.grade: unknown grade 'bad'; known: performed, some-challenges, major-challenges, unable",
    ),
    "unknown stop": (
        "failure_ratio",
        "failure_ration",
        19,
        "stop_if: unknown key 'failure_ration', did you mean 'failure_ratio'? known: failure_ratio",
    ),
    "stop of a service that nobody asks": (
        "service: orders",
        "service: order",
        19,
        "stop_if.failure_ratio.service: unknown service of load day-session 'order', did you mean 'orders'?"
        " known: orders, inquiry",
    ),
    "stop of a service that nobody asks, in a list": (
        "{failure_ratio: {service: orders, above: 0.95, for: 30s}}",
        "[{failure_ratio: {service: inquiry, above: 0.9, for: 1s}}, {failure_ratio: {service: x, above: 1, for: 1s}}]",
        19,
        "stop_if[1].failure_ratio.service: unknown service of load day-session 'x'; known: orders, inquiry",
    ),
    "stop without a service": (
        "service: orders, ",
        "",
        19,
        "stop_if.failure_ratio: missing key 'service'; required: service, above, for",
    ),
    "stop above one": (
        "above: 0.95",
        "above: 95",
        19,
        "stop_if.failure_ratio.above: found the number 95, expected a number from 0 to 1",
    ),
    "cap within the hold": (
        "cap: 20s",
        "cap: 5s",
        20,
        "cap: no longer than slo.hold; nothing could ever count as restored",
    ),
    "unknown fidelity": (
        "cap: 20s",
        "cap: 20s\nfidelity: high",
        21,
        "fidelity: found 'high', expected F, P, A, T or a sum such as F+T",
    ),
    "condition with a number typed in": (
        "cap: 20s",
        "cap: 20s\ngoverning: {id: x, en: a > b, ja: a > b, left: [18], right: [load.orders]}",
        21,
        "governing.left[0]: found the number 18, expected the name of a quantity; a number is computed from load,"
        " settings and measurement",
    ),
    "condition with a place that is no quantity of it": (
        "cap: 20s",
        'cap: 20s\ngoverning: {id: x, en: "{measured.decid}", ja: a,'
        " left: [measured.decide], right: [measured.decide]}",
        21,
        "governing.en: unknown quantity 'measured.decid', did you mean 'measured.decide'? known: measured.decide, left,"
        " right, relation",
    ),
    "condition that says it was met whatever the run shows": (
        "cap: 20s",
        'cap: 20s\ngoverning: {id: x, en: "{left} > {right}", ja: a,'
        " left: [measured.decide], right: [measured.decide]}",
        21,
        "governing.en: needs {relation} between its sides: > where the run met it, else ≤",
    ),
    "setting that the target has not": (
        "cap: 20s",
        "cap: 20s\nsettings: {gateway.windo: 2}",
        21,
        "settings: unknown setting 'gateway.windo', did you mean 'gateway.window'? known: gateway.window,"
        " api.pool_wait_s",
    ),
    "half of a whole number": (
        "cap: 20s",
        "cap: 20s\nsettings: {gateway.window: 2.5}",
        21,
        "settings.gateway.window: found the number 2.5, expected a whole number of at least 0",
    ),
    "no time of day": (
        "cap: 20s",
        "cap: 20s\nbusiness_start: 25:00",
        21,
        "business_start: found '25:00', expected a time of day such as 09:30",
    ),
    "a tab": ("  - at:", "\t- at:", 9, "a tab; YAML is indented with spaces"),
    "an alias": ("title: {en", "title: &t {en", 2, "anchors and aliases are not taken here"),
    "a tag": ("cap: 20s", "cap: !!python/name:os.system 20s", 20, "tags are not taken here"),
    "two documents": ("cap: 20s", "cap: 20s\n---\nmore: 1", 21, "a second document; a file holds one"),
    "a merge key": ("cap: 20s", "cap: 20s\n<<: {a: 1}", 21, "merge keys are not taken here"),
    "unclosed": ("[LinkSilent]", "[LinkSilent", 13, "not YAML: expected ',' or ']', but got ':'"),
    "a control character": ("phase: D3", "phase: D\x073", 4, "character U+0007 is not allowed in YAML"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runbook.yaml").write_text("runbook: link-down\n")
    return tmp_path


def refusal(folder: Path, source: bytes) -> BadInput:
    file = folder / "drill.yaml"
    file.write_bytes(source)
    with pytest.raises(BadInput) as caught:
        load_drill(file, WORDS)
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_refuses_with_line_and_words(folder: Path, case: str) -> None:
    old, new, line, says = CASES[case]
    assert GOOD.count(old) == 1, "the case must change one place"
    error = refusal(folder, GOOD.replace(old, new).encode())
    assert str(error) == f"{folder}/drill.yaml:{line}: {says.replace('{folder}', str(folder))}"
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        (b"", 1, "empty file"),
        (b"# nothing but a comment\n", 1, "empty file"),
        (b"drill\n", 1, f"the file: found 'drill', expected a mapping of {ALL}"),
        (b"- a\n- b\n", 1, f"the file: found a list of 2, expected a mapping of {ALL}"),
        (b"drill: a\nload: \xff\n", 2, "byte 15 is not UTF-8 (invalid start byte)"),
        ("drill: 株\n".encode("shift_jis"), 1, "byte 7 is not UTF-8 (invalid start byte)"),
        (b"? [a]\n: b\n", 1, "a key must be one plain word"),
        (b"a: " + b"[" * 99 + b"]" * 99, 1, "nested deeper than 30"),
        (b"#" * (256 * 1024 + 1), 1, "larger than 256 KiB, which no such file needs"),
    ],
)
def test_refuses_what_is_no_drill_at_all(folder: Path, source: bytes, line: int, says: str) -> None:
    assert str(refusal(folder, source)) == f"{folder}/drill.yaml:{line}: {says}"


def test_refuses_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.yaml:1: no such file$"):
        load_drill(tmp_path / "nowhere.yaml", WORDS)
    (tmp_path / "drill.yaml").mkdir()
    with pytest.raises(BadInput, match=r"drill\.yaml:1: this is a folder, a YAML file was expected$"):
        load_drill(tmp_path / "drill.yaml" / "..", WORDS)


def test_the_good_file_is_good(folder: Path) -> None:
    (folder / "drill.yaml").write_text(GOOD)
    assert load_drill(folder, WORDS).checks == ("cash-conserved", *standing())
