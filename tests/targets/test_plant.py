"""The registry of conditions, and what a stack answers about one that it does not know or cannot plant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from targets.brokerage.plant import CONDITIONS
from targets.registry import runtime
from targets.stack import Stack
from targets.target import TargetError

from .ports import free_ports
from .stack import make_config


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_is_registered_under_its_own_name_and_has_the_three_verbs(name: str) -> None:
    condition = CONDITIONS[name]
    assert name == condition.NAME
    assert issubclass(condition, msgspec.Struct)
    assert condition.__struct_config__.frozen
    assert condition.__struct_config__.forbid_unknown_fields
    assert all(callable(getattr(condition, verb)) for verb in ("plant", "look", "unplant"))
    assert not {"kind", "what"} & set(condition.__struct_fields__), "they stand beside these in a drill file"


@pytest.mark.parametrize("target", ["local", "compose"])
def test_a_target_tells_them_with_their_parameters(target: str) -> None:
    assert runtime(target).capabilities().plantable == CONDITIONS


@pytest.mark.parametrize(
    ("what", "wanted", "says"),
    [
        ("ghosts", {}, "there are: skewed-lots, short-lived-chain, numbers-near-limit, keys-mixed-up"),
        ("short-lived-chain", {"name": "other.example", "seconds": 5}, "other.example"),
        ("skewed-lots", {"account": "C-0001"}, "outlasts"),
        ("skewed-lots", {"account": "C-0001", "outlasts": 601}, "outlasts"),
        ("skewed-lots", {"account": "C-0001", "outlasts": 1, "colour": "red"}, "colour"),
        ("skewed-lots", {"account": "C-0001", "outlasts": 1}, "connection"),
    ],
)
def test_what_cannot_be_planted_is_said(tmp_path: Path, what: str, wanted: dict[str, Any], says: str) -> None:
    (nobody,) = free_ports(1)
    stack = Stack(make_config(tmp_path, {"postgres": nobody}, {"batch-valuation": nobody}))
    with pytest.raises(TargetError, match=f"^{what} of .*{says}"):
        stack.conditions.unplant(what, wanted)
