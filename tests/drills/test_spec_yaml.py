"""The YAML subset, and that nothing but BadInput ever comes out of the loaders, whatever the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drills.errors import BadInput
from drills.spec.drill import load_drill
from drills.spec.reader import read
from drills.spec.runbook import load_runbook
from drills.spec.vocabulary import Vocabulary, embedded, standing
from drills.spec.yamlfile import load

WORDS = Vocabulary({}, standing(), {"day-session": {"orders": 1.0}})


def loaded(folder: Path, text: str) -> Any:
    file = folder / "any.yaml"
    file.write_text(text)
    return load(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("1:30", "1:30"),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("2026-11-22", "2026-11-22"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("-12", -12),
        ("12.50", 12.5),
        ("'12'", "12"),
        ("9" * 30, "9" * 30),
    ],
)
def test_scalars_are_read_as_json_would(tmp_path: Path, text: str, value: object) -> None:
    found = loaded(tmp_path, f"a: {text}\n").data["a"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", ["3.10", "+5", "-0", "0.00001", "true", "null", "~", "on", "0123", "'3.10'"])
def test_what_was_written_is_kept(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(f"a: [{text}]\n")
    assert read(file).child("a").child(0).written == text.strip("'")
    assert read(file).child("a").written is None


@pytest.mark.parametrize("text", ['a: "x\\0"', '"a\\0": x', 'a: [b, ["\\x00"]]', 'a: "\\u0000"'])
def test_a_nul_byte_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"any\.yaml:2: a NUL byte \(\\0\)"):
        loaded(tmp_path, f"# a comment\n{text}\n")


def test_each_value_and_key_knows_its_line(tmp_path: Path) -> None:
    doc = loaded(tmp_path, "a: 1\nb:\n  - x\n  -\n    c: y\n")
    assert doc.data == {"a": 1, "b": ["x", {"c": "y"}]}
    assert [doc.line(place) for place in [("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "c")]] == [1, 3, 3, 5, 5]
    assert doc.key_line(("b",)) == 2
    assert doc.line(("b", 7, "z")) == 3, "the nearest value around it"


@pytest.mark.parametrize(
    ("text", "ns"), [("250ms", 250_000_000), ("5s", 5 * 10**9), ("1.5 s", 15 * 10**8), ("3m", 180 * 10**9), ("0s", 0)]
)
def test_times_are_exact_nanoseconds(tmp_path: Path, text: str, ns: int) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(f"a: {text}\n")
    assert read(file).child("a").time() == ns


PIECES = st.sampled_from(
    """\
drill: a
title: {en: a, ja: b}
timeline:
  - {at: 1s, for: 2s, fault: {kind: x}}
sources: [rkt-05]
objectives: {detect: 3s}
arms: {no-fault: pass}
cap: 20s
runbook: a
wrong: {en: a, ja: b}
for: {alerts: [a], phases: [D3]}
steps:
  - id: a
    run: brokerctl status
    expect: {a: 1}
- x
? y
[
{
}
'
"\\x
"\\UFFFFFFFF"
&a
*a
a: &a [*a]
!!set
%YAML 9.9
---
\t
| 9
\ufeff
1: 2
a: b: c""".splitlines()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(PIECES, max_size=8).map("\n".join).map(str.encode), st.text().map(str.encode), st.binary()))
@example(b'a: "\\UFFFFFFFF"')
@example(b'"\\uD800": "\\uDFFF"')
@example(b"a: " + b"{b: " * 500)
@example(b"%TAG ! tag:example.com,2000:\n---\n!x a: b")
def test_only_bad_input_is_ever_raised(tmp_path: Path, source: bytes) -> None:
    file = tmp_path / "drill.yaml"
    file.write_bytes(source)
    for attempt in (lambda: load_drill(file, WORDS), lambda: load_runbook(file, embedded().operator)):
        with pytest.raises(BadInput) as caught:
            attempt()
        assert 1 <= caught.value.line <= source.count(b"\n") + source.count(b"\r") + 2
