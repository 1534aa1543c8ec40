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
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
from msgspec import Meta, field

from drills.spec.arms import Expectation, Expected
from drills.spec.edits import Edit
from drills.spec.files import named
from drills.spec.forms import decode, keys_of, kind
from drills.spec.reader import SLUG, Node, read
from drills.spec.values import TEXT, Bilingual, text
from drills.spec.vocabulary import Vocabulary

FILE = "wrong.yaml"

if TYPE_CHECKING:
    MistakeId: TypeAlias = str
    WholeFile: TypeAlias = Path
else:
    MistakeId = text("the id of the documented mistake")
    WholeFile = kind("file", lambda node: named(node, "a runbook file"), TEXT)


class VariantForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wrong variant as it is written: ``edits`` of the right runbook, or ``whole``, the file of another one.

    ``harmless``: why it does no harm here; None for one that does.
    """

    source: MistakeId
    what: Bilingual
    expect: Expected | None = None
    harmless: Bilingual | None = None
    edits: Annotated[tuple[Edit, ...], Meta(min_length=1, description="a list of edits")] = ()
    whole: WholeFile | None = field(name="runbook", default=None)


class Variant(VariantForm, frozen=True, kw_only=True):
    """One wrong variant, what it is called and where it stands; ``expect`` is always there."""

    name: str
    at: Node
    expect: Expectation


def load_variants(file: Path, checks: Collection[str] | None = None) -> dict[str, Variant]:
    """Name -> variant, in the file's order, the harmless ones last; none where there is no such file.

    ``checks``: ids of the checks that one may be caught by, beside the metrics (default: all). BadInput with file:line.
    """
    if not file.exists():
        return {}
    words = Vocabulary({}, _checks() if checks is None else checks, {})
    found = [_variant(name, node, words) for name, node in read(file).mapping("variants by name").items()]
    return {variant.name: variant for variant in sorted(found, key=lambda variant: variant.harmless is not None)}


def _variant(name: str, node: Node, words: Vocabulary) -> Variant:
    if not SLUG.match(name):
        raise node.bad(f"found '{name}', expected a name of lower-case letters, digits and hyphens", at_key=True)
    _either(node, "expect", "harmless")
    _either(node, "edits", "runbook")
    form = decode(VariantForm, node, words)
    if form.expect is not None and (form.expect.verdict != "fail" or not form.expect.by):
        says = "expect: a wrong variant must fail, by named checks; one that does no harm says why in 'harmless'"
        raise node.child("expect").bad(says)
    fields = {**msgspec.structs.asdict(form), "expect": form.expect or Expectation("pass")}
    return Variant(**fields, name=name, at=node)


def _either(node: Node, one: str, other: str) -> None:
    found = node.fields(*keys_of(VariantForm))
    if (one in found) == (other in found):
        raise node.bad(f"{node.name}: say either {one} or {other}")


def _checks() -> tuple[str, ...]:
    from drills.domains.registry import DOMAINS  # when asked for: reading a right runbook needs no judge

    return tuple(DOMAINS.checks)
