"""Forms: which mistake of several is told, where it is, and that fields may come from different files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from drills.errors import BadInput
from drills.spec.forms import decode, decode_fields, schema_of
from drills.spec.reader import Node, read
from drills.spec.values import Duration, Names, OneOrMore, Share, Slug, StepId, Text


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lasts: Duration = msgspec.field(name="for")
    above: Share | None = None


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Slug
    parts: Annotated[tuple[Inner, ...], msgspec.Meta(min_length=1, description="a list of parts")]
    after: Names[StepId] = ()
    more: OneOrMore[Inner] = ()
    inner: Inner | None = None


def node(tmp_path: Path, text: str, name: str = "any.yaml") -> Node:
    (tmp_path / name).write_text(text)
    return read(tmp_path / name)


def test_what_is_read_is_plain(tmp_path: Path) -> None:
    text = "name: 3\nparts: [{for: 250ms, above: 0.5}]\nafter: [x, 1.10]\nmore: {for: 1s}\n"
    found = decode(Outer, node(tmp_path, text))
    assert found == Outer("3", (Inner(250_000_000, 0.5),), ("x", "1.10"), (Inner(1_000_000_000),))
    assert type(found.name) is str
    assert msgspec.json.decode(msgspec.json.encode(found))["parts"] == [{"for": 250_000_000, "above": 0.5}]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("nome: x\nparts: []\n", 1, "unknown key 'nome', did you mean 'name'? known: name, parts, after, more, inner"),
        ("name: X Y\nparts: []\n", 2, "parts: found an empty list, expected a list of parts"),
        ("name: X Y\ninner:\n  for: 1s\n", 1, "missing key 'parts'; required: name, parts"),
        ("name: x\nparts:\n  - for: 1s\n  - fro: 1s\n", 4, "parts[1]: unknown key 'fro', did you mean 'for'?"),
        ("name: x\nparts:\n  - for: 1s\n  - above: 1\n", 4, "parts[1]: missing key 'for'; required: for"),
        ("name: x\nparts: [{for: 1s}]\ninner:\n", 3, "inner: found nothing, expected a mapping of for, above"),
        ("name: x\nparts: [{for: 1s}]\ninner: [1]\n", 3, "inner: found a list of 1, expected a mapping of for, above"),
        ("name: x\nparts: [{for: 1s, above: 2}]\n", 2, "parts[0].above: found the number 2, expected a number from 0"),
        ("name: x\nparts: [{for: 1s}]\nmore: []\n", 3, "more: found an empty list, expected a list"),
        ("name: x\nparts: [{for: 1s}]\nmore:\n  - {for: 1s}\n  - {for: 0s}\n", 5, "more[1].for: found '0s', expected"),
        ("name: x\nparts: [{for: 1s}]\nafter: [a, b, a]\n", 3, "after[2]: step id 'a' stands twice"),
        ("- x\n", 1, "the file: found a list of 1, expected a mapping of name, parts, after, more, inner"),
    ],
)
def test_refused_with_its_place_and_keys_come_before_values(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(Outer, node(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path}/any.yaml:{line}: {says}")


def test_fields_of_different_files_keep_their_places(tmp_path: Path) -> None:
    one, other = node(tmp_path, "name: x\nparts: [{for: 1s}]\n"), node(tmp_path, "\ninner: {fur: 1s}\n", "other.yaml")
    fields = {"name": one.child("name"), "parts": one.child("parts"), "inner": other.child("inner")}
    with pytest.raises(BadInput, match=r"other\.yaml:2: inner: unknown key 'fur'"):
        decode_fields(Outer, fields, one)


def test_the_schema_says_what_a_file_can_hold_and_no_more() -> None:
    class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        title: Text
        inner: Inner | None = None

    found = schema_of(Named)
    assert found["required"] == ["title"]
    assert set(found["properties"]) == {"title", "inner"}
    assert found["properties"]["inner"]["required"] == ["for"], "whole, and never null"
    assert found["properties"]["inner"]["additionalProperties"] is False
