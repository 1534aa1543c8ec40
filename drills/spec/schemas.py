"""JSON Schemas (draft 2020-12) of what people write and scripts read, for editors that complete and check.

The YAML forms are looser than the structs they become (``5s``, ranges, short forms), so their schemas are written here,
from the same vocabularies that the loaders use. The loaders say more: they know the other files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from drills.errors import UnknownName
from drills.record.books import AnyRow
from drills.record.history import Slo
from drills.record.unsupported import THINGS
from drills.spec import drill as spec
from drills.spec import steps, targetfile, variants
from drills.spec.arms import GRADES, VERDICTS
from drills.spec.expectations import BOUNDS
from drills.spec.metrics import DURATIONS, METRICS
from drills.spec.vocabulary import PHASES, Vocabulary, embedded
from targets.description import ARGUMENT

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

AS_WRITTEN = ["string", "number", "boolean"]
"""What an editor takes plain text for: ``3.10`` and ``true`` are read as they are written."""

TEXT: Schema = {"type": AS_WRITTEN, "minLength": 1, "pattern": r"^[^\x00]*$"}
NAME: Schema = {"type": AS_WRITTEN, "pattern": "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"}
TIME: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?\s?(ms|s|m|h)$"}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}


def schema(name: str) -> Schema:
    """The schema of one of ``SCHEMAS`` (``book`` is that of one row); UnknownName for others."""
    if name not in SCHEMAS:
        raise UnknownName("schema", name, tuple(SCHEMAS))
    return {"$schema": DRAFT, "title": f"kunren {name}", **SCHEMAS[name]()}


def drill_schema(words: Vocabulary | None = None) -> Schema:
    """Of drill.yaml, with the names that are known here."""
    known = words or embedded()
    properties: Schema = {
        "drill": NAME,
        "title": _words(),
        "sources": _list({"type": "string", "pattern": r"^[a-z]{2,8}-t?\d{2}$"}),
        "phase": _enum(PHASES),
        "load": _enum(known.loads),
        "slo": _object(dict.fromkeys(Slo.__struct_fields__, TIME), ()),
        "baseline": TIME,
        "timeline": _list(_timed_fault(known)),
        "alerts": _list(_enum(known.alerts) if known.alerts else TEXT),
        "runbook": TEXT,
        "objectives": {**_object({name: _limit(name) for name in METRICS}, ()), "minProperties": 1},
        "checks": _list(_enum(known.checks)),
        "arms": _arms((*known.checks, *METRICS)),
        "stop_if": _object({name: _stop() for name in spec.STOP_METRICS}, ()),
        "cap": TIME,
        "fidelity": {"type": "string", "pattern": r"^[FPAT](\+[FPAT])*$"},
        "limits": _list({"anyOf": [TEXT, _words()]}, least=0),
        "condition": _object({"en": TEXT, "ja": TEXT, "left": {"type": "number"}, "right": {"type": "number"}}),
        "business_start": {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"},
    }
    return _object(properties, spec.keys(known)[0])


def runbook_schema() -> Schema:
    """Of runbook.yaml, with the commands and roles of the mini-brokerage's tool."""
    properties = {
        "runbook": NAME,
        "title": _words(),
        "for": _object({"alerts": _list(TEXT), "phases": _list(_enum(PHASES))}),
        "prohibited": _list(_words(), least=0),
        "escalation": _object({"after": TIME, "to": TEXT, "deputy": TEXT}),
        "steps": _list(_object(_step(), steps.REQUIRED)),
    }
    return _object(properties, ("runbook", "title", "for", "escalation", "steps"))


def wrong_schema() -> Schema:
    """Of wrong.yaml."""
    place = {"before": NAME, "after": NAME}
    edits = [
        _object({"drop": {"anyOf": [NAME, _list(NAME)]}}),
        _object({"move": NAME, **place}, ("move",)),
        _object({"insert": _object(_step(), steps.REQUIRED), **place}, ("insert",)),
        _object({"replace": NAME, "with": {**_object(_step(), ()), "minProperties": 1}}),
    ]
    variant = {
        "source": TEXT,
        "what": _words(),
        "expect": _expectation(None),
        "harmless": _words(),
        "edits": _list({"anyOf": edits}),
        "runbook": TEXT,
    }
    return _by_name(_object(variant, variants.REQUIRED))


def _step() -> Schema:
    tool = embedded().operator
    assert tool is not None
    command = {"type": "string", "pattern": f"^{tool.name} "}
    says = {**_map(SCALAR, dict.fromkeys(BOUNDS, SCALAR)), "minProperties": 1}
    asked = _object({"run": command, "says": says})
    return {
        "id": NAME,
        "role": _enum(tool.roles),
        "text": _words(),
        "run": command,
        "before": asked,
        "expect": {"anyOf": [asked, says]},
        "within": TIME,
        "needs": _list(NAME, least=0),
        "if_failed": {"type": "string", "pattern": "^(stop|escalate|go [a-z0-9-]+)$"},
    }


