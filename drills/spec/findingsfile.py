"""``findings.yaml``: what failed, whose it is, by when, and what came of it; one plain file for version control.

::

    schema: kunren.findings/1
    findings:
      - id: F-3f9c21aa                    # of what it is about: the same wherever it is found
        drill: night-batch-lock
        arm: runbook
        target: local
        operator: robot                   # robot | human: never mixed
        pace: robot
        kind: objective                   # objective | check | limit (one that was loosened) | run
        about: recover
        severity: medium
        first_seen: {run: …, date: 2026-11-22, evidence: …}
        last_seen: {run: …, date: 2026-11-24, evidence: …}
        times: 3
        detail: 49.1 s, limit 30 s
        limits: [{id: recover, at_most: 30}]
        owner: sato                       # from here on by persons: kunren findings assign, accept, or by hand
        due: 2026-12-31
        ticket: OPS-123
        cause: …
        note: …

A person may edit it; comments below the first key are not kept when the file is written again, a ``note`` is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from drills.spec.calendarkinds import Day
from drills.spec.forms import decode, kind
from drills.spec.reader import Node
from drills.spec.values import TEXT, one_of
from drills.spec.yamlfile import load

SCHEMA: Final = "kunren.findings/1"
LARGEST = 4 << 20
"""Bytes; some thousand findings."""
ID = re.compile(r"F-[0-9a-f]{8}\Z", re.ASCII)
KINDS = ("objective", "check", "limit", "run")
SEVERITIES = ("critical", "high", "medium")
"""The worst first."""
RESULTS = (
    "pass", "fail", "no-card", "cut-short", "unknown", "cannot-judge", "limits-looser", "reaction-quicker",
)  # fmt: skip
"""What came of a retest."""
ANY = "any"
"""In place of arm, target and operator of a limit that was loosened: it holds for all of them."""


def _id(node: Node) -> str:
    written = node.text("the id of a finding")
    if not ID.match(written):
        raise node.expected("the id of a finding, such as F-3f9c21aa")
    return written


if TYPE_CHECKING:
    FindingId: TypeAlias = str
    Number: TypeAlias = float
    Whole: TypeAlias = int
    Words: TypeAlias = str
    FindingKind: TypeAlias = str
    Result: TypeAlias = str
    Severity: TypeAlias = str
    Acts: TypeAlias = str
    Pace: TypeAlias = str
    SchemaName: TypeAlias = str
else:
    FindingId = kind("id", _id, {"type": "string", "pattern": "^F-[0-9a-f]{8}$"})
    Number = kind("number", Node.number, {"type": "number"})
    Whole = kind("number", lambda node: node.integer(0), {"type": "integer", "minimum": 0})
    Words = kind("text", lambda node: node.text(), TEXT)
    FindingKind = one_of(KINDS, "kind")
    Result = one_of(RESULTS, "result of a retest")
    Severity = one_of(SEVERITIES, "severity")
    Acts = one_of(("robot", "human", "none", ANY), "operator")
    Pace = one_of(("robot", "person"), "pace")
    SchemaName = one_of((SCHEMA,), "schema")


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the file."""


class Seen(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """A run in which it was seen; ``evidence`` is its number."""

    run: Words
    date: Day
    evidence: Words | None = None


class LimitForm(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """A limit that held when it was seen: a retest under a looser one shows nothing."""

    id: Words
    at_most: Number | None = None
    at_least: Number | None = None


class Acceptance(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """The risk is accepted, by somebody who is not the owner, until a day."""

    reason: Words
    until: Day
    approver: Words
    since: Day


class Attempt(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """One retest, whatever came of it: ``pass``, ``fail``, ``no-card`` …"""

    run: Words
    date: Day
    seed: Whole
    result: Result


class Closure(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """When it was closed, and by which runs."""

    date: Day
    by: tuple[Words, ...]


class Finding(_Form, frozen=True, kw_only=True, omit_defaults=True):
    """One finding. What persons set comes last; ``file``: of a drill that is not in the catalogue."""

    id: FindingId
    drill: Words
    arm: Words
    target: Words
    operator: Acts
    pace: Pace
    kind: FindingKind
    about: Words
    severity: Severity
    first_seen: Seen
    last_seen: Seen
    times: Whole
    detail: Words | None = None
    limits: tuple[LimitForm, ...] = ()
    checks: tuple[Words, ...] = ()
    accepts: tuple[Words, ...] = ()
    reaction_s: Number | None = None
    file: Words | None = None
    recurrences: tuple[Seen, ...] = ()
    retests: tuple[Attempt, ...] = ()
    closed: Closure | None = None
    accepted: Acceptance | None = None
    owner: Words | None = None
    due: Day | None = None
    ticket: Words | None = None
    cause: Words | None = None
    note: Words | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody has to do something about it, or to accept it."""
        return self.closed is None and self.accepted is None


class FindingsFile(_Form, frozen=True, kw_only=True):
    """The whole file."""

    schema: SchemaName
    findings: tuple[Finding, ...] = ()


def load_findings(file: Path) -> tuple[Finding, ...]:
    """The findings in a file, in its order; none where there is no such file. BadInput with file:line."""
    if not file.exists():
        return ()
    doc = load(file, LARGEST)
    root = Node(doc, (), doc.data)
    found = decode(FindingsFile, root).findings
    for place, finding in enumerate(found):
        node = root.child("findings").child(place)
        if finding.id in [each.id for each in found[:place]]:
            raise node.child("id").bad(f"{node.name}.id: {finding.id} stands twice")
        _sensible(finding, node)
    return found


def _sensible(finding: Finding, node: Node) -> None:
    for place, limit in enumerate(finding.limits):
        if (limit.at_most is None) == (limit.at_least is None):
            at = node.child("limits").child(place)
            raise at.bad(f"{at.name}: say either at_most or at_least")
    if finding.accepted is not None:
        at = node.child("accepted")
        if finding.owner is None or same_person(finding.owner, finding.accepted.approver):
            raise at.bad(f"{at.name}: the approver must be somebody else than the owner, and there must be an owner")
        if finding.accepted.until < finding.accepted.since:
            raise at.bad(f"{at.name}: until is before since")
    if finding.closed is not None and len(set(finding.closed.by)) < (1 if finding.kind == "limit" else 3):
        at = node.child("closed")
        raise at.bad(f"{at.name}: a finding is closed by three passes in a row: kunren findings retest {finding.id}")


def same_person(one: str, other: str) -> bool:
    """Whether two names mean the same person, as far as their letters tell."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
