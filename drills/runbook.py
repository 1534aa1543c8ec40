"""Runbooks: pages that a person can follow and a machine can check and run.

A page says for which alerts and phases it holds, what must never be done, whom to call, and its steps in order. Each
step that runs has the command an operator would type (``definition.commands``), a precondition ``before`` and an
expected result ``expect`` (``definition.demands`` has their form), a time limit, and what follows a failure. When the
*first* step's ``before`` does not hold, the alarm was false and the page ends there, as refused: a good end.

``wrong/NAME.yaml`` is a whole page of the same form with ``source:`` (id of the documented mistake), ``wrong:`` (one
line on what is wrong in it) and ``expect:`` (how its run must end). ``wrong/harmless/NAME.yaml`` was found to do no
harm here and says why in ``cause:``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path

import msgspec

from drills.definition.arms import Expectation, expectation
from drills.definition.metrics import METRICS
from drills.definition.node import Node, Words, read
from drills.definition.page import render_page
from drills.definition.steps import Step, steps
from drills.definition.vocabulary import PHASES

__all__ = ["Escalation", "Runbook", "Sort", "load_runbook", "render_page"]

REQUIRED = ("runbook", "title", "for", "escalation", "steps")


class Sort(StrEnum):
    """Which keys a page must have, told by the folder it lies in, elsewhere by its ``wrong:``."""

    RIGHT = "right"
    WRONG = "wrong"
    HARMLESS = "harmless"


EXTRA = {
    Sort.RIGHT: (),
    Sort.WRONG: ("source", "wrong", "expect"),
    Sort.HARMLESS: ("source", "wrong", "cause"),
}


class Escalation(msgspec.Struct, frozen=True):
    """Whom to call when the page has not helped ``after`` ns, and who stands in for them."""

    after: int
    to: str
    deputy: str


class Runbook(msgspec.Struct, frozen=True):
    """One page; ``content`` is the file's very bytes. The last five fields are for wrong pages only."""

    file: Path
    content: bytes
    id: str
    title: Words
    alerts: tuple[str, ...]
    phases: tuple[str, ...]
    prohibited: tuple[Words, ...]
    escalation: Escalation
    steps: tuple[Step, ...]
    sort: Sort
    source: str | None = None
    wrong: Words | None = None
    expect: Expectation | None = None

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    def step(self, step_id: str) -> Step | None:
        """The step of this id."""
        return next((step for step in self.steps if step.id == step_id), None)


def load_runbook(file: Path, outcomes: Collection[str] | None = None) -> Runbook:
    """Read a page; BadInput with file:line. ``outcomes``: ids a wrong page may be caught by (default: all known)."""
    root = read(file)
    sort = _sort(root)
    fields = root.fields((*REQUIRED, *EXTRA[sort]), ("prohibited", *(("expect",) if sort is Sort.HARMLESS else ())))
    applies = fields["for"].fields(("alerts", "phases"))
    source = fields["source"].text("the id of the documented mistake") if "source" in fields else None
    return Runbook(
        file,
        root.doc.source,
        fields["runbook"].slug(),
        fields["title"].words(),
        applies["alerts"].names(None, "alert", least=1),
        applies["phases"].names(PHASES, "phase", least=1),
        _prohibited(fields.get("prohibited")),
        _escalation(fields["escalation"]),
        steps(fields["steps"]),
        sort,
        source,
        fields["wrong"].words() if "wrong" in fields else None,
        _expectation(fields, sort, _outcomes() if outcomes is None and sort is not Sort.RIGHT else outcomes or ()),
    )


def _sort(root: Node) -> Sort:
    folder = root.doc.file.parent
    if folder.name == "harmless" and folder.parent.name == "wrong":
        return Sort.HARMLESS
    if folder.name == "wrong" or (isinstance(root.value, dict) and "wrong" in root.value):
        return Sort.WRONG
    return Sort.RIGHT


def _outcomes() -> tuple[str, ...]:
    from drills.checkers import CHECKS  # here, because a right page needs no checker

    return (*CHECKS, *METRICS)


def _prohibited(node: Node | None) -> tuple[Words, ...]:
    return () if node is None else tuple(item.words() for item in node.items())


def _escalation(node: Node) -> Escalation:
    fields = node.fields(("after", "to", "deputy"))
    return Escalation(fields["after"].time(positive=True), fields["to"].text("a role"), fields["deputy"].text("a role"))


def _expectation(fields: dict[str, Node], sort: Sort, outcomes: Collection[str]) -> Expectation | None:
    if sort is Sort.RIGHT:
        return None
    found = expectation(fields["expect"], outcomes) if "expect" in fields else Expectation("pass")
    if sort is Sort.HARMLESS:
        return msgspec.structs.replace(found, cause=fields["cause"].words())
    if found.verdict != "fail" or not found.by:
        raise fields["expect"].bad(
            "expect: a wrong page must fail, by named checks; one that does no harm belongs in wrong/harmless/"
        )
    return found