def target_schema() -> Schema:
    """Of a target file."""
    command = _list({"type": [*AS_WRITTEN, "null"], "pattern": ARGUMENT})
    path: Schema = {"type": "string", "pattern": "^/[!-~]*$"}
    port: Schema = {"type": "integer", "minimum": 1024, "maximum": 65535}
    address: Schema = {"type": "string", "pattern": r"^(127(\.\d{1,3}){3}|\[::1\]|localhost):\d{1,5}$"}
    service = {"start": command, "health": {"anyOf": [{"const": "tcp"}, path]}, "stop": command, "port": port}
    rate: Schema = {"type": "number", "minimum": 0.1, "maximum": targetfile.FASTEST}
    status: Schema = {"type": "integer", "minimum": 100, "maximum": 599}
    asked = [_object({method: path, "rate": rate, "expect": status}, (method, "rate")) for method in targetfile.METHODS]
    properties = {
        "target": NAME,
        "prepare": _list(command, least=0),
        "prepare_inputs": _list({**TEXT, "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))[^\x00]*$"}, least=0),
        "services": _by_name(_object({**service, "within": TIME}, ("start", "health"))),
        "links": _by_name(_object({"upstream": {"anyOf": [NAME, address]}, "listen": port}, ("upstream",))),
        "customers": NAME,
        "loads": _by_name(_by_name({"anyOf": asked})),
        "handshake": {"anyOf": [_object({"service": NAME, "path": path}), _object({"run": command})]},
        "not_offered": {**_list(_enum(THINGS), least=len(THINGS)), "uniqueItems": True},
    }
    return _object(properties, targetfile.REQUIRED)


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
    "wrong": wrong_schema,
    "target": target_schema,
    "scorecard": scorecard_schema,
    "book": book_schema,
}
"""Name -> builder."""


def _object(properties: Schema, required: Collection[str] | None = None) -> Schema:
    """A mapping with these keys and no others; all are required unless said."""
    names = list(properties if required is None else required)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _by_name(item: Schema) -> Schema:
    """A mapping of names of one's own, at least one."""
    return {"type": "object", "propertyNames": NAME, "additionalProperties": item, "minProperties": 1}


def _map(value: Schema, bounds: Schema) -> Schema:
    one = {
        "type": "object",
        "properties": bounds,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"type": "object", "additionalProperties": {"anyOf": [value, one]}}


def _list(item: Schema, least: int = 1) -> Schema:
    return {"type": "array", "items": item, "minItems": least}


def _enum(names: Collection[str]) -> Schema:
    return {"type": "string", "enum": list(names)}


def _words() -> Schema:
    return _object({"en": TEXT, "ja": TEXT})


def _ranged(value: Schema) -> Schema:
    between = _object({"between": {"type": "array", "items": value, "minItems": 2, "maxItems": 2}})
    return {"anyOf": [value, between, _list(value)]}


def _timed_fault(known: Vocabulary) -> Schema:
    kinds = [_fault(kind, fault, known) for kind, fault in known.faults.items()]
    lasts = {"anyOf": [{"const": "until-judged"}, *_ranged(TIME)["anyOf"]]}
    return _object({"at": _ranged(TIME), "for": lasts, "fault": {"anyOf": kinds}})


def _fault(kind: str, fault: type[Any], known: Vocabulary) -> Schema:
    names = {"link": known.links, "service": known.services}
    fields = {field.encode_name: field for field in msgspec.structs.fields(fault)}
    values = {
        name: _enum(names[name] or ()) if names.get(name) else _inline(found.type) for name, found in fields.items()
    }
    required = ("kind", *(name for name, field in fields.items() if field.required))
    return _object({"kind": {"const": kind}, **{name: _ranged(value) for name, value in values.items()}}, required)


def _inline(declared: Any) -> Schema:
    (found,), definitions = msgspec.json.schema_components([declared], ref_template="#/$defs/{name}")
    if declared is str:
        return TEXT
    return {} if definitions else found  # a nested type: the loader checks it


def _limit(name: str) -> Schema:
    metric = METRICS[name]
    number: Schema = {"type": "number" if metric.unit in ("s", "ratio") else "integer", "minimum": 0}
    value = TIME if name in DURATIONS else {"anyOf": [number, TIME]} if metric.unit == "s" else number
    if metric.more_is_better:
        return _object({"at_least": value})
    return {"anyOf": [value, _object({"at_most": value})]}


def _expectation(outcomes: Collection[str] | None) -> Schema:
    by = _list(TEXT if outcomes is None else _enum(outcomes))
    whole = _object({"verdict": _enum(VERDICTS), "grade": _enum(GRADES), "by": by}, ("verdict",))
    return {"anyOf": [_enum(VERDICTS), whole]}


def _arms(outcomes: Collection[str]) -> Schema:
    pattern = "^(no-fault|false-alarm|no-action|without:.+|wrong:.+)$"
    usual = _expectation(outcomes)
    timed = _object({"verdict": {"const": "pass"}, "reaction_up_to": TIME})
    properties = {"^runbook$": {"anyOf": [*usual["anyOf"], timed]}, pattern: usual}
    return {"type": "object", "patternProperties": properties, "additionalProperties": False, "minProperties": 1}


def _stop() -> Schema:
    return _object({"above": {"type": "number", "minimum": 0, "maximum": 1}, "for": TIME})
