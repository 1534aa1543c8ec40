"""JSON Schemas (draft 2020-12) of what people write and scripts read, for editors that complete and check.

They are made from the forms by which the files are read. The loaders say more: they know the other files.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from drills.errors import UnknownName
from drills.record.books import AnyRow
from drills.record.unsupported import THINGS
from drills.spec import targetfile
from drills.spec.drafts import Shared
from drills.spec.drillfile import form_for
from drills.spec.forms import Schema, schema_of
from drills.spec.runbook import RunbookFile
from drills.spec.values import AS_WRITTEN, NAME, TEXT, TIME, by_name, closed, enum, listed
from drills.spec.variants import VariantForm
from drills.spec.vocabulary import Vocabulary, embedded
from targets.description import ARGUMENT

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
    command = listed({"type": [*AS_WRITTEN, "null"], "pattern": ARGUMENT})
    path: Schema = {"type": "string", "pattern": "^/[!-~]*$"}
    port: Schema = {"type": "integer", "minimum": 1024, "maximum": 65535}
    address: Schema = {"type": "string", "pattern": r"^(127(\.\d{1,3}){3}|\[::1\]|localhost):\d{1,5}$"}
    service = {"start": command, "health": {"anyOf": [{"const": "tcp"}, path]}, "stop": command, "port": port}
    rate: Schema = {"type": "number", "minimum": 0.1, "maximum": targetfile.FASTEST}
    status: Schema = {"type": "integer", "minimum": 100, "maximum": 599}
    asked = [closed({method: path, "rate": rate, "expect": status}, (method, "rate")) for method in targetfile.METHODS]
    properties = {
        "target": NAME,
        "prepare": listed(command, least=0),
        "prepare_inputs": listed({**TEXT, "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))[^\x00]*$"}, least=0),
        "services": by_name(closed({**service, "within": TIME}, ("start", "health"))),
        "links": by_name(closed({"upstream": {"anyOf": [NAME, address]}, "listen": port}, ("upstream",))),
        "customers": NAME,
        "loads": by_name(by_name({"anyOf": asked})),
        "handshake": {"anyOf": [closed({"service": NAME, "path": path}), closed({"run": command})]},
        "not_offered": {**listed(enum(THINGS), least=len(THINGS)), "uniqueItems": True},
    }
    return closed(properties, targetfile.REQUIRED)


def book_schema() -> Schema:
    """Of one row of any book."""
    return msgspec.json.schema(AnyRow)


def scorecard_schema() -> Schema:
    """Of scorecard.json."""
    from drills.judge.scorecard import Scorecard  # here: the other schemas need none of the judge

    return msgspec.json.schema(Scorecard)


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "drill": drill_schema,
    "runbook": runbook_schema,
    "steps": steps_schema,
    "wrong": wrong_schema,
    "target": target_schema,
    "scorecard": scorecard_schema,
    "book": book_schema,
}
"""Name -> builder."""
