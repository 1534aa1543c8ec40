"""``wrong.yaml``: the documented wrong variants of a drill's runbook, each by its edits or as a whole file.

::

    reopen-early:
      source: M01                                    # id of the documented mistake
      what: {en: …, ja: …}                           # what is wrong in it
      expect: {verdict: fail, by: [no-wrong-figure-acted-on]}
      edits: [{move: open-orders, before: drain}]    # or  runbook: FILE
    kill-backend:
      source: P01
      what: {en: …, ja: …}
      harmless: {en: …, ja: …}                       # found to do no harm here, and why; run and reported, not wrong
      edits: [{replace: end-session, with: {run: …}}]
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from drills.spec.arms import Expectation, expectation
from drills.spec.files import named
from drills.spec.reader import SLUG, Node, Words, read

FILE = "wrong.yaml"
REQUIRED = ("source", "what")
OPTIONAL = ("expect", "harmless", "edits", "runbook")


@dataclass(frozen=True, slots=True)
class Variant:
    """One wrong variant: ``edits`` of the right runbook, or ``whole``, the file of another one."""

    name: str
    at: Node
    source: str
    what: Words
    expect: Expectation
    edits: tuple[Node, ...]
    whole: Path | None

    @property
    def harmless(self) -> Words | None:
        """Why it does no harm here; None for one that does."""
        return self.expect.cause


def load_variants(file: Path, outcomes: Collection[str] | None = None) -> dict[str, Variant]:
    """Name -> variant, in the file's order, the harmless ones last; none where there is no such file.

    ``outcomes``: ids of the checks and metrics that one may be caught by (default: all known). BadInput with file:line.
    """
    if not file.exists():
        return {}
    known = _outcomes() if outcomes is None else outcomes
    found = [_variant(name, node, known) for name, node in read(file).mapping("variants by name").items()]
    return {variant.name: variant for variant in sorted(found, key=lambda variant: variant.harmless is not None)}


def _variant(name: str, node: Node, outcomes: Collection[str]) -> Variant:
    if not SLUG.match(name):
        raise node.bad(f"found '{name}', expected a name of lower-case letters, digits and hyphens", at_key=True)
    fields = node.fields(REQUIRED, OPTIONAL)
    _one_of(node, fields, ("expect", "harmless"))
    _one_of(node, fields, ("edits", "runbook"))
    return Variant(
        name,
        node,
        fields["source"].text("the id of the documented mistake"),
        fields["what"].words(),
        _expectation(fields, outcomes),
        tuple(fields["edits"].items("a list of edits", least=1)) if "edits" in fields else (),
        named(fields["runbook"], "a runbook file") if "runbook" in fields else None,
    )


def _one_of(node: Node, fields: dict[str, Node], keys: tuple[str, str]) -> None:
    if sum(key in fields for key in keys) != 1:
        raise node.bad(f"{node.name}: say either {keys[0]} or {keys[1]}")


def _expectation(fields: dict[str, Node], outcomes: Collection[str]) -> Expectation:
    if "harmless" in fields:
        return Expectation("pass", cause=fields["harmless"].words())
    found = expectation(fields["expect"], outcomes)
    if found.verdict != "fail" or not found.by:
        says = "expect: a wrong variant must fail, by named checks; one that does no harm says why in 'harmless'"
        raise fields["expect"].bad(says)
    return found


def _outcomes() -> tuple[str, ...]:
    from drills.domains.registry import DOMAINS  # when asked for: reading a right runbook needs no judge

    return (*DOMAINS.checks, *DOMAINS.metrics)
