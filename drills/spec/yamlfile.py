"""YAML files as plain data in which every value still knows its line.

A strict subset: one document, UTF-8, mappings with plain unique keys, no anchors, aliases, tags or merge keys. Scalars
are read as JSON would: ``true``, ``false``, ``null``, decimal numbers; all else is text. So what YAML 1.1 turns into
something else (``on``, ``yes``, ``1:30``, ``0123``, ``2026-11-22``) stays the text that was written. What was read as a
number keeps its characters beside it (``3.10``, ``+5``): where text is wanted, they are meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drills.errors import BadInput

Place = tuple[str | int, ...]
"""Where a value stands: keys and indexes from the root."""

LARGEST = 256 * 1024
"""Bytes; a drill fits on one screen, so anything larger is a mistake."""

DEEPEST = 30
"""Levels of nesting; composing is recursive."""

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z", re.ASCII)
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+\Z", re.ASCII)
_given: dict[Path, bytes] = {}

WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """A file's ``data`` with the line (from 1) of each value and of each key; ``source`` is its very bytes.

    ``written`` has the characters of each scalar that was read as a number, a truth value or nothing.
    """

    file: Path
    source: bytes
    data: Any
    lines: Mapping[Place, int]
    key_lines: Mapping[Place, int]
    written: Mapping[Place, str]

    def line(self, place: Place) -> int:
        """Of the value, or of the nearest value around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def key_line(self, place: Place) -> int:
        """Of the key that leads to the value; of the value itself in a list."""
        return self.key_lines.get(place, self.line(place))

    def bad(self, place: Place, says: str, *, at_key: bool = False) -> BadInput:
        """The error to raise about what stands there."""
        return BadInput(self.file, self.key_line(place) if at_key else self.line(place), says)


def give(file: Path, source: bytes) -> None:
    """From here on, in this process, ``file`` holds these bytes: what somebody has read and checked there before."""
    _given[file] = source


def load(file: Path, largest: int = LARGEST) -> Document:
    """Read and parse; BadInput for whatever is not such a file, or has more than ``largest`` bytes.

    The data are the caller's own.
    """
    parsed = _parsed(file, _read(file, largest))
    return replace(parsed, data=deepcopy(parsed.data))


@lru_cache(maxsize=256)
def _parsed(file: Path, source: bytes) -> Document:
    """A drill, its runbook and its steps are read many times in a command, and parsing is what takes the time."""
    root = _compose(file, _decode(file, source))
    found = _Places(file, {}, {}, {})
    return Document(file, source, _plain(found, root, ()), found.lines, found.key_lines, found.written)


def _read(file: Path, largest: int) -> bytes:
    if file in _given:
        return _given[file]
    try:
        if file.is_dir():
            raise BadInput(file, 1, "this is a folder, a YAML file was expected")
        with file.open("rb") as stream:
            source = stream.read(largest + 1)
    except FileNotFoundError as error:
        raise BadInput(file, 1, "no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadInput(file, 1, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(source) > largest:
        raise BadInput(file, 1, f"larger than {largest // 1024} KiB, which no such file needs")
    return source


def _decode(file: Path, source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise BadInput(file, line, f"byte {error.start} is not UTF-8 ({error.reason})") from error


class _NotTaken(yaml.MarkedYAMLError):
    """Is YAML, but not of the subset."""


class _Strict(yaml.SafeLoader):
    """Composes nodes without resolving them, and refuses what a data file has no use for."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        for attribute, what in (("anchor", "anchors and aliases"), ("tag", "tags")):
            if getattr(event, attribute, None) is not None:
                raise _NotTaken(problem=f"{what} are not taken here", problem_mark=event.start_mark)
        if self.depth == DEEPEST:
            raise _NotTaken(problem=f"nested deeper than {DEEPEST}", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Strict.yaml_implicit_resolvers = {}


def _compose(file: Path, text: str) -> yaml.Node:
    try:
        node = _Strict(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInput(file, line, f"character U+{ord(text[error.position]):04X} is not allowed in YAML") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadInput(file, mark.line + 1 if mark else 1, _problem(error)) from error
    except (ValueError, OverflowError) as error:  # PyYAML converts escapes without looking ("\UFFFFFFFF")
        raise BadInput(file, 1, f"not YAML: {error}") from error
    if node is None:
        raise BadInput(file, 1, "empty file")
    return node


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "cannot be parsed"
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces"
    if "but found another document" in problem:
        return "a second document; a file holds one"
    return problem if isinstance(error, _NotTaken) else f"not YAML: {problem}"


@dataclass(frozen=True, slots=True)
class _Places:
    """What is found out about each place while a file becomes plain data."""

    file: Path
    lines: dict[Place, int]
    key_lines: dict[Place, int]
    written: dict[Place, str]


def _plain(found: _Places, node: yaml.Node, place: Place) -> Any:
    found.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(found, node, place)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(found, item, (*place, n)) for n, item in enumerate(node.value)]
    _check_text(found.file, node)
    assert isinstance(node, yaml.ScalarNode)  # all that is neither list nor mapping
    value = _scalar(node)
    if not isinstance(value, str):
        found.written[place] = node.value
    return value


def _check_text(file: Path, node: yaml.Node) -> None:
    """An escape can spell what no output could be encoded with, and what no argument or path can hold."""
    if any("\ud800" <= character <= "\udfff" for character in node.value):
        raise BadInput(file, node.start_mark.line + 1, "an escape that is no character (a lone surrogate)")
    if "\0" in node.value:
        raise BadInput(file, node.start_mark.line + 1, "a NUL byte (\\0), which no argument, path or name can hold")


def _mapping(found: _Places, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
            raise BadInput(found.file, line, "a key must be one plain word")
        _check_text(found.file, key_node)
        key = key_node.value
        if key == "<<" and key_node.style is None:
            raise BadInput(found.file, line, "merge keys are not taken here")
        if key in data:
            first = found.key_lines[(*place, key)]
            raise BadInput(found.file, line, f"key '{key}' stands twice, first in line {first}")
        found.key_lines[(*place, key)] = line
        data[key] = _plain(found, value_node, (*place, key))
    return data


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    if node.style is not None:  # quoted or a block: text, whatever it looks like
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.match(text):
        return int(text)
    if DECIMAL.match(text):
        return float(text)
    return text
