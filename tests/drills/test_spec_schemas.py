"""The schemas say what the loaders do, as far as one file goes."""

from __future__ import annotations

from typing import Any

import pytest

from drills.errors import UnknownName
from drills.spec.drillfile import DrillFile
from drills.spec.files import CATALOGUE
from drills.spec.forms import keys_of
from drills.spec.metrics import metrics
from drills.spec.reader import read
from drills.spec.schemas import SCHEMAS, schema
from drills.spec.targetform import TargetFile

EXAMPLES = CATALOGUE.with_name("examples")


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_schemas_name_their_draft(name: str) -> None:
    assert schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_drills_keys_are_the_loaders() -> None:
    found = schema("drill")
    required, optional = keys_of(DrillFile)
    assert set(found["properties"]) == {*required, *optional}
    assert found["required"] == list(required)
    assert set(found["properties"]["objectives"]["properties"]) == set(metrics())


def test_a_target_files_keys_are_the_loaders() -> None:
    found = schema("target")
    required, optional = keys_of(TargetFile)
    assert set(found["properties"]) == {*required, *optional}
    assert found["required"] == list(required)
    for file in EXAMPLES.glob("*/target.yaml"):
        assert unknown_keys(read(file).value, found) == []


@pytest.mark.parametrize("name", ["drill", "runbook"])
def test_the_catalogues_files_have_only_keys_of_the_schema(name: str) -> None:
    for file in CATALOGUE.glob(f"*/{name}.yaml"):
        assert unknown_keys(read(file).value, schema(name)) == []


def test_the_catalogues_shared_steps_have_only_keys_of_the_schema() -> None:
    found = schema("steps")["additionalProperties"]
    for step in read(CATALOGUE / "steps.yaml").value.values():
        assert unknown_keys(step, found) == []


def test_a_schema_that_is_not_there() -> None:
    with pytest.raises(UnknownName, match="unknown schema 'tarot'"):
        schema("tarot")


def unknown_keys(value: Any, described: dict[str, Any]) -> list[str]:
    """Keys that a closed object of the schema does not list; alternatives pass if any of them does."""
    if "anyOf" in described:
        return min((unknown_keys(value, each) for each in described["anyOf"]), key=len)
    if isinstance(value, list):
        return [key for item in value for key in unknown_keys(item, described.get("items", {}))]
    if not isinstance(value, dict) or "properties" not in described:
        return []
    known = described["properties"]
    nested = [bad for key, item in value.items() if key in known for bad in unknown_keys(item, known[key])]
    return [key for key in value if key not in known] + nested
