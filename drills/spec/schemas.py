"""JSON Schemas (draft 2020-12) of what people write and scripts read, for editors that complete and check.

They are made from the forms by which the files are read. The loaders say more: they know the other files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

import msgspec

from drills.errors import UnknownName
from drills.spec.drafts import Shared
from drills.spec.drillfile import form_for
from drills.spec.findingsfile import FindingsFile
from drills.spec.forms import Schema, schema_of
from drills.spec.runbook import RunbookFile
from drills.spec.targetform import TargetFile
from drills.spec.values import by_name
from drills.spec.variants import VariantForm
from drills.spec.vocabulary import Vocabulary, embedded

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> Schema:
    """The schema of one of ``SCHEMAS`` (``book`` is that of one row); UnknownName for others."""
    if name not in SCHEMAS:
        raise UnknownName("schema", name, tuple(SCHEMAS))
    return {"$schema": DRAFT, "title": f"kunren {name}", **SCHEMAS[name]()}


def drill_schema(words: Vocabulary | None = None) -> Schema:
    """Of drill.yaml, with the names that are known here."""
    known = words or embedded()
    return schema_of(form_for(known), known)


def runbook_schema() -> Schema:
    """Of runbook.yaml, with the commands and roles of the mini-brokerage's tool."""
    return schema_of(RunbookFile, embedded())


def steps_schema() -> Schema:
    """Of steps.yaml, likewise."""
    return by_name(schema_of(Shared, embedded()))


def wrong_schema() -> Schema:
    """Of wrong.yaml, likewise."""
    return by_name(schema_of(VariantForm, embedded()))


def target_schema() -> Schema:
    """Of a target file."""
    return schema_of(TargetFile)


def book_schema() -> Schema:
    """Of one row of any book."""
    from drills.domains.registry import DOMAINS  # here: the other schemas need none of the judge

    return msgspec.json.schema(reduce(or_, DOMAINS.books.values()))


def scorecard_schema() -> Schema:
    """Of scorecard.json."""
    from drills.judge.scorecard import Scorecard  # here: the other schemas need none of the judge

    return msgspec.json.schema(Scorecard)


def findings_schema() -> Schema:
    """Of findings.yaml."""
    return schema_of(FindingsFile)


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "drill": drill_schema,
    "runbook": runbook_schema,
    "steps": steps_schema,
    "wrong": wrong_schema,
    "target": target_schema,
    "scorecard": scorecard_schema,
    "book": book_schema,
    "findings": findings_schema,
}
"""Name -> builder."""
