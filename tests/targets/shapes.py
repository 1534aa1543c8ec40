"""Whether a reply of an operator's tool is what its command declares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from drills.spec.runbook import load_runbook
from targets.operator_tool import Command, Field, Kind, OperatorTool

TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.FLAG: (bool,),
    Kind.WHOLE: (int,),
    Kind.NUMBER: (int, float),
    Kind.SECONDS: (int, float),
    Kind.TEXT: (str,),
    Kind.LIST: (list,),
    Kind.MAPPING: (dict,),
}


def misfits(fields: Mapping[str, Field], reply: Mapping[str, Any], before: str = "") -> list[str]:
    """What of the reply is not as declared, a line each: fields that are unknown or missing, and wrong values."""
    found = [f"{before}{name} is not declared" for name in reply if name not in fields]
    for name, field in fields.items():
        if name not in reply:
            found += [] if field.optional else [f"{before}{name} is missing"]
        else:
            found += _wrong(field, reply[name], before + name)
    return found


def recorded(run: Path, tool: OperatorTool) -> Iterator[tuple[Command, Mapping[str, Any]]]:
    """The replies to those steps of a run's own runbook that were done, each with its command."""
    runbook = load_runbook(run / "runbook.yaml", tool)
    argvs, followed = {step.id: step.argv for step in runbook.steps}, None
    for line in (run / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        data = event["data"]
        if event["what"] == "runbook":
            followed = data["runbook"]
        if followed == runbook.id and event["what"] == "step" and "answer" in data and data["exit"] == 0:
            command = tool.command(argvs[data["id"]] or ())
            assert command is not None
            yield command, data["answer"]


def _wrong(field: Field, value: Any, name: str) -> list[str]:
    if value is None:
        return [] if field.nullable else [f"{name} is null"]
    if type(value) not in TYPES[field.kind]:
        return [f"{name} is {value!r}, not {field.kind}"]
    if field.only and value not in field.only:
        return [f"{name} is {value!r}, not one of {field.only}"]
    if field.least is not None and value < field.least:
        return [f"{name} is {value!r}, less than {field.least}"]
    return misfits(field.fields, value, f"{name}.") if field.kind is Kind.MAPPING else []
